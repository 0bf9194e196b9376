"""What torchvision and transformers say of the models in lib/models.

    python spec/oracle/models.py    # writes spec/goldens/models.json and spec/goldens/models.safetensors

Of each model: checksums of its repr and of its keys with their shapes. Of the smaller ones also, after
manual_seed(1234): checksums of the initial weights, and, once all state is drawn anew, the output.
"""
import json, os, zlib
import torch, torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision.models import resnet, vision_transformer
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel, GPT2Model

out = os.path.join(os.path.dirname(__file__), "..", "goldens", "models")
SEED = 1234
PICTURES = lambda: (torch.rand(2, 3, 64, 64),)
SMALL = lambda: (torch.rand(2, 3, 32, 32),)
VISION = [
    *("resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d wide_resnet50_2 mobilenet_v2".split()),
    *("vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn vit_b_16 vit_b_32 vit_l_16 vit_l_32".split()),
    *("efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4".split()),
]
BERT = dict(vocab_size=50, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, max_position_embeddings=16)
GPT2 = dict(vocab_size=50, n_embd=24, n_layer=2, n_head=3, n_positions=16)


def vit(**options):
    size = dict(image_size=32, patch_size=8, num_layers=2, num_heads=3, hidden_dim=24, mlp_dim=40)
    return vision_transformer.VisionTransformer(**size, **options)


def vgg():
    """With fewer channels than its classifier expects, which would take a hundred million weights."""
    model = torchvision.models.vgg.VGG(torchvision.models.vgg.make_layers([8, "M", 16, 16, "M"], batch_norm=True), 10, False)
    model.classifier[0] = nn.Linear(16 * 7 * 7, 4096)
    return model


def tokens():
    ids, mask = torch.randint(1, 50, (3, 9)), torch.ones(3, 9, dtype=torch.int64)
    mask[1, 5:] = 0
    mask[2, 1:] = 0
    return ids, mask


# Name, what builds it, and what it is called with.
NUMBERS = {
    "resnet18": (lambda: torchvision.models.resnet18(num_classes=10), PICTURES),
    "resnext50_32x4d": (lambda: torchvision.models.resnext50_32x4d(num_classes=10), PICTURES),
    "resnet dilated": (
        lambda: resnet.ResNet(resnet.Bottleneck, [1, 2, 2, 1], 10, groups=2, width_per_group=16, replace_stride_with_dilation=[False, True, True]),
        PICTURES,
    ),
    "mobilenet_v2": (lambda: torchvision.models.mobilenet_v2(num_classes=10, width_mult=0.35), PICTURES),
    "efficientnet_b0": (lambda: torchvision.models.efficientnet_b0(num_classes=10), PICTURES),
    "vit": (lambda: vit(num_classes=10), SMALL),
    "vgg": (vgg, SMALL),
    "BertModel": (lambda: BertModel(BertConfig(**BERT)), tokens),
    "BertModel tanh": (lambda: BertModel(BertConfig(**BERT, hidden_act="gelu_new"), add_pooling_layer=False), tokens),
    "GPT2Model": (lambda: GPT2Model(GPT2Config(**GPT2, n_inner=32, activation_function="relu", scale_attn_by_inverse_layer_idx=True)), tokens),
    "GPT2LMHeadModel": (lambda: GPT2LMHeadModel(GPT2Config(**GPT2)), tokens),
}


def crc(text):
    return zlib.crc32(text if isinstance(text, bytes) else text.encode())


def describe(model):
    state = model.state_dict()
    keys = "\n".join(f"{key} {','.join(map(str, value.shape))}" for key, value in state.items())
    return {"repr": crc(repr(model)), "keys": crc(keys), "parameters": sum(p.numel() for p in model.parameters())}


def draw(model):
    """Fills all state, in order, with numbers that keep outputs of a sensible size."""
    torch.manual_seed(SEED)
    drawn = set()
    for key, value in model.state_dict().items():
        if value.dtype != torch.float32 or value.data_ptr() in drawn:
            continue
        drawn.add(value.data_ptr())
        if key.endswith("running_var"):
            nn.init.uniform_(value, 0.5, 1.5)
        elif value.dim() > 1:
            nn.init.xavier_uniform_(value)
        else:
            nn.init.uniform_(value, 0.5, 1.0) if key.endswith("weight") else nn.init.normal_(value, 0, 0.1)


goldens, tensors = {"described": {}, "numbers": {}}, {}
for name in VISION:
    with torch.device("meta"):
        goldens["described"][name] = describe(getattr(torchvision.models, name)())
for name, (build, inputs) in NUMBERS.items():
    torch.manual_seed(SEED)
    model = build().eval()
    golden = describe(model)
    if name != "vgg":  # whose weights were not drawn in their order
        golden["initial"] = crc(b"".join(v.contiguous().numpy().tobytes() for v in model.state_dict().values() if v.dtype == torch.float32))
    golden["next"] = torch.rand(1).item()
    draw(model)
    given = inputs()
    with torch.no_grad():
        result = model(*given) if len(given) == 1 else model(given[0], attention_mask=given[1])
    outputs = {"logits": result} if isinstance(result, torch.Tensor) else {
        key: value for key, value in result.items() if isinstance(value, torch.Tensor)
    }
    for key, value in outputs.items():
        tensors[f"{name}.{key}"] = value
    golden["outputs"] = list(outputs)
    goldens["numbers"][name] = golden
    print(name, {key: (tuple(value.shape), value.std().item()) for key, value in outputs.items()})
save_file({key: value.contiguous().clone() for key, value in tensors.items()}, out + ".safetensors")
json.dump(goldens, open(out + ".json", "w"), indent=1)
