"""Attention as PyTorch's own operator suite samples it, and at its edges.

    python spec/oracle/functional_attention.py    # writes spec/goldens/functional-attention.*
    python spec/oracle/functional_attention.py --all --seed 1 --out /tmp/functional-attention

--all keeps every sample of the suite without dropout, else every few.
"""

import argparse
import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.testing._internal import common_utils
from torch.testing._internal.common_methods_invocations import op_db

here = os.path.dirname(__file__)
parser = argparse.ArgumentParser()
parser.add_argument("--out", default=os.path.join(here, "..", "goldens", "functional-attention"))
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--all", action="store_true")
arguments = parser.parse_args()
# PyTorch's operator suite seeds itself, again and again; 0 leaves it its own seed.
common_utils.SEED = arguments.seed or common_utils.SEED

tensors, cases = {}, []


def encode(key, value):
    if isinstance(value, torch.Tensor):
        tensors[key] = value.detach().contiguous().clone()
        return {"$tensor": key}
    if isinstance(value, (tuple, list)):
        return [encode(f"{key}.{i}", one) for i, one in enumerate(value)]
    return value


def add(name, args, options):
    key = f"{name}/{sum(case['function'] == name for case in cases)}"
    with torch.no_grad():
        output = getattr(F, name)(*args, **options)
    cases.append({
        "id": key,
        "function": name,
        "args": encode(key + ".in", args),
        "options": {option: encode(f"{key}.{option}", value) for option, value in options.items() if value is not None},
        "output": encode(key + ".out", output),
    })


def suite(name, step):
    info = next(op for op in op_db if op.name == "nn.functional." + name)
    samples = info.sample_inputs("cpu", torch.float32, requires_grad=False)
    plain = [s for s in samples if not s.kwargs.get("dropout_p") and not s.kwargs.get("training")]
    for sample in plain[::1 if arguments.all else step]:
        add(name, [sample.input, *sample.args], sample.kwargs)


def r(*shape):
    return torch.randn(*shape)


def edges():
    q, k, v = r(2, 4, 3, 8), r(2, 4, 5, 8), r(2, 4, 5, 6)
    keep = torch.rand(3, 5) > 0.4
    keep[1] = False
    least = torch.zeros(3, 5).masked_fill(~keep, torch.finfo(torch.float32).min)
    options = [{"attn_mask": keep}, {"attn_mask": torch.zeros(3, 5).masked_fill(~keep, -torch.inf)}]
    options += [{"attn_mask": least}, {"attn_mask": torch.rand(2, 1, 3, 5) > 0.4}, {"attn_mask": r(4, 1, 5)}]
    options += [{"attn_mask": r(3, 1)}, {"scale": 0.0}, {"scale": 2.5}, {"is_causal": True}]
    calls = [([q, k, v], option) for option in options]
    calls += [([r(6, 3, 8), r(6, 5, 8), r(6, 5, 8)], {"attn_mask": keep}), ([r(3, 8), r(5, 8), r(5, 4)], {})]
    calls += [([r(2, 6, 3, 8), r(2, 3, 5, 8), r(2, 2, 5, 8)], {"enable_gqa": True, "is_causal": True})]
    calls += [([r(2, 3, 2, 4, 8), r(2, 3, 2, 5, 8), r(2, 1, 2, 5, 8)], {"attn_mask": r(2, 1, 1, 4, 5)})]
    calls += [([q * 1e4, k, v], {}), ([q, k, v * 1e4], {}), ([r(1, 2, 3, 4), r(1, 2, 0, 4), r(1, 2, 0, 4)], {})]
    calls += [([r(0, 2, 3, 4), r(0, 2, 5, 4), r(0, 2, 5, 4)], {}), ([r(1, 1, 1, 1), r(1, 1, 1, 1), r(1, 1, 1, 1)], {})]
    for args, option in calls:
        add("scaled_dot_product_attention", args, option)


def heads():
    e, h, n, l, s = 8, 2, 2, 3, 5
    ignored = torch.tensor([[False, False, True, False, True], [True] * 5])
    hidden = torch.rand(l, s) > 0.6
    causal = torch.nn.Transformer.generate_square_subsequent_mask(l)
    common = {"training": False}
    weights = [e, h, r(3 * e, e), r(3 * e)]
    end = [r(e, e), r(e)]
    for bias, zero in ((None, False), (r(1, 1, e), True), (r(e), False)):
        for options in (
            {"key_padding_mask": ignored}, {"key_padding_mask": ignored, "need_weights": False},
            {"attn_mask": hidden, "average_attn_weights": False}, {"attn_mask": r(n * h, l, s), "need_weights": False},
            {"attn_mask": hidden, "key_padding_mask": ignored},
            {"attn_mask": r(l, s), "key_padding_mask": torch.zeros(n, s).masked_fill(ignored, -torch.inf)},
        ):
            args = [r(l, n, e), r(s, n, e), r(s, n, e), *weights, bias, bias, zero, 0.3, *end]
            add("multi_head_attention_forward", args, {**common, **options})
        x = r(l, n, e)
        for needs in (True, False):
            options = {"attn_mask": causal, "is_causal": True, "need_weights": needs}
            add("multi_head_attention_forward", [x, x, x, *weights, bias, bias, zero, 0.0, *end], {**common, **options})
    static = {"static_k": r(n * h, s, e // h), "static_v": r(n * h, s, e // h)}
    args = [r(l, n, e), r(s, n, e), r(s, n, e), *weights, None, None, True, 0.0, r(e, e), None]
    add("multi_head_attention_forward", args, {**common, **static, "key_padding_mask": ignored})
    apart = {"use_separate_proj_weight": True, "q_proj_weight": r(e, e), "k_proj_weight": r(e, 3), "v_proj_weight": r(e, 5)}
    args = [r(l, e), r(s, 3), r(s, 5), e, h, None, None, None, None, False, 0.0, *end]
    add("multi_head_attention_forward", args, {**common, **apart, "key_padding_mask": ignored[0], "attn_mask": r(h, l, s)})


torch.manual_seed(arguments.seed)
suite("scaled_dot_product_attention", 2)
suite("multi_head_attention_forward", 9)
edges()
heads()
save_file(tensors, arguments.out + ".safetensors")
with open(arguments.out + ".json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
