"""Lazy modules before and after their first call, and loaded from a state_dict.

    python spec/oracle/lazy.py    # writes spec/goldens/lazy.*
"""

import os

import torch
from torch import nn

from golden import Goldens

out = os.path.join(os.path.dirname(__file__), "..", "goldens", "lazy")
goldens = Goldens()
r = torch.randn


def add(cls, args, kwargs, x):
    key = f"{cls.__name__}/{len(goldens.cases)}"
    torch.manual_seed(len(goldens.cases))
    module = cls(*args, **kwargs).eval()
    case = {"id": key, "module": cls.__name__, "seed": len(goldens.cases)}
    case["args"], case["options"] = goldens.bind(cls.__init__, args, kwargs, key, [None])
    case["before"], case["keys"] = repr(module), list(module.state_dict())
    case["input"] = goldens.encode(key + ".in", x)
    with torch.no_grad():
        module(x)
        case["after"] = repr(module)
        # What the seed gives, and then something that a mistake shows on.
        case["fresh"] = {name: goldens.encode(f"{key}.fresh.{name}", value.clone()) for name, value in module.state_dict().items()}
        for name, value in module.state_dict().items():
            if value.dtype == torch.float32:
                value.uniform_(0.5, 1.5)
        case["state"] = {name: goldens.encode(f"{key}.state.{name}", value) for name, value in module.state_dict().items()}
        case["output"] = goldens.encode(key + ".out", module(x))
    goldens.cases.append(case)


add(nn.LazyLinear, (4,), {}, r(2, 3))
add(nn.LazyLinear, (4,), {"bias": False}, r(3))
for d in (1, 2, 3):
    size = [5] * d
    conv, transposed = getattr(nn, f"LazyConv{d}d"), getattr(nn, f"LazyConvTranspose{d}d")
    add(conv, (4, 3), {}, r(2, 3, *size))
    add(conv, (4, 2), {"bias": False, "groups": 2, "padding": 1}, r(2, *size))
    add(transposed, (4, 3), {}, r(1, 3, *size))
    add(transposed, (4, 2), {"groups": 2, "stride": 2, "output_padding": 1}, r(2, *size))
    batch, instance = getattr(nn, f"LazyBatchNorm{d}d"), getattr(nn, f"LazyInstanceNorm{d}d")
    add(batch, (), {}, r(2, 3, *size))
    add(batch, (), {"affine": False, "eps": 0.1}, r(2, 3, *size))
    add(instance, (), {}, r(2, 3, *size))
    add(instance, (), {"track_running_stats": False, "bias": False}, r(2, 3, *size))
goldens.write(out)
