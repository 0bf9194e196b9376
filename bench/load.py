"""Beside bench/load.ts: writes the file in PyTorch's formats, and times Python's own readers.

python load.py make MODEL.safetensors FOLDER    .pt, legacy .pt and .npz of the same tensors
python load.py time FOLDER                      medians in ms, as JSON
"""

import json
import pathlib
import statistics
import sys
import time

import numpy
import torch
from safetensors.torch import load_file


def make(source, folder):
    state = load_file(source)
    torch.save(state, folder / "model.pt")
    torch.save(state, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    numpy.savez(folder / "model.npz", **{key: value.numpy() for key, value in state.items()})


def median(run, rounds=15):
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def measure(folder):
    file = folder / "model.safetensors"
    return {
        "safetensors.load_file, cloned": median(
            lambda: {key: value.clone() for key, value in load_file(file).items()}
        ),
        "torch.load of .pt": median(lambda: torch.load(folder / "model.pt", weights_only=True)),
    }


command, *paths = sys.argv[1:]
if command == "make":
    make(paths[0], pathlib.Path(paths[1]))
else:
    print(json.dumps(measure(pathlib.Path(paths[0]))))
