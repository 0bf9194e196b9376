"""Writes small exported programs, what they are called with and what PyTorch gives.

    python exported.py ../goldens/exported

`NAME.pt2` is the program; `cases.json` says how each is called and what comes out, with the tensors
in `cases.safetensors`; the graph and the program as PyTorch prints them; sentences for bad inputs.
"""
import json, re, sys, warnings, logging
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file
from torch import nn
from torch.export import Dim, export, save
from torch.utils import _pytree as pytree

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
out = Path(sys.argv[1] if len(sys.argv) > 1 else "exported")
out.mkdir(parents=True, exist_ok=True)
cases, tensors = {}, {}


def put(value, key):
    if isinstance(value, torch.Tensor):
        value = value.detach().clone()
        kind = str(value.dtype).removeprefix("torch.")
        stored = value.to(torch.int32) if value.dtype in (torch.int64, torch.bool) else torch.view_as_real(value) if value.is_complex() else value.float()
        tensors[key] = stored.contiguous()
        return {"$tensor": key, "dtype": kind}
    if isinstance(value, dict):
        return {k: put(v, f"{key}.{k}") for k, v in value.items()}
    if hasattr(value, "_fields"):
        return {k: put(v, f"{key}.{k}") for k, v in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [put(v, f"{key}.{i}") for i, v in enumerate(value)]
    if hasattr(value, "__dataclass_fields__"):
        return {k: put(getattr(value, k), f"{key}.{k}") for k in value.__dataclass_fields__}
    return value


def without_paths(program):
    """Stack traces name files; the folders of this machine are nobody's business."""
    for module in program.graph_module.modules():
        for node in getattr(getattr(module, "graph", None), "nodes", ()):
            trace = node.meta.get("stack_trace")
            if trace:
                node.meta["stack_trace"] = re.sub(r'File "[^"]*/(?:site-packages|oracle)/', 'File "', trace)


def case(name, model, args, kwargs=None, more=(), bad=(), decompose=False, **options):
    """`more`: other inputs (args, kwargs); `bad`: inputs that are refused."""
    kwargs = kwargs or {}
    before = {k: v.clone() for k, v in model.state_dict().items()}
    fresh = lambda tree: pytree.tree_map(lambda x: x.clone() if isinstance(x, torch.Tensor) else x, tree)
    program = export(model, *fresh((args, kwargs)), **options)
    if decompose:
        program = program.run_decompositions()
    without_paths(program)
    save(program, out / f"{name}.pt2")
    loaded = torch.export.load(out / f"{name}.pt2")
    model.load_state_dict(before)
    calls = []
    run = program.module()
    for i, (a, k) in enumerate([(args, kwargs), *more]):
        given = put([list(a), k], f"{name}.in{i}")
        with torch.no_grad():
            result = run(*fresh(a), **fresh(k))
        calls.append({"args": given[0], "kwargs": given[1], "output": put(result, f"{name}.out{i}")})
    errors = []
    for a, k in bad:
        try:
            program.module()(*a, **k)
            raise SystemExit(f"{name}: not refused")
        except (AssertionError, ValueError) as error:
            given = put([list(a), k], f"{name}.bad{len(errors)}")
            errors.append({"args": given[0], "kwargs": given[1], "message": str(error)})
    state = program.module().state_dict() if model.training else model.state_dict()
    after = run.state_dict()
    # Loading puts the graphs of control flow elsewhere; and what nobody reads, it gives names.
    printed = loaded if "higher_order" in str(program.graph) and "with_effects" not in str(program.graph) else program
    cases[name] = {
        "calls": calls,
        "errors": errors,
        "keys": list(model.state_dict()),
        "state_after": put({k: after[k] for k in model.state_dict()}, f"{name}.after") if model.training else None,
        "graph": str(printed.graph),
        "text": str(printed),
    }


torch.manual_seed(0)
N = lambda *shape: torch.randn(*shape)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x):
        return torch.softmax(self.fc2(self.act(self.fc1(x))), dim=-1)


