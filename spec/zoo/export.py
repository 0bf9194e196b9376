"""Exports models of torchvision and transformers with seeded random weights, and what they give.

    pip install torch torchvision transformers safetensors
    python export.py FOLDER [name ... | further | modules]

For each model, with a fixed and with a dynamic batch: `NAME.pt2` and `NAME.safetensors`, which holds
the inputs `in0`, `in1`, … and the outputs `out0`, …, flattened; `NAME.json` says how they nest, or why
torch.export refuses the model. Those of `further.py` and `modules.py` are exported when they are named.
"""
import json, logging, sys, time, warnings
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

import further
import modules

warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)
torch.set_num_threads(1)

TORCHVISION = [
    *["alexnet", "vgg11_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2"],
    *["squeezenet1_1", "densenet121", "inception_v3", "googlenet", "shufflenet_v2_x0_5"],
    *["mobilenet_v2", "mobilenet_v3_small", "mnasnet0_5", "efficientnet_b0", "efficientnet_v2_s"],
    *["regnet_y_400mf", "convnext_tiny", "swin_t", "swin_v2_t", "vit_b_16", "maxvit_t"],
    *["deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large", "fcn_resnet50", "r3d_18"],
    *["raft_small", "quantized_mobilenet_v2"],
]
# Small, where the model permits it.
SIZES = {"inception_v3": 96, "maxvit_t": 224, "vit_b_16": 32, "raft_small": 128, "r3d_18": 32}


def torchvision_model(name):
    import torchvision

    size = SIZES.get(name, 64)
    kwargs = {"weights": None}
    if name in ("googlenet", "inception_v3"):
        kwargs |= {"aux_logits": False, "init_weights": False}
    if name.startswith("vit_"):
        kwargs |= {"image_size": size}
    if name.startswith(("deeplab", "fcn", "lraspp")):
        kwargs |= {"weights_backbone": None}
    if name.startswith("quantized"):
        kwargs |= {"quantize": False}
    model = torchvision.models.get_model(name, **kwargs)
    if name == "raft_small":
        return model, {"image1": torch.rand(2, 3, size, size), "image2": torch.rand(2, 3, size, size)}
    if name == "r3d_18":
        return model, {"x": torch.rand(2, 3, 4, size, size)}
    return model, {"x": torch.rand(2, 3, size, size)}


