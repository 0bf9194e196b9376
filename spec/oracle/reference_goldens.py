"""Asks numpy for spec/goldens/reference.json: `python spec/oracle/reference_goldens.py`."""

import json
from pathlib import Path

import numpy as np

np.seterr(all="ignore")
rng = np.random.default_rng(0)
nan, inf = np.nan, np.inf


def packed(array):
    """Shape and float64 bits, which JSON's numbers could not hold (NaN, infinities, -0)."""
    array = np.asarray(array, dtype="<f8")
    return {"shape": list(array.shape), "hex": array.tobytes().hex()}


def seeded(seed, compute):
    np.random.seed(seed)
    return compute()


PRINTED = [
    0.0, -0.0, 1.0, 1e16, 1e15, 123456789.123, 1e-4, 9.9e-5, 1e300, 5e-324, 1 / 3, nan, -inf,
    [], [[], []], np.zeros((2, 0, 3)), [0.0], [-0.0, 0.0], [1, 2, 3], [-1, 2, 3], [0.1, 0.25, -3],
    [1e8], [99999999.0], [1e-4, 1], [9.9e-5], [1, 1000], [1, 1001], [1e-4, 0.1, 0.10001], [1e300, -1e-300],
    [5e-324, 1.0], [5e-324, 1.23456789123], [1e23, 1.5], [9999999995.0, 1], [1 / 512, 3 / 512, 5 / 512],
    [0.123456785, 0.123456775], [9.9999999999], [0.99999999999, -0.1], [1234567895.0, 1234567885.0],
    [nan], [inf, -inf], [nan, 1.5], [nan, 1e-20], [inf, 100.25], [-inf, 1.5], [nan, -inf, inf, -0.0],
    np.arange(7), np.arange(60) / 7,
    np.arange(24).reshape(2, 3, 4), np.arange(16).reshape(2, 2, 2, 2) / 3, np.arange(90).reshape(3, 30) / 7,
    np.arange(60).reshape(2, 30) / -7, np.arange(60).reshape(1, 1, 60) * 1e9, np.arange(8).reshape(8, 1),
]
for _ in range(60):
    shape = tuple(int(n) for n in rng.integers(1, 9, size=rng.integers(1, 4)))
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-9, 10)
    PRINTED.append(values if rng.random() < 0.5 else values * 10.0 ** rng.uniform(-4, 4, shape))


# Arrays that are too long to be kept: shape, first number, step.
LONG = [([1000], 0, 1), ([1001], 0, 1), ([1001], 0, 1e6), ([1000, 2], 0, 1), ([2, 1000], 0, 0.25), ([10, 10, 12], 0, 1), ([7, 7, 7, 7], -1200, 1), ([2, 600], 0, 1e-3)]


def long(shape, start, step):
    return {"shape": shape, "start": start, "step": step, "text": str(start + np.arange(np.prod(shape)).reshape(shape) * float(step))}


def network(seed, x, sizes):
    """The lesson's network, in the lesson's words."""
    np.random.seed(seed)
    inputs, hidden, outputs = sizes
    W1 = np.random.randn(inputs, hidden)
    b1 = np.random.randn(hidden)
    W2 = np.random.randn(hidden, outputs)
    b2 = np.random.randn(outputs)
    h = 1 / (1 + np.exp(-(np.matmul(x, W1) + b1)))
    params = [W1, b1, W2, b2]
    return {
        "seed": seed,
        "sizes": sizes,
        "x": packed(x),
        "params": [packed(p) for p in params],
        "printed": [f"{p.shape}\n{p}" for p in params],
        "output": packed(np.matmul(h, W2) + b2),
    }


def operands(op, a, b):
    a, b = (rng.standard_normal(shape) for shape in (a, b))
    try:
        return {"a": packed(a), "b": packed(b), "result": packed(op(a, b))}
    except ValueError as error:
        return {"a": packed(a), "b": packed(b), "error": str(error).strip()}


MATMUL = [((10, 2), (2, 4)), ((2,), (2, 4)), ((5, 3), (3,)), ((3,), (3,)), ((2, 5, 3), (3, 4)), ((0, 2), (2, 3)),
          ((2, 0), (0, 3)), ((10, 2), (3, 4)), ((2,), (3,)), ((), (3,)), ((3,), ()), ((1, 1), (1, 1)), ((2, 3, 4), (4,))]
ADD = [((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 3), ()), ((4, 1, 2), (3, 1)), ((0, 3), (3,)),
       ((2, 3), (2,)), ((2, 3), (4, 3)), ((5, 1, 2, 3), (4, 2, 2)), ((0,), (1,)), ((0,), (2,))]

goldens = {
    "printed": [{**packed(a), "text": str(np.asarray(a, dtype=float))} for a in PRINTED],
    "printedLong": [long(*case) for case in LONG],
    "shapes": [[list(shape), str(shape)] for shape in [(), (4,), (2, 4), (1, 2, 3)]],
    "rand": [{"seed": s, "values": packed(seeded(s, lambda: np.random.rand(4, 5)))} for s in [0, 1, 42, 2**31, 2**32 - 1]],
    "randLate": packed(seeded(3, lambda: np.random.rand(5000)[-5:])),
    "randn": [{"seed": s, "values": packed(seeded(s, lambda: np.random.randn(3, 7)))} for s in [0, 1, 42, 2**31, 2**32 - 1]],
    "randnMany": {"seed": 5, "sum": float(seeded(5, lambda: np.random.randn(20000)).sum()), "tail": packed(seeded(5, lambda: np.random.randn(20000)[-20:]))},
    "mixed": packed(seeded(9, lambda: np.concatenate([np.random.randn(3), np.random.rand(2), np.random.randn(2)]))),
    "linspace": [{"args": a, "values": packed(np.linspace(*a))} for a in [[-8, 8, 100], [0, 1], [0, 1, 1], [0, 1, 0], [3, 3, 4], [1, -1, 7], [0.1, 0.3, 3]]],
    "networks": [
        network(0, rng.standard_normal((10, 2)), [2, 4, 3]),
        network(7, rng.standard_normal((1, 2)), [2, 4, 3]),
        network(1, rng.standard_normal(2), [2, 4, 3]),
        network(2, rng.standard_normal((4, 6)) * 100, [6, 20, 5]),
    ],
    "matmul": [operands(np.matmul, a, b) for a, b in MATMUL],
    "add": [operands(np.add, a, b) for a, b in ADD],
    "transposed": [{"a": packed(a), "result": packed(a.T)} for a in [np.arange(6).reshape(2, 3), np.arange(24).reshape(2, 3, 4), np.arange(3), np.zeros((0, 2)), np.array(5.0)]],
}
text = json.dumps(goldens, separators=(",", ":"))
Path(__file__).parent.parent.joinpath("goldens", "reference.json").write_text(text + "\n")
print(len(text), "bytes")
