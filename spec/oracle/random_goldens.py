"""Asks PyTorch for spec/goldens/random.json: `python spec/oracle/random_goldens.py`, on x86 with AVX2.

A case is a call of lib/random after `manualSeed(seed)`, with its result: the bits of all values
("bits", float32 as int32), their hash ("hash", of many), integers ("integers"), or float32 values
that only have to be close ("close"); and "next", the bits of the `rand(1)` that follows.
"""

import json
import math
from pathlib import Path

import torch
from torch import nn

torch.set_num_threads(1)
CASES = []
MANY = 64


def bits(tensor):
    return tensor.detach().flatten().contiguous().view(torch.int32).tolist()


def fnv1a(words):
    h = 2166136261
    for word in words:
        h = ((h ^ (word & 0xFFFFFFFF)) * 16777619) & 0xFFFFFFFF
    return h


def case(call, args, compute, seed=0, kind=None):
    torch.manual_seed(seed)
    result = compute()
    if kind == "close":
        value = {"close": [float(f"{x:.8g}") for x in result.flatten().tolist()]}
    elif result.dtype == torch.int64:
        many = len(result) > MANY
        value = {"hash": fnv1a(result.tolist())} if many else {"integers": result.tolist()}
    else:
        many = result.numel() > MANY
        value = {"hash": fnv1a(bits(result))} if many else {"bits": bits(result)}
    next_bits = bits(torch.rand(1))[0]
    CASES.append({"call": call, "args": args, "seed": str(seed), **value, "next": next_bits})


for seed in [0, 1, 42, 5489, 67280421310721, 2**31, 2**32 - 1, 2**32, 2**32 + 5, 2**63, 2**64 - 1, -1, -2, -(2**63)]:
    case("rand", [5], lambda: torch.rand(5), seed)
for n in [0, 1, 700, 100_000]:
    case("rand", [n], lambda: torch.rand(n))
RANGES = [(-0.3, 0.7), (-1 / 3**0.5, 1 / 3**0.5), (1e-10, 1), (1000, 1000.001), (-1e-3, 5e5), (7, 7), (-1e38, 1e38), (0.1, 0.10001), (-0.1, -0.09)]
for i, (a, b) in enumerate(RANGES):
    for n in [8, 10_000]:
        options = {"from": a, "to": b}
        case("uniform", [n, options], lambda: torch.empty(n).uniform_(a, b), i)

for n in [0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 1000, 100_005]:
    case("randn", [n], lambda: torch.randn(n), n)
    case("normal", [n, {"mean": 0.3, "std": 0.02}], lambda: torch.empty(n).normal_(0.3, 0.02), n)
# The twin of an odd number of samples waits, also while a long array is made.
case("randnSequence", [[3, 16, 1, 2, 20, 3]], lambda: torch.cat([torch.randn(n) for n in [3, 16, 1, 2, 20, 3]]))

for low, high in [(0, 1), (0, 10), (-5, 5), (0, 2**28 - 1), (0, 2**28), (0, 2**28 + 1), (0, 2**32), (-(2**40), 2**50), (1 - 2**53, 2**53 - 1)]:
    case("randint", [6, low, high], lambda: torch.randint(low, high, (6,)), 3)
case("randint", [10_000, -1000, 1000], lambda: torch.randint(-1000, 1000, (10_000,)), 4)
for n in [0, 1, 2, 3, 10, 1000, 40_000, 100_000]:
    case("randperm", [n], lambda: torch.randperm(n), n)
for p in [0, 1e-3, 0.3, 0.5, 0.999, 1]:
    case("bernoulli", [40, p], lambda: torch.empty(40).bernoulli_(p), 5)
case("bernoulli", [0, 0.5], lambda: torch.empty(0).bernoulli_(0.5))
case("bernoulli", [10_000, 0.3], lambda: torch.empty(10_000).bernoulli_(0.3))


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def init(name, shape, kind=None, seed=0, positional=(), **options):
    fill = getattr(nn.init, name + "_")
    args = [shape, *positional, {camel(key): value for key, value in options.items()}]
    compute = lambda: fill(torch.empty(shape), *positional, **options)
    case("init." + camel(name), args, compute, seed, kind)


