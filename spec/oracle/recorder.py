"""Calls of torch.nn.functional, recorded in the form that the specs replay.

Import this before anything that takes functions out of torch.nn.functional: each of them is replaced
by one that, while `recording`, remembers the outermost call with what it gave, or with its error.
"""

import functools
import inspect
import json
import math
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

# What PyTorch does not say of functions that are written in C++: required arguments, defaults.
BUILTIN = {
    "adaptive_avg_pool1d": "input, output_size",
    "avg_pool1d": "input, kernel_size, stride=(), padding=0, ceil_mode=False, count_include_pad=True",
    "bilinear": "input1, input2, weight, bias=None",
    "channel_shuffle": "input, groups",
    "conv_tbc": "input, weight, bias, pad=0",
    "cosine_similarity": "x1, x2, dim=1, eps=1e-8",
    "gelu": "input, approximate='none'",
    "hardshrink": "input, lambd=0.5",
    "linear": "input, weight, bias=None",
    "logsigmoid": "input",
    "one_hot": "tensor, num_classes=-1",
    "pairwise_distance": "x1, x2, p=2.0, eps=1e-6, keepdim=False",
    "pdist": "input, p=2.0",
    "pixel_shuffle": "input, upscale_factor",
    "pixel_unshuffle": "input, downscale_factor",
    "prelu": "input, weight",
    "scaled_dot_product_attention": "query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False",
    "softplus": "input, beta=1.0, threshold=20.0",
    "softshrink": "input, lambd=0.5",
}
CONV = "input, weight, bias=None, stride=1, padding=0, "
POOL = "input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None"
BUILTIN |= {f"conv{n}d": CONV + "dilation=1, groups=1" for n in (1, 2, 3)}
BUILTIN |= {f"conv_transpose{n}d": CONV + "output_padding=0, groups=1, dilation=1" for n in (1, 2, 3)}
BUILTIN |= {f"avg_pool{n}d": POOL for n in (2, 3)}
DROPPED = {"inplace", "_stacklevel", "out", "size_average", "reduce"}
RANDOM = {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "rrelu"}
RANDOM |= {"multi_head_attention_forward", "gumbel_softmax", "fractional_max_pool2d", "fractional_max_pool3d", "scaled_dot_product_attention"}
STORED = {torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.int16, torch.int8, torch.bool}
tensors, cases = {}, []
state = {"recording": None, "depth": 0}


class Unsupported(Exception):
    """What tfjs has no type for, or what a case cannot hold."""


def signature(name, function):
    if name in BUILTIN:
        return inspect.signature(eval(f"lambda {BUILTIN[name]}: None"))
    if hasattr(F, name + "_with_indices"):
        return inspect.signature(originals[name + "_with_indices"])
    return inspect.signature(function)


def store(key, value, strict=False):
    value = value.detach()
    if value.dtype not in STORED or (strict and value.dtype == torch.float64):
        raise Unsupported(value.dtype)
    if value.layout != torch.strided or value.device.type != "cpu":
        raise Unsupported("layout")
    if value.dtype == torch.float64:
        value = value.to(torch.float32)
    elif value.dtype not in (torch.float32, torch.bool):
        value = value.to(torch.int32)
    tensors[key] = value.contiguous().clone()
    return {"$tensor": key}


def encode(key, value, strict=False):
    if isinstance(value, torch.Tensor):
        return store(key, value, strict)
    if isinstance(value, (tuple, list)):
        return [encode(f"{key}.{i}", one, strict) for i, one in enumerate(value)]
    if isinstance(value, float) and math.isinf(value):
        return {"$inf": 1 if value > 0 else -1}
    if isinstance(value, float) and math.isnan(value):
        return {"$nan": True}
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if callable(value) and hasattr(F, getattr(value, "__name__", "")):
        return {"$function": value.__name__}
    raise Unsupported(type(value))


