"""Exports architectures of timm with seeded random weights, of 10 classes, and what they give of small pictures.

    pip install torch timm safetensors
    python pictures.py FOLDER [name ...]

The files are those of `export.py`, for `run.ts`. Most take pictures of 64²; a model that does not is given the
smallest of 96², 128² and its own size that it takes.
"""
import json, sys, time
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

from export import VERSIONS, nest, random_weights, store

NAMES = """
@@NAMES@@
""".split()


def make(name):
    """A model, and the size of its pictures."""
    for options, size in [({"img_size": 64}, 64), ({"img_size": 96}, 96), ({"img_size": 128}, 128), ({}, 64), ({}, 128), ({}, None)]:
        torch.manual_seed(0)
        try:
            model = timm.create_model(name, pretrained=False, num_classes=10, **options).eval()
            size = size or model.default_cfg["input_size"][-1]
            with torch.no_grad():
                model(torch.rand(2, 3, size, size))
        except Exception:
            continue
        return model, size
    raise SystemExit(f"{name} takes no size")


def run(folder, name, dynamic):
    model, size = make(name)
    random_weights(model)
    torch.manual_seed(1)
    x = torch.rand(2, 3, size, size)
    stem = folder / f"{name}-{'dynamic' if dynamic else 'static'}"
    with torch.no_grad():
        shapes = ({0: torch.export.Dim.DYNAMIC},) if dynamic else None
        torch.export.save(torch.export.export(model, (x,), dynamic_shapes=shapes), f"{stem}.pt2")
        if dynamic:
            x = torch.cat([x, x[:1].flip(-1)])
        output = model(x)
    inside, outside = [], []
    nested = {"args": nest([x], inside), "kwargs": {}, "output": nest(output, outside)}
    Path(f"{stem}.json").write_text(json.dumps(nested | {"versions": VERSIONS}))
    save_file(store(inside, "in") | store(outside, "out"), f"{stem}.safetensors")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NAMES:
        for dynamic in (False, True):
            begin = time.time()
            run(folder, name, dynamic)
            print(name, "dynamic" if dynamic else "static", f"{time.time() - begin:.1f} s", flush=True)
