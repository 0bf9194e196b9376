"""What ATen ops give in PyTorch, for spec/exported/aten.spec.ts.

    python spec/oracle/aten.py OUT [--samples N] [--per-target N] [--ops REGEX] [--targets FILE]
    python spec/oracle/aten.py spec/goldens/aten --samples 8 --per-target 2 \\
        --targets docs/aten-ops.md --max-elements 130
    python spec/oracle/aten.py spec/goldens/core_aten --core

The last form writes the schemas of the Core ATen ops that draw no numbers and are no gradients, for
docs/aten-ops.md. The others call PyTorch's own OpInfo samples and write down each ATen call that they
come to: in inference mode the composite ops (linear, layer_norm), as torch.export leaves them, and
without it what they are made of, as `run_decompositions` gives it. They write OUT.json (the cases)
and OUT.safetensors. A tensor is `{"$tensor": key}`, a complex one `{"$complex": key}` with real and imaginary part as
last dimension, a number that JSON lacks `{"$number": "inf"}`, dtypes, layouts and devices are
`{"$torch": "float32"}`.
"""

import argparse
import itertools
import json
import re
import warnings
from collections import Counter

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._python_dispatch import TorchDispatchMode

warnings.filterwarnings("ignore")

SKIP = re.compile(
    r"backward|random|uniform|normal[_.]|bernoulli|multinomial|poisson|exponential|cauchy|geometric|"
    r"rand|^empty|^new_empty|sparse|nested|quant(?!ile)|resize|^set_|_foreach|_out$|cudnn|mkldnn|"
    r"rrelu_with_noise|fft_hfft|unique_consecutive|_unique_id|is_same_size|^_has_same|^_version|requires_grad|^_dim_arange"
)


class Unfit(Exception):
    """A call that no case can be made of."""


def draws(name, args, kwargs):
    """Whether a call draws random numbers."""
    if "dropout" in name:
        return args[2] is not False
    if "rrelu" in name:
        return len(args) > 3 and args[3]
    numbers = [one for one in (*args, *kwargs.values()) if isinstance(one, float)]
    return "attention" in name and 0.5 in numbers


# Results that only a backward pass reads.
UNREAD = {
    "aten.embedding_bag.default": 1, "aten.embedding_bag.padding_idx": 1,
    "aten._embedding_bag.default": 1, "aten._embedding_bag_forward_only.default": 1,
    "aten.log_sigmoid_forward.default": 1, "aten.nll_loss_forward.default": 1,
    "aten.nll_loss2d_forward.default": 1,
}  # fmt: skip

# Singular and eigenvectors may be turned around: where the values are.
VECTORS = {
    "aten._linalg_eigh.default": 0, "aten._linalg_svd.default": 1, "aten.linalg_svd.default": 1,
    "aten.linalg_eigh.default": 0, "aten.svd.default": 1,
}  # fmt: skip

# Where equal values may come in any order.
UNSTABLE = re.compile(r"aten\.(topk|kthvalue|mode|median|nanmedian)\.(default|dim)")


def checkable(target, args, result):
    """The results that are always the same, None for the others."""
    if target in UNREAD:
        return result[: UNREAD[target]] + (None,) * (len(result) - UNREAD[target])
    if UNSTABLE.match(target) and args[0].unique().numel() < args[0].numel():
        return (result[0], None) if isinstance(result, tuple) else result
    if "matrix_norm" in target and any(one in ("nuc", 2, -2) for one in args[1:2]):
        raise Unfit  # singular values
    if target in VECTORS:
        return tuple(one if i == VECTORS[target] else None for i, one in enumerate(result))
    if "matrix_exp" in target and result.numel() and result.abs().max() > 1e3:
        raise Unfit  # PyTorch itself is off by more than the tolerance
    if target == "aten.as_strided.default" and not args[0].is_contiguous():
        raise Unfit
    return result


class Recorder(TorchDispatchMode):
    def __init__(self):
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = str(func)
        wanted = name.startswith("aten.") and not SKIP.search(name[5:])
        wanted = wanted and "out" not in kwargs and not name.split(".")[-1].endswith("out")
        wanted = wanted and not draws(name, args, kwargs)
        before = freeze((args, kwargs)) if wanted else None
        result = func(*args, **kwargs)
        if wanted:
            self.calls.append((name, before, freeze(result)))
        return result


def freeze(value):
    if isinstance(value, torch.Tensor):
        return value.detach().clone() if value.layout == torch.strided else value
    if isinstance(value, (tuple, list)):
        return tuple(freeze(one) for one in value)
    if isinstance(value, dict):
        return {name: freeze(one) for name, one in value.items()}
    return value


