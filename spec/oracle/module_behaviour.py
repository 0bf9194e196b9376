"""What torch.nn.Module and its containers do, case by case: spec/module/behaviour.spec.ts does the same.

    python spec/oracle/module_behaviour.py > spec/goldens/module-behaviour.json
"""

import json
from collections import OrderedDict

import torch
from torch import nn

CASES = {}


def case(fn):
    CASES[fn.__name__] = fn
    return fn


def error(run):
    try:
        run()
    except Exception as raised:  # noqa: BLE001
        return raised.args[0] if raised.args else ""
    return None


class Leaf(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("first", torch.zeros(2))
        self.late = nn.Linear(1, 1)
        self.weight = nn.Parameter(torch.zeros(3))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 3)
        self.b = nn.Linear(3, 2, bias=False)

    def forward(self, x):
        return self.b(self.a(x))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(2, 2)
        self.two = self.one
        self.inner = nn.Sequential(self.one, nn.BatchNorm1d(2))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(2, 4, bias=False)
        self.head = nn.Linear(2, 4)
        self.head.weight = self.embed.weight


def names(pairs):
    return [name for name, _ in pairs]


@case
def order_of_keys():
    leaf = Leaf()
    return [
        list(leaf.state_dict()),
        list(leaf.state_dict(prefix="net.")),
        names(leaf.named_parameters()),
        names(leaf.named_parameters(prefix="net", recurse=False)),
        names(leaf.named_buffers()),
        names(leaf.named_modules(prefix="net")),
    ]


@case
def reassigned_property_keeps_its_place():
    pair = Pair()
    pair.a = nn.Linear(2, 5)
    pair.b.weight = nn.Parameter(torch.ones(1, 1))
    return [list(pair.state_dict()), str(pair)]


@case
def deleted_property_is_gone_and_returns_at_the_end():
    pair = Pair()
    a = pair.a
    del pair.a
    without = list(pair.state_dict())
    pair.a = a
    del a.bias
    return [without, list(pair.state_dict())]


@case
def buffer_assigned_anew():
    leaf = Leaf()
    leaf.first = torch.ones(4)
    leaf.scratch = torch.ones(4)
    return [list(leaf.state_dict()), [list(b.shape) for b in leaf.buffers()]]


@case
def absent_members():
    net = Pair()
    net.register_module("gone", None)
    net.register_parameter("bias", None)
    net.register_buffer("mask", None)
    return [str(net), list(net.state_dict()), names(net.named_children()), names(net.named_modules())]


@case
def shared_modules():
    net = Shared()
    return [
        list(net.state_dict()),
        names(net.named_modules()),
        names(net.named_modules(remove_duplicate=False)),
        names(net.named_children()),
        names(net.named_parameters()),
        names(net.named_parameters(remove_duplicate=False)),
        names(net.named_buffers()),
        len(list(net.parameters())),
        str(net),
    ]


@case
def tied_parameters():
    net = Tied()
    keys = list(net.state_dict())
    state = {key: torch.full_like(value, i) for i, (key, value) in enumerate(net.state_dict().items())}
    net.load_state_dict(state)
    return [keys, names(net.named_parameters()), net.embed.weight[0, 0].item(), net.head.weight[0, 0].item()]


@case
def load_errors():
    state = {"a.weight": torch.zeros(3, 3), "a.bias": torch.zeros(1), "c.weight": torch.zeros(1), "d": torch.zeros(1)}
    short = {"a.weight": torch.zeros(3, 2)}
    return [
        error(lambda: Pair().load_state_dict(state)),
        error(lambda: Pair().load_state_dict(short)),
        error(lambda: Pair().load_state_dict({})),
        error(lambda: nn.Sequential(Pair()).load_state_dict({"0.a.weight": torch.zeros(6)}, strict=False)),
    ]


@case
def unexpected_keys_in_order_of_modules():
    state = {key: torch.zeros(1) for key in ("0.b.x", "0.y", "z", "1.c", "0.a.q", "5.w", "0.a.weight.k")}
    net = nn.Sequential(Pair(), nn.ReLU())
    return [error(lambda: net.load_state_dict(state)), list(net.load_state_dict(state, strict=False)[1])]


@case
def load_not_strict():
    net = Pair()
    result = net.load_state_dict({"a.bias": torch.ones(3), "x": torch.zeros(1)}, strict=False)
    return [result.missing_keys, result.unexpected_keys, net.a.bias.tolist()]