batch = Dim("batch", min=3, max=16)
case("mlp", Mlp().eval(), (N(2, 4),), bad=[((N(3, 4),), {}), ((N(2, 5),), {}), ((), {}), (([N(2, 4)],), {})])
case(
    "dynamic", Mlp().eval(), (N(4, 4),), dynamic_shapes={"x": {0: batch}},
    more=[((N(3, 4),), {}), ((N(16, 4),), {})], bad=[((N(2, 4),), {}), ((N(17, 4),), {}), ((N(4, 3),), {})],
)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(c)

    def forward(self, x):
        return torch.relu_(self.bn(self.conv(x)) + x)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2)
        self.layer1 = nn.Sequential(Block(4), Block(4))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.layer1(nn.functional.relu(self.stem(x), inplace=True))
        return self.fc(torch.flatten(self.pool(x), 1))


def trained(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model


case("cnn", trained(Cnn()).eval(), (N(2, 1, 9, 9),))
case("cnn-train", trained(Cnn()).train(), (N(3, 1, 9, 9),))
case("cnn-core", trained(Cnn()).eval(), (N(2, 1, 9, 9),), decompose=True)


class Views(nn.Module):
    """Writes through views, and reads of every other view after them."""

    def forward(self, x, y):
        a = x.clone()
        t = a.transpose(0, 1)
        row = a[1]
        flat = a.view(-1)
        row.fill_(7)
        flat[2:6:2].mul_(-1)
        t[0].add_(y)
        part, rest = a.split([1, 3], dim=1)
        rest.copy_(part)
        a[:, -1:].sub_(row[:1])
        b = a.reshape(2, -1)
        b[0].zero_()
        mask = a > 1
        a.masked_fill_(mask, 0.5)
        c = x.expand(2, 3, 4).contiguous()
        c.select(0, 1).relu_()
        d = torch.diagonal(a)
        d.add_(10)
        c[0, 1:, ::2] = a[1:, 1::2]
        e = a.permute(1, 0).reshape(-1)
        e.zero_()
        return a, t, row, flat, rest, c, d, mask, e


case("views", Views().eval(), (N(3, 4), N(3)))


class Structures(nn.Module):
    def forward(self, pair, d, *, scale=None, flags=(True, None)):
        a, b = pair
        y = a + b * d["w"] + d["more"][0]
        if scale is not None:
            y = y * scale
        return {"y": y, "list": [a, (b, None)], "size": a.shape[0] * 2, "none": None}


case(
    "structures", Structures().eval(), ((N(2), N(2)), {"w": N(2), "more": [N(1)]}),
    {"scale": N(1)}, bad=[(((N(2), N(2)), {"w": N(2)}), {"scale": N(1)})],
)


class Point(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


@dataclass
class Result:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


pytree._register_namedtuple(Point, serialized_type_name="spec.Point")
torch.export.register_dataclass(Result, serialized_type_name="spec.Result")


class Classes(nn.Module):
    def forward(self, p):
        return Result(p.x + 1), Point(p.y, p.x)


case("classes", Classes().eval(), (Point(N(2), N(3)),))


class Cond(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda t: self.fc(t), lambda t: t * 2, (x,))


case("cond", Cond().eval(), (torch.ones(2, 3),), more=[((-torch.ones(2, 3),), {})])


class While(nn.Module):
    def forward(self, x, n):
        def go(i, t):
            return i < n.sum()

        def step(i, t):
            return i + 1, t * 1.5

        return torch.while_loop(lambda i, t: i < 5, step, (torch.tensor(0), x))


case("while-loop", While().eval(), (N(2, 3), torch.tensor([4])))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.gru = nn.GRU(5, 3, batch_first=True)

    def forward(self, ids):
        y, (h, c) = self.lstm(self.embed(ids))
        return self.gru(y)[0], h, c


case("recurrent", Recurrent().eval(), (torch.randint(0, 10, (2, 6)),))


class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.arange(6).reshape(2, 3)
        self.register_buffer("hidden", torch.tensor([True, False, True]), persistent=False)
        self.register_buffer("wide", torch.arange(3, dtype=torch.float64) / 3)
        self.register_buffer("empty", torch.zeros(0, 2))
        self.register_buffer("scalar", torch.tensor(2.5))
        self.register_buffer("turned", torch.arange(6.0).reshape(2, 3).t())
        shared = torch.arange(8.0)
        self.register_buffer("first", shared[:4])
        self.register_buffer("second", shared[2:6])
        self.a = nn.Linear(3, 3, bias=False)
        self.b = nn.Linear(3, 3, bias=False)
        self.b.weight = self.a.weight

    def forward(self, x):
        y = self.b(self.a(x)) + torch.tensor([1.0, 2.0, 3.0])
        z = torch.where(self.hidden, y, self.table.sum(0).to(y.dtype)) * self.scalar
        return z @ self.turned, self.wide.float() + self.empty.sum(), self.first + self.second


case("constants", Constants().eval(), (N(2, 3),))


class Halves(nn.Module):
    def __init__(self):
        super().__init__()
        self.f16 = nn.Linear(3, 2).half()
        self.bf16 = nn.Linear(3, 2).bfloat16()

    def forward(self, x):
        return self.f16.weight.float() @ x, (x[:2] * self.bf16.bias.float())


case("halves", Halves().eval(), (N(3),))


class Counter(nn.Module):
    """Writes to buffers, also under no_grad."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(2))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x):
        self.count.add_(x)
        self.count[0] = 5
        with torch.no_grad():
            self.steps.add_(1)
        return self.count * 2, self.steps + 1


case("counter", Counter().train(), (N(2),))
case("counter-core", Counter().train(), (N(2),), decompose=True)


class Shapes(nn.Module):
    """Arithmetic with sizes."""

    def forward(self, x, y):
        n = x.shape[0]
        half = x[: n // 2]
        wide = torch.cat([x, y]).reshape(-1, 2)[n:-1]
        return half + n * 0.5, wide, x.new_zeros(n + 1, 2).sum() + y.shape[0], x.view(2, -1)


rows = Dim("rows", min=2, max=32)
case(
    "shapes", Shapes().eval(), (N(8, 4), N(6, 4)), dynamic_shapes={"x": {0: 2 * rows}, "y": {0: Dim.AUTO}},
    more=[((N(10, 4), N(3, 4)), {})], bad=[((N(9, 4), N(6, 4)), {}), ((N(2, 4), N(6, 4)), {}), ((N(66, 4), N(6, 4)), {})],
)
same = Dim("same")


class Same(nn.Module):
    def forward(self, x, others):
        return x * others[0]


case("same", Same().eval(), (N(4), [N(4)]), dynamic_shapes={"x": {0: same}, "others": [{0: same}]}, bad=[((N(4), [N(5)]), {})])



class Rounded(nn.Module):
    """Casts to halves lose bits."""

    def forward(self, x):
        return x.half().float(), x.to(torch.bfloat16).float() + 1, x.type_as(x.half()), (x > 0).half()


case("rounded", Rounded().eval(), (N(4, 5) * 100,))


class Integers(nn.Module):
    """Division, remainders, shifts, 0-d tensors, masks and negative dimensions as integers have them."""

    def forward(self, i, j, x):
        zero = i.sum()
        mask = (i > 0) & ~(j == 2)
        return (
            i // j, i % j, torch.div(i, j, rounding_mode="trunc"), torch.fmod(i, j), i / j, i // 3, -i >> 1, i << 2,
            zero // 4, zero * x, x.select(-1, -2) + zero, torch.where(mask, i, -1), mask.sum(-1), mask.any(-2), ~i,
            i.float().mean(dim=(-1, -2)), i.cumsum(-1), i.max(-1)[1], (i * 2.5), (x > 0) * i, i.prod(), i ** 2, i.clamp(-2),
            x.masked_fill(mask, -torch.inf).amax(-1), mask.float().sum(), i.abs().sqrt(), torch.bitwise_xor(i, j), i * True,
            i.argmax(), x.argsort(-1), i.unsqueeze(-1).expand(-1, -1, 2).sum((-1, 0)), i.new_full((), 7) % j, mask | (j > 1),
        )


case("integers", Integers().eval(), (torch.randint(-9, 9, (3, 4)), torch.tensor([1, 2, -2, 3]), N(3, 4)))


class Spectral(nn.Module):
    """Complex weights, inputs, outputs and constants; writes into complex tensors and their parts."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, 4, dtype=torch.cfloat))
        self.register_buffer("turns", torch.polar(torch.ones(5, 2), torch.arange(10.0).reshape(5, 2)))

    def forward(self, x, z):
        f = torch.fft.rfft(x)
        out = torch.zeros(x.shape[0], 2, f.shape[-1], dtype=torch.cfloat)
        out[:, :, :4] = torch.einsum("bix,iox->box", f[:, :, :4], self.weight)
        out[0, 0, 0] = 1 + 2j
        y = torch.fft.irfft(out, n=x.shape[-1])
        pairs = torch.view_as_complex(x.transpose(1, 2)[:, :5, :2].contiguous().unsqueeze(2))
        turned = torch.view_as_real(pairs * self.turns[:, :1]).flatten(2)
        w = z.clone()
        w.imag[0] = 3
        w.real.mul_(2)
        w.conj()[1] = 1j
        v = torch.where(w.abs() > 1, w, 0.5j * w).exp().sqrt() / (1 - z)
        return y, turned, w, v, z @ z.mH, torch.linalg.inv(z @ z.mH + torch.eye(3)), w.sum() == 0, w.mean(1).angle()


case("spectral", Spectral().eval(), (N(2, 3, 8), torch.randn(3, 4, dtype=torch.cfloat)), dynamic_shapes={"x": {0: Dim.AUTO}, "z": None},
     more=[((N(4, 3, 8), torch.randn(3, 4, dtype=torch.cfloat)), {})])


class Renamed(nn.Module):
    """In-place ops and outputs whose overloads have other names where they write to nothing."""

    def forward(self, x, i):
        a = x.clone()
        a.transpose_(0, 1).add_(1)
        a.pow_(torch.tensor(2.0)).pow_(2).floor_divide_(torch.tensor(0.5)).clamp_(max=100)
        torch.copysign(a, -a, out=a)
        b = torch.zeros(3)
        torch.sum(x, 1, out=b)
        c = torch.empty(4)
        torch.mean(x, 0, out=c)
        d = torch.empty(3, 4)
        torch.divide(x, 2, out=d)
        e = x.flatten().clone().resize_(2, 3)
        j = i.clone()
        j.floor_divide_(torch.tensor(2))
        return a, b, c, d, e.neg_(), j, 2.0 ** -i, i ** 2.0 * 1e5, torch.maximum(x, -x, out=torch.empty(3, 4))


case("renamed", Renamed().eval(), (N(3, 4), torch.tensor([3, 40, -2])))


class Solved(nn.Module):
    """Checks that a token keeps in their order."""

    def forward(self, a, b):
        return torch.linalg.inv(a), torch.linalg.solve(a, b), torch.linalg.cholesky(a @ a.mT + torch.eye(3)), torch.linalg.det(a)


case("solved-core", Solved().eval(), (N(2, 3, 3), N(2, 3, 2)), decompose=True)


class Mapped(nn.Module):
    def forward(self, xs, y):
        from torch._higher_order_ops.map import map as over_rows
        from torch._higher_order_ops.scan import scan

        rows = over_rows(lambda row, y: {"sum": (row * y).sum(), "sign": row > 0}, xs, y)
        last, sums = scan(lambda sum, row: (sum * 0.5 + row, sum.tanh()), y, xs)
        return rows, last, sums


case("mapped", Mapped().eval(), (N(3, 4), N(4)))


@torch.library.custom_op("transformers::grouped_mm_fallback", mutates_args=())
def grouped_mm_fallback(input: torch.Tensor, weight: torch.Tensor, offs: torch.Tensor) -> torch.Tensor:
    return torch.ops.aten._grouped_mm(input, weight, offs.int())


@grouped_mm_fallback.register_fake
def _(input, weight, offs):
    return input.new_empty(input.size(0), weight.size(2))


class Grouped(nn.Module):
    """A mixture of experts sends each token to one of them, one gets none; and products by groups in their other forms."""

    def __init__(self):
        super().__init__()
        self.router = nn.Linear(8, 3)
        self.experts = nn.Parameter(torch.randn(3, 8, 16))
        self.router.bias.data[1] = -100

    def forward(self, x, left, right, ends):
        mm = torch.ops.aten._grouped_mm
        expert = self.router(x).argmax(-1)
        order = expert.argsort(stable=True)
        counts = torch.nn.functional.one_hot(expert, 3).sum(0)
        rows = mm(x[order], self.experts, counts.cumsum(0).int())
        same = torch.ops.transformers.grouped_mm_fallback(x[order], self.experts, counts.cumsum(0))
        columns = mm(right[:, 0].unflatten(0, (2, -1)), self.experts[0], ends)
        return rows, same, mm(left, self.experts[0, :4].mT, ends), mm(right, self.experts[:2]), columns


GROUPED = Grouped().eval()
case("grouped", GROUPED, (N(7, 8), N(4, 16), N(2, 4, 8), torch.tensor([6, 16], dtype=torch.int32)))

class Trained(nn.Module):
    """Normalised by the batch, in the ops that decompositions and users write."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("var", torch.ones(3))

    def forward(self, x):
        y, mean, scale = torch.native_batch_norm(x, None, None, self.mean, self.var, True, 0.2, 1e-5)
        return self.norm(x), y, mean * scale


case("trained", Trained().train(), (N(4, 3),), more=[((N(4, 3),), {})])
case("trained-core", Trained().train(), (N(4, 3),), more=[((N(4, 3),), {})], decompose=True)


from torchvision import ops


class Detected(nn.Module):
    """torchvision's own ops."""

    def forward(self, x, boxes, scores, rois, weight, offset, mask):
        kept = ops.nms(boxes, scores, 0.3)
        return (
            kept.shape[0], boxes[kept], ops.roi_align(x, rois, (3, 4), 0.5, 2, True), ops.roi_align(x, rois, (2, 2), 0.3, 0, False),
            ops.roi_pool(x, rois, (3, 4), 0.5), ops.deform_conv2d(x, offset, weight, stride=2, padding=1),
            ops.deform_conv2d(x, offset, weight, torch.ones(4), stride=2, padding=1, mask=mask),
        )


corners = torch.rand(30, 2) * 20
boxes = torch.cat([corners, corners + 1 + torch.rand(30, 2) * 12], 1)
rois = torch.cat([torch.tensor([[0.0], [1.0], [1.0], [0.0]]), boxes[:4]], 1)
case("detected", Detected().eval(), (N(2, 4, 9, 8), boxes, torch.rand(30), rois, N(4, 2, 3, 3), N(2, 36, 5, 4), torch.rand(2, 18, 5, 4)))


class Windowed(nn.Module):
    def forward(self, x, points):
        pad = nn.utils.rnn.pad_sequence
        counts, edges = torch.histogramdd(points, [3, 4])
        shares, _ = torch.histogramdd(points, [torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([-1.0, 0.5, 1.0])], density=True)
        solved = torch.linalg.ldl_solve(*torch.linalg.ldl_factor(x @ x.mT - 3 * torch.eye(4)), x)
        return (
            torch.kaiser_window(9), torch.kaiser_window(8, periodic=False, beta=5.0), torch.bartlett_window(8),
            torch.bartlett_window(9, False), torch.hamming_window(7, True, 0.6), torch.hamming_window(7), torch.range(1, 3, 0.5),
            pad([x, x[:2]]), pad([x, x[:1]], batch_first=True, padding_value=-1.0), pad([x, x[:3]], padding_side="left"),
            counts, edges[1], shares, torch.histogramdd(points, 3, weight=points[:, 0])[0], solved, torch.special.airy_ai(4 * x),
            torch.linalg.matrix_rank(x, tol=torch.tensor(0.5)), x.sigmoid().polygamma_(1),
        )


case("windowed", Windowed().eval(), (N(4, 3), N(30, 2)))

class Vmapped(nn.Module):
    """Functions of one row, of rows of rows, and of what all rows share."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 4)

    def forward(self, x, y):
        def row(one, scale):
            one = one.clone().mul_(2)
            return self.head(one).softmax(0) @ one, one * scale

        scores, scaled = torch.vmap(row, in_dims=(0, None))(x, y.sum())
        pairs = torch.vmap(lambda a: torch.vmap(lambda b: (a * b).sum().relu() + y)(x))(x)
        return scores, scaled, pairs, torch.vmap(torch.dot, in_dims=(1, 1))(x, x)


case("vmapped", Vmapped().eval(), (N(3, 4), N(2)), dynamic_shapes={"x": {0: Dim.AUTO}, "y": None}, more=[((N(5, 4), N(2)), {})])

class Tied(nn.Module):
    """Equal values, of which the algorithms say which come first."""

    def forward(self, x):
        tops = [torch.topk(x, k, 1, largest, in_order) for k in (2, 5, 150) for largest in (True, False) for in_order in (True, False)]
        return tops, torch.kthvalue(x, 77, 1), x.kthvalue(2, 0, keepdim=True), x[:, :9].topk(4), x.median(1), x.sort(dim=1, stable=True), x.mode(1)


case("tied", Tied().eval(), (torch.randint(0, 4, (3, 200)),))

class Keyed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, ids, *, mask, scale=1.0):
        return {"logits": self.head((self.embed(ids) * mask[..., None]).mean(1)) * scale}


IDS, MASK = torch.randint(0, 20, (2, 5)), torch.ones(2, 5)
case("keyed", Keyed().eval(), (IDS,), {"mask": MASK, "scale": 0.5}, more=[((IDS,), {"scale": 0.5, "mask": MASK})], bad=[
    ((IDS,), {"mask": MASK}), ((IDS,), {}), ((IDS,), {"mask": MASK, "scal": 0.5}), ((IDS,), {"mask": MASK, "scale": 0.5, "more": 1}),
    ((IDS, MASK, 0.5), {}), ((IDS,), {"mask": MASK, "scale": 2.0}), ((IDS,), {"mask": MASK[:, :4], "scale": 0.5}),
    ((), {"ids": IDS, "mask": MASK, "scale": 0.5}),
])

class Rowless(nn.Module):
    def forward(self, x):
        lu, places = torch.linalg.lu_factor(x.new_zeros(0, 3, 3))
        return (
            *torch.linalg.qr(x), *torch.linalg.qr(x.mT), torch.linalg.qr(x, mode="complete")[1], *torch.linalg.svd(x),
            torch.linalg.svd(x, full_matrices=False).Vh, torch.linalg.svd(x.mT).U, torch.linalg.lu_solve(lu, places, x.new_zeros(0, 3, 4)),
            nn.functional.batch_norm(x[None], torch.ones(0), torch.ones(0), training=True), torch.linalg.det(x[:, :0]), torch.linalg.inv(x[:, :0]),
        )


case("rowless", Rowless().eval(), (torch.zeros(0, 3),))

class Kept(nn.Module):
    """What is written to later is given back as it was; copies that look like views, and views that do not."""

    def __init__(self):
        super().__init__()
        self.register_buffer("state", torch.arange(6.0).reshape(2, 3))
        self.register_buffer("last", torch.zeros(2, 3))

    def forward(self, x):
        before = self.state.clone()
        self.last.copy_(self.state)
        self.state.mul_(2).add_(x)
        turned = x.clone()
        turned.H.select(0, 0).fill_(7)
        column = turned[:, :1].ravel()
        column.add_(1)
        pairs = torch.cat([x, x], 1)
        pairs.unfold(1, 2, 2).select(2, 0).mul_(3)
        return before, turned, column, pairs


case("kept", Kept().eval(), (N(2, 3),), more=[((N(2, 3),), {})])
case("kept-core", Kept().eval(), (N(2, 3),), more=[((N(2, 3),), {})], decompose=True)

class Checked(nn.Module):
    """Puts pictures into a text, after a look at whether there are as many as places for them, and that not too many."""

    def forward(self, ids, text, pictures):
        places = ids == 7
        torch._check_tensor_all(places.sum() == pictures.shape[0])
        count = places.sum(1).amax().item()
        torch._check(count <= 3)
        return text.masked_scatter(places[..., None], pictures * 2)


TEXT = (torch.tensor([[7, 1, 7], [2, 7, 3]]), N(2, 3, 4), N(3, 4))
case("checked", Checked().eval(), TEXT, more=[((TEXT[0].flip(1), N(2, 3, 4), N(3, 4)), {})])

save_file(tensors, out / "cases.safetensors")
(out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