class Writer:
    def __init__(self, max_elements):
        self.tensors = {}
        self.known = {}
        self.cases = []
        self.seen = set()
        self.max_elements = max_elements

    def tensor(self, value):
        if value.layout != torch.strided or value.is_quantized:
            raise Unfit
        if value.numel() > self.max_elements:
            raise Unfit
        plain = value.resolve_conj().resolve_neg()
        kind = "$tensor"
        if plain.is_complex():
            kind, plain = "$complex", torch.view_as_real(plain.to(torch.complex64))
        if plain.dtype in (torch.float64, torch.float16, torch.bfloat16):
            plain = plain.float()
        if plain.dtype in (torch.int64, torch.int16, torch.int8, torch.uint8):
            if plain.numel() and (plain.max() >= 2**31 or plain.min() < -(2**31)):
                raise Unfit
            plain = plain.int()
        if plain.dtype not in (torch.float32, torch.int32, torch.bool):
            raise Unfit
        plain = plain.contiguous()
        digest = (str(plain.dtype), tuple(plain.shape), plain.numpy().tobytes())
        if digest not in self.known:
            self.known[digest] = f"t{len(self.known)}"
            self.tensors[self.known[digest]] = plain.clone()
        return {kind: self.known[digest]}

    def encode(self, value):
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, (tuple, list)):
            return [self.encode(one) for one in value]
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            if value != value or abs(value) == float("inf"):
                return {"$number": str(value)}
            return value
        if isinstance(value, (torch.dtype, torch.layout, torch.device, torch.memory_format)):
            return {"$torch": str(value).replace("torch.", "")}
        raise Unfit

    def dtypes(self, result):
        many = result if isinstance(result, (tuple, list)) else [result]
        return [
            str(one.dtype).replace("torch.", "") if isinstance(one, torch.Tensor) else None
            for one in many
        ]

    def add(self, target, args, kwargs, result):
        dtypes = self.dtypes(result)
        if "float16" in dtypes or "bfloat16" in dtypes:
            raise Unfit  # they are held as float32, and not rounded
        case = {
            "target": target,
            "args": self.encode(args),
            "kwargs": {name: self.encode(one) for name, one in kwargs.items()},
            "output": self.encode(result),
            "dtypes": dtypes,
        }
        text = json.dumps(case, separators=(",", ":"))
        if text in self.seen:
            return False
        self.seen.add(text)
        self.cases.append(text)
        return True


def functional(target):
    """`aten.add_.Tensor` is `aten.add.Tensor`: graphs are made functional when they are loaded."""
    _, name, overload = target.split(".")
    return f"aten.{name[:-1] if re.match('[a-z].*[a-z0-9]_$', name) else name}.{overload}"


def record(call, inference):
    recorder = Recorder()
    with torch.inference_mode() if inference else torch.no_grad(), recorder:
        call()
    return recorder.calls