def transformers_model(name):
    import transformers as t

    ids = torch.randint(1, 90, (2, 12))
    mask = torch.ones_like(ids)
    mask[0, 8:] = 0
    small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    if name == "bert":
        return t.BertModel(t.BertConfig(vocab_size=99, **small)), {"input_ids": ids, "attention_mask": mask}
    if name == "gpt2":
        model = t.GPT2LMHeadModel(t.GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4, n_positions=64))
        model.config.use_cache = False
        return model, {"input_ids": ids, "attention_mask": mask}
    if name == "vit":
        return t.ViTModel(t.ViTConfig(image_size=32, patch_size=8, **small)), {"pixel_values": torch.rand(2, 3, 32, 32)}
    if name == "whisper_encoder":
        config = t.WhisperConfig(
            vocab_size=99, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
            decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, num_mel_bins=16,
            max_source_positions=24, max_target_positions=24, pad_token_id=0, bos_token_id=1, eos_token_id=2,
            decoder_start_token_id=1,
        )
        return t.WhisperModel(config).get_encoder(), {"input_features": torch.rand(2, 16, 48)}
    if name == "t5":
        config = t.T5Config(vocab_size=99, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
        config.use_cache = False
        return t.T5Model(config), {"input_ids": ids, "attention_mask": mask, "decoder_input_ids": ids[:, :7]}
    if name == "wav2vec2":
        config = t.Wav2Vec2Config(
            vocab_size=32, conv_dim=(16, 16), conv_stride=(5, 2), conv_kernel=(10, 3), num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4, num_feat_extract_layers=2, **small,
        )
        return t.Wav2Vec2Model(config), {"input_values": torch.rand(2, 800)}
    raise SystemExit(f"no model {name}")


TRANSFORMERS = ["bert", "gpt2", "vit", "whisper_encoder", "t5", "wav2vec2"]


def random_weights(model):
    """As they are drawn; running statistics are made such that they matter."""
    for key, buffer in model.named_buffers():
        if key.endswith("running_mean"):
            buffer.uniform_(-0.1, 0.1)
        if key.endswith("running_var"):
            buffer.uniform_(0.8, 1.2)
    for parameter in model.parameters():
        # Layer scale and the like begin at 0 or near it, and would hide what they scale.
        if parameter.numel() > 1 and float(parameter.abs().max()) < 1e-5:
            parameter.data.uniform_(-0.1, 0.1)


def dtype_name(tensor):
    """What tfjs has for it."""
    if tensor.dtype == torch.bool:
        return "bool"
    return "float32" if tensor.is_floating_point() else "int32"


def nest(value, leaves):
    if isinstance(value, torch.Tensor):
        leaves.append(value)
        return {"$leaf": len(leaves) - 1, "dtype": dtype_name(value)}
    if isinstance(value, dict):
        return {key: nest(one, leaves) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [nest(one, leaves) for one in value]
    return value


def store(tensors, prefix):
    return {
        f"{prefix}{i}": (t.float() if t.is_floating_point() else t.to(torch.int32)).detach().contiguous().clone()
        for i, t in enumerate(tensors)
    }


def dynamic_shapes(args, kwargs, lengths):
    """The first dimension of every input may change; in further models also the length of a text."""
    def shape(key, tensor):
        dims = {0: torch.export.Dim.DYNAMIC}
        return dims | {1: torch.export.Dim.DYNAMIC} if key in lengths else dims

    if args:
        return tuple(shape(None, x) for x in args)
    return {key: shape(key, x) for key, x in kwargs.items()}


def larger(key, x, lengths):
    """Another batch and length than was exported with."""
    x = torch.cat([x, x[:1]])
    return torch.cat([x, x[:, :3]], 1) if key in lengths else x


def make(name):
    """A model, its inputs, and whether they are given by position."""
    for more in (further.MODELS, modules.MODELS):
        if name in more:
            return (*more[name](), False)
    if name in TRANSFORMERS:
        return (*transformers_model(name), False)
    return (*torchvision_model(name), True)


def run(folder, name, dynamic):
    """What torch.export says if it refuses, else None."""
    torch.manual_seed(0)
    model, inputs, positional = make(name)
    random_weights(model)
    model.eval()
    args, kwargs = (tuple(inputs.values()), {}) if positional else ((), inputs)
    stem = folder / f"{name}-{'dynamic' if dynamic else 'static'}"
    lengths = further.SEQUENCES if name in further.MODELS and name not in further.FIXED_LENGTH else ()
    described = Path(f"{stem}.json")
    with torch.no_grad():
        try:
            shapes = dynamic_shapes(args, kwargs, lengths) if dynamic else None
            program = torch.export.export(model, args, kwargs, dynamic_shapes=shapes)
            torch.export.save(program, f"{stem}.pt2")
        except Exception as error:
            described.write_text(json.dumps({"refused": f"{type(error).__name__}: {error}"}))
            return str(error)
        if dynamic:
            args = tuple(larger(None, x, lengths) for x in args)
            kwargs = {key: larger(key, x, lengths) for key, x in kwargs.items()}
        output = model(*args, **kwargs)
    inside, outside = [], []
    nested = {"args": nest(list(args), inside), "kwargs": nest(kwargs, inside), "output": nest(output, outside)}
    described.write_text(json.dumps(nested | {"versions": VERSIONS}))
    save_file(store(inside, "in") | store(outside, "out"), f"{stem}.safetensors")
    return None


VERSIONS = {name: version(name) for name in ("torch", "torchvision", "transformers")}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    names = sys.argv[2:] or TORCHVISION + TRANSFORMERS
    if names == ["further"]:
        names = list(further.MODELS)
    if names == ["modules"]:
        names = list(modules.MODELS)
    for name in names:
        for dynamic in (False,) if name in modules.MODELS else (False, True):
            begin = time.time()
            refused = run(folder, name, dynamic)
            said = f"REFUSED {refused.splitlines()[0][:300]}" if refused else f"{time.time() - begin:.1f} s"
            print(name, "dynamic" if dynamic else "static", said, flush=True)
