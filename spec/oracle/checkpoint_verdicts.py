"""Small files at the edges of their formats, with the verdicts of the real libraries: the values that
safetensors, torch.load and numpy.load read in them, or that they refuse them.

    python spec/oracle/checkpoint_verdicts.py    # writes spec/goldens/checkpoint-verdicts.json.gz
"""

import base64
import contextlib
import gzip
import json
import os
import tempfile
import warnings

import numpy as np
import torch
from torch import nn

from verdict_npy import npy_files
from verdict_npz import npz_files
from verdict_safetensors import safetensors_files
from verdict_torch import torch_files

OUT = os.path.join(os.path.dirname(__file__), "..", "goldens", "checkpoint-verdicts.json.gz")


def encode(data):
    return base64.b64encode(bytes(data)).decode()


def describe_array(array):
    """Values of PyTorch's dtypes; of numpy's others only that they are there."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "biufc" or size > (16 if kind == "c" else 8):
        return {"other": str(array.dtype), "shape": list(array.shape)}
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).reshape(array.shape)
    return {"dtype": str(little.dtype), "shape": list(array.shape), "data": encode(little.tobytes())}


def describe_tensor(tensor):
    if isinstance(tensor, nn.parameter.UninitializedTensorMixin):
        return {"other": "uninitialised", "shape": []}
    tensor = tensor.detach()
    if tensor.layout != torch.strided or tensor.is_nested or tensor.device.type == "meta":
        return {"other": str(tensor.layout), "shape": [] if tensor.is_nested else list(tensor.shape)}
    found = {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}
    if tensor.is_quantized:
        found["real"] = encode(tensor.dequantize().contiguous().numpy().tobytes())
        if tensor.dtype not in (torch.quint4x2, torch.quint2x4):
            tensor = tensor.int_repr()
    plain = tensor.resolve_conj().resolve_neg().contiguous()
    bits = {torch.quint4x2: 4, torch.quint2x4: 2}.get(plain.dtype, 8 * plain.element_size())
    begin = plain.storage_offset() * bits // 8
    data = bytes(plain.untyped_storage())[begin : begin + (plain.numel() * bits + 7) // 8]
    return {**found, "data": encode(data)}


def describe(value):
    """A state_dict's tensors and arrays; what else is in it is not compared."""
    found = {}
    for key, item in value.items():
        if isinstance(item, torch.Tensor):
            found[str(key)] = describe_tensor(item)
        elif isinstance(item, np.ndarray):
            found[str(key)] = describe_array(item)
    return found


def judge(kind, name, data, load, trusting=None):
    """With what is read by those who trust a file that `load` refuses."""
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.write(data)
        file.flush()
        try:
            verdict = {"state": describe(load(file.name))}
        except Exception as error:
            verdict = {"refused": f"{type(error).__name__}: {error}".split("\n")[0][:100]}
            if trusting is not None:
                with contextlib.suppress(Exception):
                    verdict["trusted"] = describe(trusting(file.name))
    return {"kind": kind, "name": name, "file": encode(data), **verdict}


def main():
    torch.manual_seed(0)
    files = [*safetensors_files(), *npy_files(), *npz_files(), *torch_files()]
    cases = [judge(*file) for file in files]
    with open(OUT, "wb") as file:
        file.write(gzip.compress(json.dumps(cases).encode(), mtime=0))
    for kind in ("safetensors", "npy", "npz", "pt"):
        mine = [case for case in cases if case["kind"] == kind]
        print(kind, len(mine), "files,", sum("refused" in case for case in mine), "refused")


if __name__ == "__main__":
    main()
