"""What torch and numpy print for many arrays: writes spec/goldens/format.json.

    python spec/oracle/format.py [--count 260] [--seed 0] [--out spec/goldens/format.json]

Values travel as the bits of float32 (as integers), so that nothing is lost on the way.
"""
import argparse, json, os
import numpy as np, torch

here = os.path.dirname(os.path.abspath(__file__))
a = argparse.ArgumentParser()
a.add_argument("--count", type=int, default=260); a.add_argument("--seed", type=int, default=0)
a.add_argument("--out", default=os.path.join(here, "..", "goldens", "format.json"))
a = a.parse_args()
rng = np.random.default_rng(a.seed)
SHAPES = [(), (1,), (2,), (5,), (17,), (30,), (0,), (2, 3), (0, 3), (3, 0), (4, 1), (1, 12), (2, 2, 2), (3, 1, 4), (2, 1, 2, 3), (1001,), (40, 30), (7, 8, 20)]
SPECIAL = np.array([0, -0.0, 1, -1, np.nan, np.inf, -np.inf, 1e-5, 1e-4, 123456, 1e8, 1e10, 0.03125, 0.5, 2.5, 1e-45, 3.4e38, 0.00005, 99999.5, 16.1, 0.1], np.float32)


def floats(shape):
    n = int(np.prod(shape))
    kind = rng.integers(9)
    if kind == 0: v = rng.standard_normal(n)
    elif kind == 1: v = rng.integers(-20, 20, n)
    elif kind == 2: v = rng.standard_normal(n) * 10.0 ** rng.integers(-9, 9, n)
    elif kind == 3: v = rng.choice(SPECIAL, n)
    elif kind == 4: v = rng.standard_normal(n) * 10.0 ** rng.integers(-7, 12)
    elif kind == 5: v = np.round(rng.standard_normal(n) * 100, rng.integers(0, 4))
    elif kind == 6: v = rng.integers(-3000, 3000, n) / 32
    elif kind == 7: v = rng.integers(0, 2, n) * rng.standard_normal(n)
    else: v = rng.choice(SPECIAL[:7], n)
    return v.astype(np.float32).reshape(shape)


cases = []
for i in range(a.count):
    shape = SHAPES[rng.integers(len(SHAPES))]
    if np.prod(shape) > 500 and rng.integers(4): shape = SHAPES[rng.integers(len(SHAPES) - 3)]
    dtype = ["float32", "float32", "float32", "int64", "bool"][rng.integers(5)]
    if dtype == "float32": x = floats(shape); values = x.reshape(-1).view(np.int32).tolist()
    elif dtype == "int64": x = (rng.integers(-10, 10, shape) * 10 ** rng.integers(0, 8)).astype(np.int64) if shape else np.int64(rng.integers(-50, 50)); values = np.asarray(x).reshape(-1).tolist()
    else: x = rng.integers(0, 2, shape).astype(bool) if shape else np.bool_(True); values = np.asarray(x).reshape(-1).astype(int).tolist()
    t = torch.tensor(np.array(x))
    grad = dtype == "float32" and bool(rng.integers(2))
    text = repr(t.requires_grad_()) if grad else repr(t)
    cases.append({"shape": list(shape), "dtype": dtype, "values": values, "requiresGrad": grad, "torch": text, "numpy": str(np.array(x)) if shape else str(np.array(x)[()])})
json.dump(cases, open(a.out, "w"))
print(len(cases), "cases,", os.path.getsize(a.out), "bytes")