def bind(name, function, args, kwargs, key, strict):
    bound = signature(name, function).bind(*args, **kwargs).arguments
    positional, options = [], {}
    for parameter in signature(name, function).parameters.values():
        if parameter.name in DROPPED:
            if bound.get(parameter.name) is not None and parameter.name in ("size_average", "reduce"):
                raise Unsupported("legacy reduction")
            continue
        if parameter.default is parameter.empty and parameter.kind != parameter.KEYWORD_ONLY:
            positional.append(encode(f"{key}.{parameter.name}", bound[parameter.name], strict))
        elif parameter.name in bound and bound[parameter.name] is not None:
            options[parameter.name] = encode(f"{key}.{parameter.name}", bound[parameter.name], strict)
    return positional, options


def double(value):
    return value.double() if isinstance(value, torch.Tensor) and value.dtype == torch.float32 else value


def record(name, function, args, kwargs):
    prefix = state["recording"]
    key = f"{prefix}{name}/{sum(case['function'] == name for case in cases)}"
    expects_error = state.get("error", False)
    case = {"id": key, "function": name}
    try:
        case["args"], case["options"] = bind(name, function, args, kwargs, key, expects_error)
    except (Unsupported, TypeError):
        case = None
    if case and name in RANDOM:
        case["seed"] = len(cases)
    if state.get("double"):
        args, kwargs = [double(one) for one in args], {key: double(one) for key, one in kwargs.items()}
    state["depth"] += 1
    try:
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(len(cases))
            output = function(*args, **kwargs)
    except Exception as error:
        if case and expects_error:
            cases.append({**case, "error": str(error).split("\n")[0][:300]})
        raise
    finally:
        state["depth"] -= 1
    if case and not expects_error:
        try:
            cases.append({**case, "output": encode(key + ".out", output)})
        except Unsupported:
            pass
    return output


def recorder(name, function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        if state["recording"] is None or state["depth"]:
            return function(*args, **kwargs)
        return record(name, function, args, kwargs)

    return call


originals = {
    name: getattr(F, name)
    for name in dir(F)
    if not name.startswith("_") and not name.endswith("_") and not inspect.isclass(getattr(F, name))
    and callable(getattr(F, name)) and "torch_function" not in name and not name.endswith("_with_indices")
}
originals |= {name: getattr(F, name) for name in dir(F) if name.endswith("_with_indices")}
for _name, _function in originals.items():
    if not _name.endswith("_with_indices") and _name not in ("boolean_dispatch", "Optional", "handle_torch_function"):
        setattr(F, _name, recorder(_name, _function))


class recording:
    """While inside, calls of torch.nn.functional become cases; with `error` those that fail.

    With `double` they are computed in float64, where PyTorch's float32 is too coarse to be a measure.
    """

    def __init__(self, prefix="", error=False, double=False):
        self.prefix, self.error, self.double = prefix, error, double

    def __enter__(self):
        state.update(recording=self.prefix, error=self.error, double=self.double, depth=0)

    def __exit__(self, *_):
        state.update(recording=None, error=False)


def keys_of(value):
    if isinstance(value, dict):
        return [value["$tensor"]] if "$tensor" in value else [k for one in value.values() for k in keys_of(one)]
    return [k for one in value for k in keys_of(one)] if isinstance(value, list) else []


def size(case):
    """How many numbers a case holds."""
    return sum(tensors[key].numel() for key in keys_of(list(case.values())))


def renamed(value, names):
    if isinstance(value, dict):
        return {"$tensor": names[value["$tensor"]]} if "$tensor" in value else {k: renamed(v, names) for k, v in value.items()}
    return [renamed(one, names) for one in value] if isinstance(value, list) else value


def save(out, kept):
    """Writes the cases, and their tensors under short names, equal ones once."""
    names, contents = {}, {}
    for key in [key for case in kept for key in keys_of(list(case.values()))]:
        value = tensors[key]
        content = (str(value.dtype), tuple(value.shape), value.numpy().tobytes())
        names[key] = contents.setdefault(content, str(len(contents)))
    save_file({names[key]: tensors[key] for key in names}, out + ".safetensors")
    kept = [renamed(case, names) for case in kept]
    os.chmod(out + ".safetensors", 0o644)
    with open(out + ".json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in kept) + "\n]\n")
    print(len(kept), "cases of", len({case["function"] for case in kept}), "functions")