@case
def load_fails_and_changes_what_fits_or_nothing():
    # PyTorch copies what fits before it raises; ours changes nothing. Only the text is compared.
    return error(lambda: Pair().load_state_dict({"a.bias": torch.ones(3), "a.weight": torch.ones(1)}))


@case
def load_old_scalar():
    leaf = Leaf()
    state = dict(leaf.state_dict())
    state["alpha"] = torch.tensor([7.0])
    leaf.load_state_dict(state)
    return [leaf.alpha.item(), list(leaf.alpha.shape)]


@case
def load_without_num_batches_tracked():
    norm = nn.BatchNorm1d(2)
    state = {key: value for key, value in norm.state_dict().items() if key != "num_batches_tracked"}
    plain = dict(state)
    result = norm.load_state_dict(plain)
    return [result.missing_keys, norm.num_batches_tracked.item()]


@case
def hooks_run_in_order():
    log = []
    net = nn.Sequential(nn.Identity())
    net.register_forward_hook(lambda m, a, o: log.append("after 1"))
    net.register_forward_hook(lambda m, a, o: log.append("after 0"), prepend=True)
    handle = net.register_forward_hook(lambda m, a, o: log.append("never"))
    net.register_forward_pre_hook(lambda m, a: log.append("before 1"))
    net.register_forward_pre_hook(lambda m, a: log.append("before 0"), prepend=True)
    net[0].register_forward_pre_hook(lambda m, a: log.append("child before"))
    net[0].register_forward_hook(lambda m, a, o: log.append("child after"))
    handle.remove()
    handle.remove()
    net(torch.ones(1))
    return log


@case
def hooks_replace():
    net = nn.Identity()
    net.register_forward_pre_hook(lambda m, a: (a[0] * 2,))
    net.register_forward_pre_hook(lambda m, a: a[0] + 1)
    net.register_forward_hook(lambda m, a, o: o * 10 + a[0])
    return net(torch.ones(1)).tolist()


@case
def apply_order():
    log = []
    net = nn.Sequential(Pair(), nn.Sequential(nn.ReLU()))
    net.apply(lambda m: log.append(type(m).__name__))
    return log


@case
def training_mode():
    net = nn.Sequential(Pair(), nn.ReLU())
    net.eval()
    off = [m.training for m in net.modules()]
    net[0].train()
    part = [m.training for m in net.modules()]
    net.train()
    return [off, part, [m.training for m in net.modules()], error(lambda: net.train("yes"))]


@case
def requires_grad():
    net = Pair()
    net.a.requires_grad_(False)
    return [[p.requires_grad for p in net.parameters()], [p.requires_grad for p in net.requires_grad_().parameters()]]


@case
def lookups():
    net = nn.Sequential(Leaf())
    return [
        type(net.get_submodule("")).__name__,
        type(net.get_submodule("0.late")).__name__,
        error(lambda: net.get_submodule("0.nothing.x")),
        error(lambda: net.get_submodule("0.weight")),
        list(net.get_parameter("0.weight").shape),
        error(lambda: net.get_parameter("0.first")),
        error(lambda: net.get_parameter("0.nothing")),
        list(net.get_buffer("0.first").shape),
        error(lambda: net.get_buffer("0.weight")),
        error(lambda: net.get_buffer("0.nothing")),
        list(net[0].get_parameter(".weight").shape),
        list(net[0].get_buffer(".first").shape),
    ]


@case
def register_errors():
    net = Pair()
    return [
        error(lambda: net.register_parameter("a", nn.Parameter(torch.zeros(1)))),
        error(lambda: net.register_parameter("x.y", nn.Parameter(torch.zeros(1)))),
        error(lambda: net.register_parameter("", nn.Parameter(torch.zeros(1)))),
        error(lambda: net.register_buffer("a", torch.zeros(1))),
        error(lambda: net.register_buffer("x.y", torch.zeros(1))),
        error(lambda: net.register_buffer("", torch.zeros(1))),
        error(lambda: net.register_module("training", nn.ReLU())),
        error(lambda: net.register_module("x.y", nn.ReLU())),
        error(lambda: net.register_module("", nn.ReLU())),
    ]


@case
def missing_forward():
    class Plain(nn.Module):
        pass

    return [
        error(lambda: Plain()(1)),
        error(lambda: nn.ModuleList()(1)),
        error(lambda: nn.ModuleDict()(1)),
    ]


