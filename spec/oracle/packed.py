"""Recurrent layers over packed sequences.

    python spec/oracle/packed.py    # writes spec/goldens/packed.json
"""

import json
import os

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

cases = []
for name, make in {
    "LSTM": lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2),
    "GRU": lambda: nn.GRU(3, 4, batch_first=True),
    "RNN": lambda: nn.RNN(3, 4, bidirectional=True, nonlinearity="relu"),
}.items():
    for lengths in ([5, 3, 2], [2, 5, 3]):
        torch.manual_seed(3)
        model = make().eval()
        first = model.batch_first
        x = torch.rand(*((3, 6) if first else (6, 3)), 3)
        initial = {"LSTM": [(4, 3, 2), (4, 3, 4)], "GRU": [(1, 3, 4)], "RNN": [(2, 3, 4)]}[name]
        initial = [torch.rand(*shape) for shape in initial]
        with torch.no_grad():
            packed = pack_padded_sequence(x, lengths, batch_first=first, enforce_sorted=lengths[0] == 5)
            # The sorted ones start from 0, the others from a state of their own.
            start = None if lengths[0] == 5 else tuple(initial) if name == "LSTM" else initial[0]
            output, state = model(packed, start)
            padded, sizes = pad_packed_sequence(output, batch_first=first, padding_value=-1.0, total_length=6)
        states = list(state) if isinstance(state, tuple) else [state]
        cases.append({
            "name": name, "lengths": lengths, "initial": [] if start is None else [list(s.shape) for s in initial], "data": packed.data.flatten().tolist(),
            "batchSizes": packed.batch_sizes.tolist(),
            "sortedIndices": None if packed.sorted_indices is None else packed.sorted_indices.tolist(),
            "unsortedIndices": None if packed.unsorted_indices is None else packed.unsorted_indices.tolist(),
            "padded": padded.flatten().tolist(), "shape": list(padded.shape), "sizes": sizes.tolist(),
            "states": [s.flatten().tolist() for s in states],
        })
json.dump(cases, open(os.path.join(os.path.dirname(__file__), "..", "goldens", "packed.json"), "w"))
