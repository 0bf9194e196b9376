"""Weight norm and spectral norm in both of their forms: keys, repr, numbers, and without them again.

    python spec/oracle/parametrizations.py    # writes spec/goldens/parametrizations.*
"""

import os
import warnings

import torch
from torch import nn
from torch.nn import utils

from golden import Goldens

warnings.filterwarnings("ignore")
out = os.path.join(os.path.dirname(__file__), "..", "goldens", "parametrizations")
goldens = Goldens()
r = torch.randn
STYLES = {
    "weightNorm": (utils.weight_norm, utils.remove_weight_norm),
    "spectralNorm": (utils.spectral_norm, utils.remove_spectral_norm),
    "parametrizations.weightNorm": (utils.parametrizations.weight_norm, utils.parametrize.remove_parametrizations),
    "parametrizations.spectralNorm": (utils.parametrizations.spectral_norm, utils.parametrize.remove_parametrizations),
}


def add(style, cls, args, options, inputs, kwargs, training=False):
    apply, remove = STYLES[style]
    key = f"{style}/{cls.__name__}{len(goldens.cases)}"
    torch.manual_seed(len(goldens.cases))
    module = apply(cls(*args, **kwargs), **options).train(training)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            # Lengths and estimates that differ from those of the start, as after training.
            if name.endswith(("_g", "original0", "bias")):
                value.uniform_(0.5, 1.5)
    case = {"id": key, "style": style, "module": cls.__name__, "training": training}
    case["args"], case["options"] = goldens.bind(cls.__init__, args, kwargs, key, [None]) if cls is not nn.LSTM else (list(args), kwargs)
    case["norm"] = options
    case["repr"], case["keys"] = repr(module), list(module.state_dict())
    case["state"] = {name: goldens.encode(f"{key}.state.{name}", value) for name, value in module.state_dict().items()}
    case["inputs"] = goldens.encode(key + ".in", list(inputs))
    with torch.no_grad():
        case["output"] = goldens.encode(key + ".out", module(*inputs))
    case["after"] = {name: goldens.encode(f"{key}.after.{name}", value) for name, value in module.state_dict().items()}
    name = options.get("name", "weight")
    remove(module.eval(), name)
    case["removed"] = {"repr": repr(module), "keys": list(module.state_dict()), "weight": goldens.encode(key + ".weight", getattr(module, name))}
    goldens.cases.append(case)


for style in STYLES:
    add(style, nn.Linear, (3, 5), {}, [r(2, 3)], {})
    add(style, nn.Conv2d, (4, 6, 3), {}, [r(1, 4, 5, 5)], {"padding": 1, "groups": 2, "bias": False})
    add(style, nn.Conv1d, (2, 3, 3), {"dim": 1}, [r(1, 2, 7)], {})
    add(style, nn.ConvTranspose1d, (3, 2, 4), {}, [r(2, 3, 6)], {"stride": 2})
    add(style, nn.Embedding, (6, 3), {}, [torch.tensor([1, 5, 0])], {})
    add(style, nn.LSTM, (3, 4), {"name": "weight_hh_l0"}, [r(5, 3)], {})
for style in ("weightNorm", "parametrizations.weightNorm"):
    add(style, nn.Linear, (3, 5), {"dim": None}, [r(2, 3)], {})
    add(style, nn.Conv2d, (2, 3, 2), {"dim": 3}, [r(1, 2, 4, 4)], {})
for style in ("spectralNorm", "parametrizations.spectralNorm"):
    add(style, nn.Linear, (3, 5), {"n_power_iterations": 3}, [r(2, 3)], {}, training=True)
    add(style, nn.Conv2d, (4, 6, 3), {"eps": 1e-3}, [r(1, 4, 5, 5)], {}, training=True)
add("parametrizations.spectralNorm", nn.LayerNorm, (4,), {}, [r(2, 4)], {})
goldens.write(out)