@case
def reprs():
    class Told(nn.Module):
        def __init__(self, text, child):
            super().__init__()
            if child:
                self.child = nn.ReLU()
            self.text = text

        def extra_repr(self):
            return self.text

    return [
        str(nn.Sequential()),
        str(Told("", False)),
        str(Told("one", False)),
        str(Told("one\ntwo", False)),
        str(Told("one", True)),
        str(Told("one\ntwo", True)),
        str(nn.Sequential(Told("one\ntwo", True), Pair())),
    ]


@case
def sequential():
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))
    out = [str(net), len(net), str(net[-1]), str(net[1:]), list(net[1:].state_dict())]
    net.append(nn.Tanh())
    net.insert(1, nn.Sigmoid())
    out.append(str(net))
    net.extend([nn.ReLU(), nn.Tanh()])
    popped = net.pop(0)
    out += [str(popped), names(net.named_children()), list(net.state_dict())]
    del net[1]
    out += [names(net.named_children())]
    net[0] = nn.Identity()
    out += [str(net), error(lambda: net[9]), error(lambda: net[-9]), error(lambda: net.insert(40, nn.ReLU()))]
    return out


@case
def sequential_named():
    net = nn.Sequential(OrderedDict([("conv", nn.Linear(1, 1)), ("act", nn.ReLU()), ("10", nn.Tanh())]))
    out = [str(net), list(net.state_dict()), str(net[2]), str(net.conv)]
    net.append(nn.Sigmoid())
    out.append(str(net))
    return out


@case
def module_list():
    net = nn.ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU(), nn.Linear(1, 2)])
    out = [str(net), len(net), str(net[-1]), str(net[1:3]), list(net[1:].state_dict())]
    net.insert(0, nn.Tanh())
    net.append(nn.ReLU())
    net += [nn.Tanh()]
    out += [str(net), names(net.named_children())]
    out += [str(net.pop(2)), names(net.named_children())]
    del net[0]
    return [*out, str(net), error(lambda: net[9])]


@case
def module_dict():
    net = nn.ModuleDict({"b": nn.Linear(1, 1), "a": nn.ReLU()})
    net["10"] = nn.Tanh()
    net["2"] = nn.Sigmoid()
    net.update({"b": nn.Linear(2, 2), "c": nn.ReLU()})
    out = [str(net), list(net), list(net.state_dict()), len(net), "a" in net, "z" in net]
    out += [str(net.pop("a")), list(net.keys())]
    net.update([("x", nn.Tanh()), ("y", nn.Tanh())])
    out += [list(net.keys()), [str(m) for m in net.values()]]
    net.clear()
    return [*out, str(net), len(net)]


@case
def parameter_list():
    net = nn.ParameterList([nn.Parameter(torch.zeros(2, 3)), torch.zeros(4)])
    net.append(nn.Parameter(torch.zeros(())))
    net.extend([torch.zeros(1)])
    out = [str(net), len(net), list(net.state_dict()), list(net[-1].shape), len(net[1:3])]
    holder = nn.Sequential(net)
    return [*out, str(holder), list(holder.state_dict()), error(lambda: net[9])]


@case
def parameter_dict():
    net = nn.ParameterDict({"b": nn.Parameter(torch.zeros(2, 3)), "a": torch.zeros(4)})
    net["10"] = nn.Parameter(torch.zeros(()))
    net["2"] = nn.Parameter(torch.zeros(1, dtype=torch.float32))
    out = [str(net), list(net), list(net.state_dict()), len(net), "a" in net, "z" in net]
    out += [list(net.pop("a").shape), list(net.keys())]
    net.update({"c": torch.zeros(1), "b": torch.zeros(5)})
    out += [list(net.keys()), list(net["b"].shape), str(nn.Sequential(net))]
    net.clear()
    return [*out, str(net), len(net)]


@case
def a_module_used_twice_runs_its_hooks_twice():
    log = []
    layer = nn.ReLU()
    layer.register_forward_hook(lambda m, a, o: log.append(a[0].item()))
    net = nn.Sequential(layer, nn.Identity(), layer)
    net(torch.tensor(-1.0))
    return [log, names(net.named_modules()), len(list(net.modules())), str(net)]


@case
def state_dict_is_live():
    net = Pair()
    state = net.state_dict()
    net.load_state_dict({key: torch.ones_like(value) for key, value in state.items()})
    return state["a.bias"].tolist()


print(json.dumps({name: run() for name, run in CASES.items()}, indent=1))