TRUNCATED = [{}, {"std": 0.02}, {"mean": 0.5, "std": 2.0}, {"std": 5.0}, {"a": 1.0, "b": 2.0}, {"mean": 10.0}, {"mean": 0.3, "std": 0.7, "a": 0.1, "b": 0.1}]
for options in TRUNCATED:
    for shape in [[0], [3], [20], [100, 101]]:
        init("trunc_normal", shape, **options)
for shape in [[2], [3, 4], [64, 3, 7, 7]]:
    init("uniform", shape, a=-0.25, b=0.75)
    init("normal", shape, mean=1.0, std=0.5)
    init("constant", shape, positional=[0.1])
    init("ones", shape)
    init("zeros", shape)
for shape in [[3, 5], [5, 3], [4, 4]]:
    init("eye", shape)
for shape, groups in [([4, 2, 3], 1), ([4, 2, 3], 2), ([2, 4, 2, 3], 1), ([6, 2, 2, 2], 3), ([2, 2, 3, 2, 1], 1), ([4, 1, 1, 1, 1], 4)]:
    init("dirac", shape, groups=groups)
GAIN = nn.init.calculate_gain("leaky_relu", 0.2)
for shape in [[2, 3], [4, 4], [5, 7], [64, 100], [8, 3, 3], [16, 4, 3, 3], [2, 2, 3, 3, 3], [0, 3], [1000, 300]]:
    for name in ["xavier_uniform", "xavier_normal"]:
        init(name, shape, seed=1)
        init(name, shape, seed=2, gain=GAIN)
    for name in ["kaiming_uniform", "kaiming_normal"]:
        init(name, shape, seed=1)
        init(name, shape, seed=2, a=0.2, mode="fan_out")
        init(name, shape, seed=3, nonlinearity="relu")
        init(name, shape, seed=4, nonlinearity="tanh", mode="fan_out")
for shape in [[2, 3], [3, 2], [4, 4], [1, 5], [10, 7], [6, 2, 2, 2], [24, 24]]:
    init("orthogonal", shape, kind="close", seed=1)
init("orthogonal", [3, 4], kind="close", seed=2, gain=GAIN)
for shape, sparsity in [([10, 6], 0.3), ([5, 5], 0.0), ([5, 5], 1.0), ([100, 20], 0.1)]:
    init("sparse", shape, positional=[sparsity])
    init("sparse", shape, positional=[sparsity], std=0.5)


def layer(module, *args, **options):
    """What a new layer holds: kaimingUniform with a = √5, and ±1/√fanIn for the bias."""
    shape = list(module(*args, **options).weight.shape)
    flat = lambda made: torch.cat([p.detach().flatten() for p in made.parameters()])
    case("layer", [shape, shape[0]], lambda: flat(module(*args, **options)))


for sizes in [(2, 4), (4, 3), (4, 4), (16, 1), (10, 10), (784, 128)]:
    layer(nn.Linear, *sizes)
layer(nn.Conv1d, 3, 5, 4)
layer(nn.Conv2d, 3, 64, 7)
layer(nn.Conv2d, 8, 16, 3, groups=4)
layer(nn.Conv3d, 2, 4, (1, 2, 3))

FRESH = torch.Generator()
SEEDS = {str(seed): str(torch.Generator().manual_seed(seed).initial_seed()) for seed in [0, 7, -1, -(2**63), 2**64 - 1]}
STATE = torch.Generator().manual_seed(7)
torch.randn(701 * 16, generator=STATE)
torch.randn(1, generator=STATE)
FULL = torch.Generator().manual_seed(7)
torch.rand(624, generator=FULL)
NAMES = ["linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
OTHER = {
    "initialSeed": str(FRESH.initial_seed()),
    "initialSeeds": SEEDS,
    "freshRand": bits(torch.rand(4, generator=FRESH)),
    "freshState": fnv1a(torch.Generator().get_state().tolist()),
    "state": fnv1a(STATE.get_state().tolist()),
    "fullState": fnv1a(FULL.get_state().tolist()),
    "gains": {name: nn.init.calculate_gain(name) for name in NAMES},
    "leakyGains": {str(a): nn.init.calculate_gain("leaky_relu", a) for a in [0, 0.2, math.sqrt(5)]},
}

lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES)
text = f'{{"cases":[\n{lines}\n],\n"other":{json.dumps(OTHER)}}}\n'
Path(__file__).parent.parent.joinpath("goldens", "random.json").write_text(text)
print(len(CASES), "cases,", len(text), "bytes")
