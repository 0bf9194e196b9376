"""Checksums of every parameter of models that PyTorch initialises after a seed.

    python spec/oracle/initialisation.py    # writes spec/goldens/initialisation.json

A checksum is the CRC-32 of the float32 values' bytes, little-endian.
"""
import json, os, zlib
import torch, torchvision
from torch import nn

out = os.path.join(os.path.dirname(__file__), "..", "goldens", "initialisation.json")
BUILD = {
    "resnet18": lambda: torchvision.models.resnet18(),
    "transformer": lambda: nn.Transformer(d_model=32, nhead=4, num_encoder_layers=2, num_decoder_layers=2, dim_feedforward=64),
    "lstm": lambda: nn.LSTM(7, 9, num_layers=2, bidirectional=True, proj_size=4),
}
goldens = {}
for name, build in BUILD.items():
    for seed in (0, 123):
        torch.manual_seed(seed)
        state = build().state_dict()
        goldens[f"{name}-{seed}"] = {k: zlib.crc32(v.detach().contiguous().numpy().tobytes()) for k, v in state.items() if v.dtype == torch.float32}
        goldens[f"{name}-{seed}"]["next draw"] = torch.rand(1).item()
json.dump(goldens, open(out, "w"), indent=1)
print({k: len(v) for k, v in goldens.items()})
