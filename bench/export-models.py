"""Writes the models of `npm run bench -- compile` for its peers: ONNX files and, for sconce, the same
weights as safetensors, with an input and PyTorch's own output of it.

    pip install torch torchvision transformers onnx onnxscript safetensors
    python bench/export-models.py node_modules/.cache/bench/models

Weights are random, of one seed, batch statistics too: only speed is measured, and equality.
"""

import sys
import time
from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel


class SameConv2d(nn.Conv2d):
    """TensorFlow's "SAME" padding."""

    def forward(self, x: Tensor) -> Tensor:
        padding = []
        for dim in (3, 2):
            size, kernel, stride = x.shape[dim], self.kernel_size[dim - 2], self.stride[dim - 2]
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            padding += [missing // 2, missing - missing // 2]
        return F.conv2d(F.pad(x, padding), self.weight, None, self.stride, 0, 1, self.groups)


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class MBConv(nn.Module):
    def __init__(self, kernel: int, stride: int, expansion: int, planes: int, out: int) -> None:
        super().__init__()
        inner = planes * expansion
        self.skip = stride == 1 and planes == out
        self.expands = expansion != 1
        if self.expands:
            self._expand_conv = SameConv2d(planes, inner, 1, bias=False)
            self._bn0 = norm(inner)
        self._depthwise_conv = SameConv2d(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = norm(inner)
        self._project_conv = SameConv2d(inner, out, 1, bias=False)
        self._bn2 = norm(out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        return x + y if self.skip else y


class EfficientNetLite0(nn.Module):
    # Of each stage: repeats, kernel, stride, expansion, channels in and out.
    STAGES = (
        (1, 3, 1, 1, 32, 16),
        (2, 3, 2, 6, 16, 24),
        (2, 5, 2, 6, 24, 40),
        (3, 3, 2, 6, 40, 80),
        (3, 5, 1, 6, 80, 112),
        (4, 5, 2, 6, 112, 192),
        (1, 3, 1, 6, 192, 320),
    )

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = SameConv2d(3, 32, 3, 2, bias=False), norm(32)
        blocks = []
        for repeats, kernel, stride, expansion, planes, out in self.STAGES:
            for i in range(repeats):
                first = i == 0
                blocks.append(MBConv(kernel, stride if first else 1, expansion, planes if first else out, out))
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = SameConv2d(320, 1280, 1, bias=False), norm(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return self._fc(F.relu6(self._bn1(self._conv_head(x))).mean((2, 3)))


class SileroVAD(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, 1, 1)
        self.conv2 = nn.Conv1d(128, 64, 3, 2, 1)
        self.conv3 = nn.Conv1d(64, 64, 3, 2, 1)
        self.conv4 = nn.Conv1d(64, 128, 3, 1, 1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.stft_conv(F.pad(x[:, None], (0, 64), mode="reflect"))
        x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = conv(x).relu()
        cell = self.lstm_cell  # written out: the exporter does not know it
        gates = F.linear(x.squeeze(-1), cell.weight_ih, cell.bias_ih)
        gates = gates + F.linear(h, cell.weight_hh, cell.bias_hh)
        i, f, g, o = gates.split(128, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        y = self.final_conv(h.unsqueeze(-1).relu()).sigmoid()
        return y.squeeze(1).mean(1, keepdim=True), h, c


class Attention(nn.Module):
    """The weights of nn.MultiheadAttention, for sequences of any length."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.randn(3 * dim, dim) / dim**0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, dim = x.shape
        split = (batch, length, self.heads, dim // self.heads)
        parts = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        q, k, v = (part.reshape(split).transpose(1, 2) for part in parts)
        scores = q @ k.transpose(-1, -2) * (dim // self.heads) ** -0.5 + mask
        y = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(batch, length, dim)
        return self.out_proj(y)


class Block(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.ln1, self.attn, self.ln2 = nn.LayerNorm(dim), Attention(dim, heads), nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU("tanh"), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attn(self.ln1(x), mask)
        return x + self.mlp(self.ln2(x))


class WordGPT(nn.Module):
    CONTEXT = 16

    def __init__(self, dim: int = 64, layers: int = 3, heads: int = 4) -> None:
        super().__init__()
        self.tok, self.pos = nn.Embedding(27, dim), nn.Embedding(self.CONTEXT, dim)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(layers))
        self.ln = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 27, bias=False)
        above = torch.ones(self.CONTEXT, self.CONTEXT).triu(1) * -1e9
        self.register_buffer("mask", above, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        length = ids.shape[1]
        x = self.tok(ids) + self.pos.weight[:length]
        for block in self.blocks:
            x = block(x, self.mask[:length, :length])
        return self.head(self.ln(x))


class MiniLM(nn.Module):
    """What a sentence is embedded by: the hidden states."""

    def __init__(self) -> None:
        super().__init__()
        config = BertConfig(
            hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
            attn_implementation="eager",
        )  # fmt: skip
        self.bert = BertModel(config)
        # Checkpoints of this model have it.
        self.bert.embeddings.register_buffer("position_ids", torch.arange(512)[None])

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.bert(input_ids=ids, attention_mask=mask).last_hidden_state


class First(nn.Module):
    """Only the first result."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Tensor) -> Tensor:
        return self.module(*args)[0]


def mlp() -> nn.Module:
    sizes = (784, 1024, 1024, 10)
    layers = [m for i in range(3) for m in (nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(384, 12, 1536, activation="gelu", batch_first=True)
    stack = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    for weight in stack.parameters():  # layers are copies: all the same otherwise
        if weight.dim() > 1:
            nn.init.xavier_uniform_(weight)
    return stack


def randomise(module: nn.Module) -> nn.Module:
    """Batch statistics as after training, not 0 and 1."""
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)
            m.weight.data.uniform_(0.5, 1.5)
            m.bias.data.normal_(0, 0.1)
    return module.eval()


def cases() -> dict:
    """Of each model: how to make it, where its weights are, its inputs."""
    image = (torch.randn(1, 3, 224, 224),)
    ids = torch.randint(1000, 20000, (1, 128))
    vision = torchvision.models
    return {
        "mlp_b1": (mlp, None, (torch.randn(1, 784),)),
        "mlp_b64": (mlp, None, (torch.randn(64, 784),)),
        "resnet18": (vision.resnet18, None, image),
        "mobilenet_v2": (vision.mobilenet_v2, None, image),
        "encoder": (encoder, None, (torch.randn(1, 128, 384),)),
        "minilm": (MiniLM, "bert", (ids, torch.ones(1, 128, dtype=torch.int64))),
        "efficientnet_lite0": (EfficientNetLite0, None, image),
        "silero_vad": (SileroVAD, None, (torch.randn(1, 576) * 0.1, torch.zeros(1, 128), torch.zeros(1, 128))),
        "lstm": (lambda: First(nn.LSTM(256, 256, 3)), "module", (torch.randn(160, 1, 256),)),
        "wordgpt": (WordGPT, None, (torch.randint(0, 27, (1, 16)),)),
    }  # fmt: skip


def export(model: nn.Module, inputs: tuple, names: list[str], to: Path, any_length: bool) -> None:
    axes = {name: {1: "length"} for name in names} if any_length else None
    torch.onnx.export(
        model, inputs, str(to), dynamo=False, opset_version=17, input_names=names, dynamic_axes=axes
    )


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.backends.mha.set_fastpath_enabled(False)
    torch.manual_seed(0)
    for name, (make, part, inputs) in cases().items():
        began = time.perf_counter()
        model = randomise(make())
        with torch.no_grad():
            out = model(*inputs)
        out = out[0] if isinstance(out, tuple) else out
        names = [f"x{i}" for i in range(len(inputs))]
        export(model, inputs, names, folder / f"{name}.onnx", any_length=name == "wordgpt")
        owner = getattr(model, part) if part else model
        state = {k: v.contiguous().clone() for k, v in owner.state_dict().items()}
        save_file(state, folder / f"{name}.safetensors")
        tensors = {f"x{i}": x.to(torch.int32) if x.dtype == torch.int64 else x for i, x in enumerate(inputs)}
        save_file({**tensors, "y": out.contiguous()}, folder / f"{name}.io.safetensors")
        if name == "minilm":
            minilm = model, inputs, names
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)
    # Of `npm run bench -- lengths`; at last, so that whoever has it has all.
    export(*minilm, folder / "minilm_lengths.onnx", any_length=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "node_modules/.cache/bench/models"))
