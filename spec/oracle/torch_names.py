"""What torch.nn and its parts are called.

    python spec/oracle/torch_names.py    # writes spec/goldens/torch-names.json
"""

import json
import os

import torch
from torch import nn
from torch.nn import functional, init, utils

out = os.path.join(os.path.dirname(__file__), "..", "goldens", "torch-names.json")


def public(module):
    names = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
    return sorted(name for name in names if callable(getattr(module, name)))


more = ["Buffer", "DataParallel", "Parameter", "UninitializedBuffer", "UninitializedParameter"]
names = {
    "torch": torch.__version__.split("+")[0],
    "nn": sorted([*nn.modules.__all__, *more]),
    # Its __all__, where there is one, leaves out what is imported from C.
    "nn.functional": sorted(name for name in dir(functional) if not name.startswith("_") and callable(getattr(functional, name))),
    "nn.init": [name for name in public(init) if name[0].islower()],
    "nn.utils": public(utils),
    "nn.utils.rnn": public(utils.rnn),
    "nn.utils.parametrize": public(utils.parametrize),
    "nn.utils.parametrizations": public(utils.parametrizations),
}
with open(out, "w") as file:
    json.dump(names, file, indent=1)
    file.write("\n")
print({key: len(value) for key, value in names.items()})