# What OpInfo's samples leave out.
def edges():
    nan, inf = float("nan"), float("inf")
    odd = torch.tensor([nan, inf, -inf, 0.0, -0.0, 1.5, -1.5, 2.5, 0.5, -0.5, 1e30, -1e30])
    other = torch.tensor([1.0, nan, inf, 0.0, 2.0, -2.0, nan, -inf, 0.0, 3.0, 1e30, 7.0])
    whole = torch.tensor([7, -7, 0, 5, -5, 1, -1, 8])
    divisor = torch.tensor([2, 2, 3, -3, -3, 4, -4, 5])
    unary = (
        "abs ceil floor round trunc sign sgn neg relu sigmoid tanh sqrt exp log isnan isinf isfinite "
        "logical_not square reciprocal rsqrt expm1 log1p signbit isposinf isneginf nan_to_num frac"
    )
    for name in unary.split():
        yield lambda name=name: getattr(torch, name)(odd)
    tame = {"fmod", "remainder", "floor_divide"}
    binary = (
        "add sub mul div maximum minimum fmax fmin eq ne lt le gt ge remainder fmod pow atan2 "
        "logical_and logical_or logical_xor copysign floor_divide hypot"
    )
    for name in binary.split():
        # Quotients beyond 2²⁴ have no remainder in float32.
        n = -2 if name in tame else None
        yield lambda name=name, n=n: getattr(torch, name)(odd[:n], other[:n])
        yield lambda name=name, n=n: getattr(torch, name)(other[:n], odd[:n])
        if name not in ("logical_and", "maximum", "minimum", "fmax", "fmin", "logical_or",
                        "logical_xor", "atan2", "hypot"):  # fmt: skip
            yield lambda name=name, n=n: getattr(torch, name)(odd[:n], 2)
            yield lambda name=name: getattr(torch, name)(whole, 2.5)
            yield lambda name=name: getattr(torch, name)(whole, 2)
            yield lambda name=name: getattr(torch, name)(whole, -3)
        if name not in ("pow",):
            yield lambda name=name: getattr(torch, name)(whole, divisor)
            yield lambda name=name: getattr(torch, name)(whole, divisor.float())
            yield lambda name=name: getattr(torch, name)(whole[0], divisor.float())
    for mode in (None, "floor", "trunc"):
        yield lambda mode=mode: torch.div(whole, divisor, rounding_mode=mode)
        yield lambda mode=mode: torch.div(whole.float(), divisor.float(), rounding_mode=mode)
        yield lambda mode=mode: torch.div(whole, 2, rounding_mode=mode)
        yield lambda mode=mode: torch.div(odd[:-2], other[:-2], rounding_mode=mode)
    rows = torch.tensor([[1.0, nan, 3.0, nan], [-inf, -inf, -inf, -inf], [2.0, 7.0, 7.0, 1.0],
                         [inf, inf, -inf, 0.0], [-3e30, -2e30, -3e30, -3.2e30]])  # fmt: skip
    for name in "amax amin argmax argmin max min sum mean prod logsumexp cumsum sort argsort".split():
        yield lambda name=name: getattr(torch, name)(rows, dim=1)
        yield lambda name=name: getattr(torch, name)(rows, dim=-2)
    yield lambda: torch.var(rows[:4], dim=1)
    yield lambda: torch.std(rows[:4], dim=0)
    for name in "cummax cummin softmax log_softmax median any all nansum".split():
        yield lambda name=name: getattr(torch, name)(rows, dim=-1)
    yield lambda: rows.topk(2)
    yield lambda: rows.topk(3, dim=0, largest=False)
    yield lambda: rows.sort(descending=True)
    yield lambda: torch.sort(torch.tensor([3, 1, 3, 1, 2, 3]), stable=True)
    yield lambda: torch.sort(torch.tensor([3, 1, 3, 1, 2, 3]), stable=True, descending=True)
    for name in "max min sum mean prod any all argmax".split():
        if name != "mean":
            yield lambda name=name: getattr(torch, name)(whole)
        yield lambda name=name: getattr(torch, name)(rows)
    yield lambda: torch.clamp(odd, min=-1.0, max=2.0)
    yield lambda: torch.clamp(whole, min=-1.5, max=2)
    yield lambda: torch.clamp(odd, min=other)
    yield lambda: (whole > 0) + (whole > 2)
    yield lambda: (whole > 0) * (whole > 2)
    yield lambda: (whole > 0) + 1
    yield lambda: (whole > 0) * 0.5
    yield lambda: (whole > 0).sum()
    yield lambda: (whole > 0).float().mean()
    yield lambda: whole.to(torch.bool)
    yield lambda: odd[3:].to(torch.bool)
    yield lambda: torch.tensor([1.7, -1.7, 0.2]).to(torch.int64)
    yield lambda: torch.tensor([1.0, 255.0, 3.9]).to(torch.uint8)
    yield lambda: torch.tensor([1, 300, -1]).to(torch.uint8)
    yield lambda: torch.where(whole > 0, 1.0, 0.0)
    yield lambda: torch.where(whole > 0, whole, 0.5)
    yield lambda: rows.masked_fill(rows > 1, -inf)
    yield lambda: whole.masked_fill(whole > 1, 9)
    yield lambda: torch.full((2, 3), 7)
    yield lambda: torch.full((2, 3), 7.0)
    yield lambda: torch.arange(5)
    yield lambda: torch.arange(0, 2, 0.5)
    yield lambda: torch.arange(1.0, 4.0)
    yield lambda: torch.bucketize(torch.tensor([0.5, 2.0, 9.0]), torch.tensor([1.0, 2.0, 3.0]))
    small, short, byte = (torch.tensor([100, -100, 7]).to(t) for t in (torch.int8, torch.int16, torch.uint8))
    for narrow in (small, short * 300, byte):
        yield lambda narrow=narrow: narrow + narrow
        yield lambda narrow=narrow: narrow * 3
        yield lambda narrow=narrow: narrow - 120
        yield lambda narrow=narrow: narrow[:2].reshape(1, 2) @ narrow[:2].reshape(2, 1)
        yield lambda narrow=narrow: narrow.diff()
    yield lambda: torch.pow(torch.tensor([7, -3, 2, 1, -1]), torch.tensor([11, 19, 30, -2, -3]))
    yield lambda: torch.fft.rfft(torch.tensor([-1.0, -2.0, -3.0, -4.0])).angle()
    yield lambda: F.pad(whole > 0, (1, 1), value=2)
    row = odd[5:11].reshape(2, 3)
    yield lambda: F.scaled_dot_product_attention(row, row, row, torch.tensor([True, False]))
    for q in (0.3, torch.tensor([0.0, 0.25, 1.0])):
        for how in ("linear", "lower", "higher", "nearest", "midpoint"):
            yield lambda q=q, how=how: torch.quantile(row, q, dim=1, interpolation=how)
    yield lambda: torch.special.round(odd, decimals=1)
    yield lambda: torch.tril_indices(3, 4, dtype=torch.int32)
    yield lambda: torch.triu_indices(3, 4, 1, dtype=torch.int32)
    yield lambda: torch.fft.fftfreq(5, dtype=torch.float64)
    yield lambda: torch.fft.rfftfreq(5, 0.5, dtype=torch.float64)
    yield lambda: whole.to(dtype=torch.float32, device="cpu", copy=True)
    yield lambda: torch.quantile(rows, 0.5, dim=1, keepdim=True)
    yield lambda: torch.nanquantile(rows, torch.tensor([0.2, 0.7]), dim=1)


