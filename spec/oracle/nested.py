"""Encoders over sequences of several lengths, whose ends PyTorch leaves out in inference.

    python spec/oracle/nested.py    # writes spec/goldens/nested.json
"""

import json
import math
import os

import torch
from torch import nn

BOOL = [[0, 0, 1], [0, 0, 0]]
CASES = [
    ("what is ignored follows all others", BOOL, {}),
    ("all rows end early", [[0, 1, 1], [0, 0, 1]], {"norm": True}),
    ("a row is ignored from its beginning", [[1, 1, 1], [0, 0, 0]], {}),
    ("what is ignored lies between", [[0, 1, 0], [0, 0, 1]], {}),
    ("nothing is ignored", [[0, 0, 0], [0, 0, 0]], {}),
    ("the mask is of floats", [[0.0, 0.0, -math.inf], [0.0, 0.0, 0.0]], {}),
    ("the mask is of floats and ignores between", [[0.0, -math.inf, 0.0], [0.0, 0.0, 0.0]], {}),
    ("the activation is gelu", BOOL, {"activation": "gelu"}),
    ("the number of heads is odd", BOOL, {"nhead": 1}),
    ("norms come first", BOOL, {"norm_first": True}),
    ("there is no bias", BOOL, {"bias": False}),
    ("batches are second", BOOL, {"batch_first": False}),
    ("there is another mask", BOOL, {"mask": True}),
    ("nested tensors are turned off", BOOL, {"enable_nested_tensor": False}),
]

cases = []
for name, padding, options in CASES:
    torch.manual_seed(0)
    given = dict(options)
    norm = nn.LayerNorm(4) if given.pop("norm", False) else None
    mask = torch.zeros(3, 3) if given.pop("mask", False) else None
    enable = given.pop("enable_nested_tensor", True)
    layer = nn.TransformerEncoderLayer(4, given.pop("nhead", 2), 4, batch_first=given.pop("batch_first", True), **given)
    model = nn.TransformerEncoder(layer, 2, norm=norm, enable_nested_tensor=enable).eval()
    if norm is not None:
        nn.init.ones_(norm.bias)
    x = torch.randn(2, 3, 4)
    if not layer.self_attn.batch_first:
        x = x.transpose(0, 1)
    isFloat = isinstance(padding[0][0], float)
    padding = torch.tensor(padding, dtype=torch.float32 if isFloat else torch.bool)
    with torch.no_grad():
        y = model(x, mask=mask, src_key_padding_mask=padding)
    cases.append({
        "name": name, "options": options, "dtype": "float32" if isFloat else "bool",
        "padding": [-1e39 if v == -math.inf else v for v in padding.float().flatten().tolist()], "shape": list(y.shape), "values": y.flatten().tolist(),
    })
json.dump(cases, open(os.path.join(os.path.dirname(__file__), "..", "goldens", "nested.json"), "w"))
