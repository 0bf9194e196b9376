"""What the oracles share: cases of modules and functions as JSON, their tensors as safetensors."""

import inspect
import json
import math

import torch
from safetensors.torch import save_file

# Given by position, though PyTorch has defaults for them.
POSITIONAL = {"hx"}
# How much PyTorch computes at a time, or where, is not ours.
DROPPED = {"device", "dtype", "inplace", "options"}


class Goldens:
    """Cases, and the tensors that they name."""

    def __init__(self):
        self.cases, self.tensors, self.skipped = [], {}, []

    def encode(self, key, value):
        if isinstance(value, torch.Tensor):
            value = value.detach()
            narrow = {torch.int64: torch.int32, torch.uint8: torch.int32, torch.float64: torch.float32}
            self.tensors[key] = value.to(narrow.get(value.dtype, value.dtype)).contiguous().clone()
            return {"$tensor": key}
        if isinstance(value, torch.nn.Module):
            return {"$module": {"module": type(value).__name__, "args": [], "options": {}}}
        if isinstance(value, (list, tuple, torch.Size)):
            return [self.encode(f"{key}.{i}", one) for i, one in enumerate(value)]
        if isinstance(value, float) and math.isinf(value):
            return {"$inf": 1 if value > 0 else -1}
        if callable(value) and not hasattr(torch.nn.functional, value.__name__):
            raise TypeError(f"no function {value.__name__}")
        return {"$function": value.__name__} if callable(value) else value

    def bind(self, function, args, kwargs, key, first):
        """Required arguments by position, the others by name."""
        signature = inspect.signature(function)
        bound = signature.bind(*first, *args, **kwargs).arguments
        positional, options = [], {}
        for parameter in list(signature.parameters.values())[len(first):]:
            name = parameter.name
            if name not in bound or name in DROPPED:
                continue
            value = self.encode(f"{key}.{name}", bound[name])
            if parameter.default is parameter.empty or name in POSITIONAL:
                positional.append(value)
            elif value is not None:
                options[name] = value
        return positional, options

    def module(self, key, cls, args, kwargs, inputs, options=None, seed=0):
        torch.manual_seed(seed)
        if kwargs.get("options") is not None:
            return  # its repr shows them
        kwargs = {name: value for name, value in kwargs.items() if name not in DROPPED}
        try:
            module = cls(*args, **kwargs).eval()
            built, named = self.bind(cls.__init__, args, kwargs, key + ".init", [None])
            given, called = self.bind(cls.forward, inputs, options or {}, key + ".in", [None])
            output = module(*inputs, **(options or {}))
        except Exception as error:
            self.skipped.append(f"{key}: {error}")
            return
        self.cases.append({
            "id": key, "module": cls.__name__, "args": built, "options": named, "repr": repr(module), "training": False,
            "state": {name: self.encode(f"{key}.state.{name}", value) for name, value in module.state_dict().items()},
            "inputs": given, "forward_options": called, "output": self.encode(key + ".out", output),
        })

    def function(self, key, name, args, kwargs):
        function = getattr(torch.nn.functional, name)
        try:
            try:
                given, named = self.bind(function, args, kwargs, key, [])
            except ValueError:  # a built-in tells no signature: its options are those given by name
                given = self.encode(key + ".in", list(args))
                named = {option: self.encode(f"{key}.{option}", value) for option, value in kwargs.items()}
            output = function(*args, **kwargs)
        except Exception as error:
            self.skipped.append(f"{key}: {error}")
            return
        self.cases.append({
            "id": key, "function": name, "args": given, "options": named, "output": self.encode(key + ".out", output),
        })

    def write(self, out):
        used = set()

        def collect(value):
            if isinstance(value, dict):
                used.update([value["$tensor"]] if "$tensor" in value else [])
                value = list(value.values())
            for one in value if isinstance(value, list) else []:
                collect(one)

        collect(self.cases)
        save_file({key: self.tensors[key] for key in sorted(used)}, out + ".safetensors")
        with open(out + ".json", "w") as file:
            file.write("[\n" + ",\n".join(json.dumps(case) for case in self.cases) + "\n]\n")
        print(f"{len(self.cases)} cases; skipped {len(self.skipped)}", *self.skipped[:20], sep="\n  ")
