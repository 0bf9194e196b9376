"""Writes exported programs as an older PyTorch does, and what that PyTorch gives.

    python2.5 exported_old.py ../goldens/exported-old

`NAME-VERSION.pt2`, and `VERSION.json` and `VERSION.safetensors` of the form that exported.py writes.
2.4 writes schema version 5, 2.5 version 7, both an archive without a folder, 2.8 version 8 and the
weights as one file of torch.save.
"""
import json, logging, re, sys, warnings
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.export import Dim, export, save

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
version = torch.__version__.split("+")[0]
cases, tensors = {}, {}


def put(value, key):
    if isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        stored = value.to(torch.int32) if value.dtype in (torch.int64, torch.bool) else value.float()
        tensors[key] = stored.detach().clone().contiguous()
        return {"$tensor": key, "dtype": kind}
    if isinstance(value, dict):
        return {k: put(v, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [put(v, f"{key}.{i}") for i, v in enumerate(value)]
    return value


def without_paths(program):
    for module in program.graph_module.modules():
        for node in getattr(getattr(module, "graph", None), "nodes", ()):
            trace = node.meta.get("stack_trace")
            if trace:
                node.meta["stack_trace"] = re.sub(r'File "[^"]*/(?:site-packages|oracle)/', 'File "', trace)


def case(name, model, *inputs, **options):
    """The first input is the one that it is exported with."""
    program = export(model, inputs[0], **options)
    without_paths(program)
    save(program, out / f"{name}-{version}.pt2")
    name = f"{name}-{version}"
    run, calls = program.module(), []
    for i, args in enumerate(inputs):
        given = put(list(args), f"{name}.in{i}")
        with torch.no_grad():
            result = run(*[x.clone() if isinstance(x, torch.Tensor) else x for x in args])
        calls.append({"args": given, "kwargs": {}, "output": put(result, f"{name}.out{i}")})
    cases[name] = {"calls": calls, "keys": list(model.state_dict())}


torch.manual_seed(0)
N = torch.randn


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.blocks = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)])
        self.fc = nn.Linear(4, 3)
        self.fc2 = nn.Linear(4, 3, bias=False)
        self.fc2.weight = self.fc.weight
        self.register_buffer("scale", torch.arange(6.0).reshape(2, 3).t()[:, 1])
        self.offset = torch.tensor([1, 2, 3])

    def forward(self, x):
        x = torch.relu_(self.bn(self.conv(x)))
        for block in self.blocks:
            x = x + torch.nn.functional.gelu(block(x), approximate="tanh")
        x = nn.functional.max_pool2d(x, 2).mean((2, 3))
        return self.fc(x) * self.scale + self.offset, torch.softmax(self.fc2(x), -1).argmax(-1)


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.lstm = nn.LSTM(8, 4, batch_first=True)

    def forward(self, ids):
        x = self.embed(ids)
        mask = torch.triu(torch.full((ids.shape[1], ids.shape[1]), float("-inf")), diagonal=1)
        x = self.norm(x + self.attention(x, x, x, attn_mask=mask, need_weights=False)[0])
        y, _ = self.lstm(x)
        return {"last": y[:, -1], "all": torch.cat([x, y], dim=-1).std(dim=1, correction=0)}


class Writes(nn.Module):
    def forward(self, x, y):
        a = x.clone()
        a[1].fill_(7)
        a.view(-1)[2:6:2].mul_(-1)
        a.t()[0].add_(y, alpha=2)
        a[:, -1:] = torch.div(a[:, :1], 2, rounding_mode="floor")
        return a, torch.where(a > 1, a, 0).sort(dim=1, descending=True)[0]


batch = Dim("batch", min=2, max=8)
cnn = Cnn().eval()
cnn.bn.running_mean.normal_()
case("cnn", cnn, (N(3, 1, 9, 9),), (N(5, 1, 9, 9),), dynamic_shapes={"x": {0: batch}})
case("sequence", Sequence().eval(), (torch.randint(0, 11, (2, 5)),))
case("writes", Writes().eval(), (N(3, 4), N(3)))


class Flagged(nn.Module):
    """2.4 writes its constants as integers: False is no 0 there."""

    def forward(self, x, twice, scale, shift):
        return (x * 2 if twice else x) * scale if shift is None else x + shift


if version.startswith("2.4."):
    case("flagged", Flagged().eval(), (N(2, 3), False, 0.5, None))

save_file(tensors, out / f"{version}.safetensors")
(out / f"{version}.json").write_text(json.dumps(cases, indent=1) + "\n")