COMPLEX = re.compile(
    "fft|complex|real|imag|polar|^(add|sub|mul|div|pow|abs|angle|exp|log|sqrt|sin|tan|tanh|atan|acos|sigmoid|sgn|"
    "rsub|reciprocal|addcmul|addcdiv|lerp|matmul|mm|bmm|mv|vdot|addmm|baddbmm|einsum|outer|linalg.inv|linalg.solve|"
    "matrix_exp|cat|stack|where|index_put|masked_fill|slice_scatter|gather|sum|mean|prod|cumprod|std|var|eq|any|"
    "nonzero|zeros_like|full_like|constant_pad_nd|istft|conj|linalg.vector_norm|nn.functional.(conv1d|conv2d|linear))$"
)


def calls(ops, most):
    # Seeded op by op, so that a part of them gives the same numbers.
    if ops.search("edges"):
        for edge in edges():
            yield "edges", edge
    for info in op_db:
        if not ops.search(info.name) or re.search("linalg.(?!.*norm|inv$|solve$|det$|cholesky|solve_tri|lu|qr$|svdvals|eigvalsh|rank|cond|vander|matrix_|householder|polar)", info.name):
            continue
        for dtype in (torch.float32, torch.int64, torch.bool, torch.complex64):
            if not info.supports_dtype(dtype, "cpu"):
                continue
            if dtype == torch.complex64 and not COMPLEX.search(info.name):
                continue
            torch.manual_seed(0)
            try:
                samples = list(itertools.islice(info.sample_inputs("cpu", dtype), most))
            except Exception:
                continue
            for s in samples:
                yield info.name, lambda s=s, info=info: info.op(s.input, *s.args, **s.kwargs)


def core_schemas():
    """The schemas of what PyTorch tags as core, by name."""
    for name in sorted(dir(torch.ops.aten)):
        packet = getattr(torch.ops.aten, name)
        for overload in getattr(packet, "overloads", list)():
            func = getattr(packet, overload)
            if torch.Tag.core in func.tags and not re.search("backward|^rand|out$", str(func)[5:]):
                yield str(func), str(func._schema)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--per-target", type=int, default=40)
    parser.add_argument("--ops", default="")
    parser.add_argument("--targets")
    parser.add_argument("--core", action="store_true")
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--max-elements", type=int, default=4000)
    options = parser.parse_args()
    if options.core:
        with open(f"{options.out}.json", "w") as file:
            json.dump(dict(core_schemas()), file, indent=1)
            file.write("\n")
        return
    targets = None
    if options.targets:
        with open(options.targets) as file:
            targets = set(re.findall(r"aten\.\w+\.\w+", file.read()))
    writer = Writer(options.max_elements)
    count = Counter()
    for name, call in calls(re.compile(options.ops), options.samples):
        for inference in (True, False):
            try:
                recorded = record(call, inference)
            except Exception:
                continue
            for raw, (args, kwargs), result in recorded:
                target = functional(raw)
                limit = options.per_target * (4 if name == "edges" else 1)
                if count[target] >= limit or targets and target not in targets:
                    continue
                if result is None:
                    continue
                try:
                    if writer.add(target, args, kwargs, checkable(target, args, result)):
                        count[target] += 1
                except Unfit:
                    pass
    used = set(re.findall(r'"(t\d+)"', "".join(writer.cases)))
    save_file({key: writer.tensors[key] for key in used}, f"{options.out}.safetensors")
    with open(f"{options.out}.json", "w") as file:
        file.write("[\n" + ",\n".join(writer.cases) + "\n]\n")
    print(len(writer.cases), "cases of", len(count), "ops")


main()
