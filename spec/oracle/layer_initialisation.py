"""Checksums of the parameters of every layer that has some, initialised after a seed.

    python spec/oracle/layer_initialisation.py    # writes spec/goldens/layer-initialisation.json

A checksum is the CRC-32 of the float32 values' bytes, little-endian.
"""

import json
import os
import zlib

import torch
from torch import nn

from golden import Goldens

out = os.path.join(os.path.dirname(__file__), "..", "goldens", "layer-initialisation.json")
goldens = Goldens()
cases = []


def add(cls, *args, **kwargs):
    seed = 1000 + len(cases)
    torch.manual_seed(seed)
    module = cls(*args, **kwargs)
    next_draw = torch.rand(1).item()
    if cls in (nn.RNN, nn.LSTM, nn.GRU):
        positional, options = list(args), kwargs
    else:
        positional, options = goldens.bind(cls.__init__, args, kwargs, "", [None])
    state = {name: zlib.crc32(value.contiguous().numpy().tobytes()) for name, value in module.state_dict().items() if value.dtype == torch.float32}
    cases.append({"module": cls.__name__, "args": positional, "options": options, "seed": seed, "state": state, "next": next_draw})


for bias in (True, False):
    add(nn.Linear, 7, 5, bias=bias)
    add(nn.Bilinear, 3, 4, 5, bias=bias)
    for d in (1, 2, 3):
        add(getattr(nn, f"Conv{d}d"), 4, 6, 3, groups=2, bias=bias)
        add(getattr(nn, f"ConvTranspose{d}d"), 4, 6, 3, groups=2, bias=bias)
    for cls in (nn.RNN, nn.LSTM, nn.GRU):
        add(cls, 3, 5, num_layers=2, bidirectional=True, bias=bias)
    for cls in (nn.RNNCell, nn.LSTMCell, nn.GRUCell):
        add(cls, 3, 5, bias=bias)
    add(nn.MultiheadAttention, 8, 2, bias=bias)
    add(nn.TransformerEncoderLayer, 8, 2, dim_feedforward=16, bias=bias)
    add(nn.TransformerDecoderLayer, 8, 2, dim_feedforward=16, bias=bias)
    add(nn.LayerNorm, [3, 4], bias=bias)
    add(nn.LinearCrossEntropyLoss, 3, 5, bias=bias)
    add(nn.AdaptiveLogSoftmaxWithLoss, 8, 20, [4, 10], head_bias=bias)
add(nn.LSTM, 3, 5, proj_size=2)
add(nn.RNN, 3, 5, nonlinearity="relu")
add(nn.MultiheadAttention, 8, 2, kdim=3, vdim=5, add_bias_kv=True)
add(nn.Transformer, d_model=8, nhead=2, num_encoder_layers=1, num_decoder_layers=2, dim_feedforward=16)
for d in (1, 2, 3):
    add(getattr(nn, f"BatchNorm{d}d"), 3)
    add(getattr(nn, f"InstanceNorm{d}d"), 3, affine=True)
add(nn.SyncBatchNorm, 3)
add(nn.GroupNorm, 2, 4)
add(nn.RMSNorm, 4)
add(nn.PReLU, num_parameters=3, init=0.5)
add(nn.Embedding, 9, 20)
add(nn.Embedding, 9, 3, padding_idx=2)
add(nn.EmbeddingBag, 9, 3, padding_idx=-1)

with open(out, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
