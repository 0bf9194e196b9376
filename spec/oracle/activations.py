"""Every activation at the edges, as PyTorch computes it.

    python spec/oracle/activations.py    # writes spec/goldens/activations.json
"""

import json
import math
import os

import torch
from torch.nn import functional as F

X = [-1e4, -100, -20, -6, -3, -1, -0.5, -1e-3, -1e-8, -0.0, 0.0, 1e-8, 1e-3, 0.5, 1, 3, 6, 20, 100, 1e4,
     math.inf, -math.inf, math.nan]
# ours, PyTorch's, options of both
CASES = [
    ("sigmoid", torch.sigmoid, {}), ("tanh", torch.tanh, {}), ("relu", F.relu, {}), ("relu6", F.relu6, {}),
    ("hardtanh", F.hardtanh, {}), ("hardtanh", F.hardtanh, {"min_val": -2.0, "max_val": 0.25}),
    ("leakyRelu", F.leaky_relu, {}), ("leakyRelu", F.leaky_relu, {"negative_slope": -0.5}),
    ("elu", F.elu, {}), ("elu", F.elu, {"alpha": 2.5}), ("celu", F.celu, {}), ("celu", F.celu, {"alpha": 2.5}),
    ("selu", F.selu, {}), ("silu", F.silu, {}), ("mish", F.mish, {}), ("softsign", F.softsign, {}),
    ("softplus", F.softplus, {}), ("softplus", F.softplus, {"beta": 3.0, "threshold": 5.0}),
    ("logsigmoid", F.logsigmoid, {}), ("tanhshrink", F.tanhshrink, {}), ("hardsigmoid", F.hardsigmoid, {}),
    ("hardswish", F.hardswish, {}), ("hardshrink", F.hardshrink, {}), ("softshrink", F.softshrink, {}),
    ("gelu", F.gelu, {}), ("gelu", F.gelu, {"approximate": "tanh"}), ("rrelu", F.rrelu, {}),
]


def encode(x):
    return x if math.isfinite(x) else str(x)


def expected(name, fn, options):
    output = fn(torch.tensor(X), **options)
    if name == "gelu" and not options:
        # PyTorch's vector code gives NaN for infinity, its scalar code (for what is left over) does not.
        output[X.index(math.inf)] = math.inf
    return [encode(y) for y in output.tolist()]


cases = [
    {"name": name, "options": options, "output": expected(name, fn, options)}
    for name, fn, options in CASES
]
out = os.path.join(os.path.dirname(__file__), "..", "goldens", "activations.json")
json.dump({"input": [encode(x) for x in X], "cases": cases}, open(out, "w"), indent=0)
