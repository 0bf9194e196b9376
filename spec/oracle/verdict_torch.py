"""Files for checkpoint_verdicts.py: what torch.save writes, and archives that it did not write so."""

import argparse
import collections
import copy
import datetime
import decimal
import enum
import fractions
import io
import pathlib
import pickle
import random
import sys
import types
import uuid
import zipfile

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations

REAL = "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool".split()
ODD = "float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2".split()
COMPLEX = "complex32 complex64 complex128".split()


def careful(path):
    return flatten(torch.load(path, weights_only=True))


def trusting(path):
    return flatten(torch.load(path, weights_only=False))


def script(path):
    return torch.jit.load(path).state_dict()


def flatten(value, path=None):
    """The tensors in dicts, lists and tuples, under dotted keys; one by itself as `array`."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return {"array" if path is None else path: value}
    if isinstance(value, torch.Size):
        return {}
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return {}
    found = {}
    for key, item in items:
        found |= flatten(item, str(key) if path is None else f"{path}.{key}")
    return found


def saved(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def of_dtype(name, *shape):
    dtype = getattr(torch, name)
    count = torch.Size(shape).numel()
    if name in REAL:
        return torch.tensor([(7 * i) % 100 for i in range(count)]).to(dtype).reshape(shape)
    if name in COMPLEX:
        numbers = torch.complex(torch.arange(float(count)), -torch.arange(float(count)))
        return numbers.to(dtype).reshape(shape)
    return torch.tensor([(7 * i) % 60 for i in range(count)], dtype=torch.uint8).view(dtype).reshape(shape)


class Tagged(torch.Tensor):
    """A subclass of tensors."""


class Color(enum.Enum):
    RED = 1


Point = collections.namedtuple("Point", "x y")


def values():
    """Each is a state_dict, or something that holds one."""
    for name in REAL + ODD + COMPLEX:
        whole = of_dtype(name, 3, 4)
        views = {"w": whole, "row": whole[1], "none": of_dtype(name, 0, 3), "scalar": of_dtype(name)}
        yield name, views if name == "float4_e2m1fn_x2" else views | {"turned": whole.t(), "steps": whole[:, ::2]}
    base = torch.arange(24.0).view(4, 6)
    numbers = torch.tensor([1 + 2j, 3 - 4j])
    tensors = {
        "expanded": torch.ones(1, 3).expand(4, 3), "overlapping": torch.as_strided(base, (3, 3), (2, 1), 3),
        "far": base.flatten()[20:], "last": base[-1:, -1:], "flipped": base.flip(0), "unfolded": base.unfold(1, 3, 2),
        "diagonal": base.diagonal(), "channels last": torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last),
        "no rows": base[4:], "no columns": base[:, 6:], "zeros amid": torch.zeros(2, 0, 3), "scalar": torch.tensor(3.5),
        "of one": torch.ones(1, 1, 1), "empty": torch.empty(0), "as_strided of zero": torch.as_strided(base, (0, 3), (100, 1), 24),
        "broadcast scalar": torch.tensor(2.0).expand(3, 2), "strides of ones": torch.as_strided(base, (1, 6), (999, 1)),
    }
    for name, tensor in tensors.items():
        yield name, {"w": tensor}
    yield "conjugate", {"w": numbers.conj(), "part": numbers.conj()[1:], "double": numbers.to(torch.complex128).conj()}
    yield "negative", {"w": numbers.conj().imag, "resolved": numbers.conj().imag.resolve_neg()}
    yield "parts of complex numbers", {"real": numbers.real, "imag": numbers.imag, "both": torch.view_as_real(numbers)}
    yield "tied", collections.OrderedDict(a=base, b=base, c=base[1:])
    yield "parameters", {"p": nn.Parameter(torch.ones(2)), "frozen": nn.Parameter(torch.ones(2), False), "buffer": nn.Buffer(torch.ones(2))}
    yield "a parameter of halves", {"p": nn.Parameter(torch.ones(2, dtype=torch.bfloat16))}
    tagged = nn.Parameter(torch.ones(2))
    tagged.note = {"a": 1}
    yield "a parameter with a note", {"p": tagged}
    tagged = torch.ones(2)
    tagged.note = [1]
    yield "a tensor with a note", {"w": tagged}
    yield "of a subclass", {"w": torch.ones(2).as_subclass(Tagged), "v": torch.ones(2)}
    yield "requires_grad", {"w": torch.ones(2, requires_grad=True)}
    yield "with hooks", {"w": torch.ones(2)}
    floats = torch.randn(3, 4)
    yield "quantised", {
        "quint8": torch.quantize_per_tensor(floats, 0.1, 3, torch.quint8), "qint8": torch.quantize_per_tensor(floats, 0.1, -3, torch.qint8),
        "qint32": torch.quantize_per_tensor(floats, 0.01, 0, torch.qint32), "turned": torch.quantize_per_tensor(floats, 0.1, 3, torch.quint8).t(),
    }
    scales, points = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, -2])
    yield "quantised by rows", {"w": torch.quantize_per_channel(floats, scales, points, 0, torch.qint8)}
    yield "quantised by columns", {"w": torch.quantize_per_channel(floats.t(), scales.double(), points, 1, torch.qint8)}
    yield "quantised with real zeros", {"w": torch.quantize_per_channel(floats.abs(), scales, points.abs().float(), 0, torch.quint8)}
    yield "sparse", {"w": torch.eye(3).to_sparse(), "v": torch.ones(2)}
    yield "compressed", {"csr": torch.eye(3).to_sparse_csr(), "csc": torch.eye(3).to_sparse_csc(), "bsr": torch.eye(4).to_sparse_bsr((2, 2)), "v": torch.ones(2)}
    yield "meta", {"w": torch.empty(2, 3, device="meta"), "v": torch.ones(2)}
    yield "nested", {"w": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "v": torch.ones(2)}
    yield "jagged", {"w": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged), "v": torch.ones(2)}
    yield "not initialised", {"w": nn.parameter.UninitializedParameter(), "v": torch.ones(2)}
    for name, value in beside().items():
        yield f"beside {name}", {"w": torch.ones(2), "x": value}
    yield "a dict with other keys", {1: torch.ones(1), "a": torch.ones(2), 2.5: 3, None: 4, (1, 2): 5, True: 6, b"k": 7}
    yield "names of all kinds", {name: torch.ones(1) for name in ["", " ", "é", "가중치", "😀", "a.b", "__proto__", "constructor", "then", "x" * 300, "\n", "\0"]}
    yield "a dict in a dict", {"a": {"b": {"c": torch.ones(2)}}, "d": torch.zeros(2)}
    yield "a list", [torch.ones(2), torch.zeros(3)]
    yield "a tuple", (torch.ones(2), {"a": torch.zeros(3)})
    yield "a tensor", torch.arange(4.0)
    yield "an empty dict", {}
    yield "a defaultdict", collections.defaultdict(list, w=torch.ones(2))
    yield "an OrderedDict with metadata", nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).state_dict()
    yield "a packed state", nn.LSTM(2, 3).state_dict()
    yield "weight norm", parametrizations.weight_norm(nn.Linear(2, 3)).state_dict()
    yield "many storages", {f"t{i}": torch.full((2,), float(i)) for i in range(40)}
    yield "many of one storage", {f"t{i}": row for i, row in enumerate(torch.arange(80.0).view(40, 2))}


def beside():
    """What lies beside tensors in the files of trainers."""
    loop = []
    loop.append(loop)
    shared = [1]
    return {
        "None": None, "True": True, "an int": 7, "a negative int": -70000, "a big int": 2**100, "a negative big int": -(2**70), "2**31": 2**31, "2**63": 2**63, "a float": 0.1, "inf": float("inf"), "nan": float("nan"), "a complex": 1 + 2j,
        "a str": "é😀", "a long str": "x" * 400, "half a pair": "\ud800", "bytes": b"\0\xff", "long bytes": bytes(300), "a bytearray": bytearray(b"ab"), "no bytes": b"",
        "a list": [1, [2, "a"]], "a long list": list(range(1100)), "a tuple": (1, 2, 3, 4), "an empty tuple": (), "a set": {1, 2}, "an empty set": set(), "a frozenset": frozenset({1}), "a dict": {"a": {1: 2}}, "a range": range(3), "a slice": slice(1, 2),
        "a list that holds itself": loop, "one list twice": [shared, shared], "an OrderedDict": collections.OrderedDict(a=1), "a defaultdict": collections.defaultdict(int, a=1), "a Counter": collections.Counter("aab"), "a deque": collections.deque([1], 5),
        "a Size": torch.Size([1, 2]), "a dtype": torch.float16, "dtypes": [getattr(torch, name) for name in REAL + ODD + COMPLEX], "a device": torch.device("cuda:1"), "a layout": torch.strided, "a scheme": torch.per_tensor_affine, "a generator's state": torch.get_rng_state(),
        "finfo's eps": torch.finfo().eps, "a version": torch.__version__,
        "np.float64": np.float64(1.5), "np.float32": np.float32(1.5), "np.int64": np.int64(3), "np.bool_": np.bool_(True), "np.complex64": np.complex64(1j), "np.str_": np.str_("a"), "np.float16": np.float16(1),
        "an array": np.arange(6.0).reshape(2, 3), "an array of ints": np.arange(3, dtype=">i2"), "an array of bools": np.array([True, False]), "an array of texts": np.array(["ab"]), "an array of objects": np.array([None, 1], object), "an array in Fortran's order": np.asfortranarray(np.arange(6).reshape(2, 3)), "a 0-d array": np.array(2.0), "an empty array": np.zeros((0, 2)), "records": np.zeros(1, [("a", "f4")]), "a np.dtype": np.dtype("float32"), "a np type": np.float32, "np's random state": np.random.get_state(), "times": np.array(["2020-01-01"], "M8[D]"),
        "a datetime": datetime.datetime(2020, 1, 2, 3, 4, 5, 6), "a date": datetime.date(2020, 1, 1), "a timedelta": datetime.timedelta(1), "in UTC": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), "a path": pathlib.PurePosixPath("/a/b"), "a Decimal": decimal.Decimal("1.5"), "a Fraction": fractions.Fraction(1, 2), "a UUID": uuid.UUID(int=1), "a namespace": argparse.Namespace(lr=0.1), "a simple namespace": types.SimpleNamespace(a=1), "random's state": random.Random(0).getstate(),
        "a type": int, "a class": nn.Linear, "a function": torch.relu, "an enum": Color.RED, "a namedtuple": Point(1, 2), "Ellipsis": ..., "NotImplemented": NotImplemented, "a module": nn.ReLU(), "an optimizer": torch.optim.SGD([torch.ones(1)], 0.1).state_dict(), "an exception": ValueError("x"), "a generic type": list[int],
    }


class Evil:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def calls():
    """What must not be called."""
    import builtins, os, subprocess

    for name, reduced in {
        "os.system": (os.system, ("true",)), "eval": (eval, ("1",)), "exec": (exec, ("1",)), "getattr": (getattr, (dict, "mro")), "__import__": (builtins.__import__, ("os",)), "open": (open, ("/dev/null",)), "subprocess.run": (subprocess.run, (["true"],)), "compile": (compile, ("1", "x", "eval")), "globals": (globals, ()),
        "print": (print, ("x",)), "map": (map, (len, [])), "torch.load": (torch.load, ("x",)), "torch.hub.load": (torch.hub.load, ("a", "b")), "np.load": (np.load, ("x",)), "pickle.loads": (pickle.loads, (b"N.",)), "len": (len, ([],)), "bytes of a length": (bytes, (3,)), "str": (str, (1,)), "int": (int, ("1",)), "type of a class": (type, ("A", (), {})), "list.append": (list.append, ([], 1)),
    }.items():
        yield f"a call of {name}", {"w": torch.ones(2), "x": Evil(*reduced)}


def rezipped(data, change=lambda name, content: content, method=zipfile.ZIP_STORED, order=None, rename=lambda name: name):
    source = zipfile.ZipFile(io.BytesIO(data))
    file = io.BytesIO()
    names = source.namelist()
    with zipfile.ZipFile(file, "w", method) as target:
        for name in sorted(names, key=order) if order else names:
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(zipfile.ZipInfo(rename(name)), content, method)
    return file.getvalue()


def archives():
    plain = saved({"w": torch.arange(3.0), "v": torch.ones(2)})

    def member(end, content):
        return lambda name, old: (content(old) if callable(content) else content) if name.endswith(end) else old

    yield "deflated", rezipped(plain, method=zipfile.ZIP_DEFLATED)
    yield "packed by bzip2", rezipped(plain, method=zipfile.ZIP_BZIP2)
    yield "the members turned round", rezipped(plain, order=lambda name: [-ord(c) for c in name])
    yield "another folder", rezipped(plain, rename=lambda name: name.replace("archive/", "my model/"))
    yield "a folder in a folder", rezipped(plain, rename=lambda name: "a/" + name)
    yield "no folder", rezipped(plain, rename=lambda name: name.replace("archive/", ""))
    yield "two folders", rezipped(plain, rename=lambda name: name.replace("archive/data/1", "other/data/1"))
    for end in "/version", "/byteorder", "/.format_version", "/.storage_alignment", "/.data/serialization_id", "/data.pkl", "/data/0":
        yield f"no {end}", rezipped(plain, member(end, None))
    for content in b"", b"0\n", b"1\n", b"2", b"3", b"10\n", b"11\n", b"abc", b"3.5", b" 3 \n", b"-1", b"3x":
        yield f"version {content}", rezipped(plain, member("/version", content))
    for content in b"", b"big", b"little\n", b"LITTLE", b"middle":
        yield f"byte order {content}", rezipped(plain, member("/byteorder", content))
    yield "a storage too short", rezipped(plain, member("/data/0", lambda data: data[:-4]))
    yield "a storage too short by a byte", rezipped(plain, member("/data/0", lambda data: data[:-1]))
    yield "a storage too long", rezipped(plain, member("/data/0", lambda data: data + bytes(4)))
    yield "an empty storage", rezipped(plain, member("/data/0", b""))
    yield "an empty pickle", rezipped(plain, member("/data.pkl", b""))
    yield "a pickle with more after it", rezipped(plain, member("/data.pkl", lambda data: data + b"more"))
    yield "a pickle that is cut off", rezipped(plain, member("/data.pkl", lambda data: data[:-1]))
    yield "two pickles", rezipped(plain, member("/data.pkl", lambda data: data + data))
    yield "bytes before it", b"x" * 7 + plain
    yield "bytes after it", plain + b"x" * 7
    yield "many bytes after it", plain + bytes(70000)
    for cut in 1, 2, 21, 22, 60, 200, len(plain) - 100, len(plain) - 4, len(plain):
        yield f"without its last {cut} bytes", plain[:-cut]
    for end in "/data.pkl", "/data/0", "/version", "/byteorder":
        at = plain.index(end.encode()) + len(end)
        at = zipfile.ZipFile(io.BytesIO(plain)).getinfo("archive" + end)
        name, extra = plain[at.header_offset + 26], plain[at.header_offset + 28]
        begin = at.header_offset + 30 + name + extra
        yield f"a bit of {end} flipped", plain[:begin] + bytes([plain[begin] ^ 0x40]) + plain[begin + 1 :]
    yield from ended(plain)
    pickled = zipfile.ZipFile(io.BytesIO(plain)).read("archive/data.pkl")
    changes = {
        "a size too large": (b"K\x03\x85", b"K\x04\x85"), "a size smaller": (b"K\x03\x85", b"K\x02\x85"), "an offset": (b"QK\x00K\x03", b"QK\x01K\x03"), "a stride of 2": (b"K\x01\x85", b"K\x02\x85"), "a stride of 0": (b"K\x01\x85", b"K\x00\x85"),
        "another class of storage": (b"FloatStorage", b"IntStorage"), "an unknown class of storage": (b"FloatStorage", b"FoatStorage"), "a class of storage of wider numbers": (b"FloatStorage", b"DoubleStorage"), "an unknown function": (b"_rebuild_tensor_v2", b"_rebuild_tensor_v9"), "an unknown module": (b"ctorch._utils", b"ctorch._utilz"),
        "another kind of id": (b"storage", b"storagf"), "a device": (b"cpu", b"xyz"), "cuda": (b"cpu", b"cuda:0"), "protocol 1": (b"\x80\x02", b"\x80\x01"), "protocol 6": (b"\x80\x02", b"\x80\x06"), "no mark of a protocol": (b"\x80\x02", b""),
    }
    for name, (old, new) in changes.items():
        assert old in pickled, name
        data = pickled.replace(old, new, 1)
        if old in (b"cpu", b"storage", b"FloatStorage"):
            data = pickled.replace(b"X" + len(old).to_bytes(4, "little") + old, b"X" + len(new).to_bytes(4, "little") + new).replace(old + b"\n", new + b"\n")
        yield name, rezipped(plain, member("/data.pkl", data))
    for name, data in {"an empty archive": [], "a text in an archive": [("a.txt", b"x")], "an archive of arrays' names": [("a.npy", b"x")]}.items():
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for member_name, content in data:
                archive.writestr(member_name, content)
        yield name, file.getvalue()
    legacy = saved({"w": torch.arange(3.0), "v": torch.ones(2)}, _use_new_zipfile_serialization=False)
    yield "legacy", legacy
    for cut in 1, 4, 8, 20, 100, 300, len(legacy) - 2, len(legacy) - 1:
        yield f"legacy without its last {cut} bytes", legacy[:-cut]
    yield "legacy with bytes after it", legacy + b"more"
    yield "a legacy storage of another length", legacy.replace(b"\x03" + bytes(7), b"\x04" + bytes(7))
    for protocol in range(6):
        yield f"a bare pickle of protocol {protocol}", pickle.dumps({"a": 1}, protocol)
    yield "a bare pickle of an array", pickle.dumps({"w": np.arange(3.0)}, 2)


def ended(plain):
    """Other numbers in the records at the end, of which PyTorch writes two."""
    fields = {
        b"PK\5\6": {"a disk": (4, 2), "a count here": (8, 2), "a count": (10, 2), "a size": (12, 4), "an offset": (16, 4)},
        b"PK\6\6": {"a record's size": (4, 8), "a disk": (16, 4), "a disk of the directory": (20, 4), "a count here": (24, 8), "a count": (32, 8), "a size": (40, 8), "an offset": (48, 8)},
        b"PK\6\7": {"an offset": (8, 8)},
    }
    for mark, places in fields.items():
        record = plain.rindex(mark)
        for name, (at, size) in places.items():
            begin = record + at
            old = int.from_bytes(plain[begin : begin + size], "little")
            for new in {0, old - 1, old + 1, 256**size - 1} - {old}:
                if new >= 0:
                    yield f"{name} of {new} in {mark[2:].hex()}", plain[:begin] + new.to_bytes(size, "little") + plain[begin + size :]


def old_array(count, data):
    """A pickle of Python 2: {"w": an array of float32}, whose bytes are a str."""
    dtype = b"cnumpy\ndtype\nU\x02f4K\0K\1\x87R(K\3U\1<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
    return b"\x80\2}U\1w" + array + b"(K\1K" + bytes([count]) + b"\x85" + dtype + b"\x89U" + bytes([4 * count]) + data + b"tbs."


def old_pickles():
    plain = saved({"w": torch.ones(2)})
    for name, data in {"signs": np.float32([-1, 3e38, -1e-40]), "of UTF-8": np.frombuffer(b"ab\xc3\xa9", "f4"), "of Windows-1252": np.frombuffer(bytes(range(0x80, 0xa0)), "f4")}.items():
        pickled = old_array(len(data), data.tobytes())
        change = lambda member, content: pickled if member.endswith("data.pkl") else content
        yield f"an array of Python 2, {name}", rezipped(plain, change)


def old(path):
    return torch.load(path, weights_only=False, encoding="latin1")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2, bias=False)])
        self.register_buffer("kept", torch.arange(3))
        self.register_buffer("dropped", torch.ones(2), persistent=False)
        self.tied = self.layers[0].weight

    def forward(self, x):
        x = self.norm(self.conv(x)).mean((2, 3)) + self.kept[0] + self.dropped[0]
        for layer in self.layers:
            x = layer(x)
        return x @ self.tied


@torch.jit.script
class Box:
    def __init__(self, value: torch.Tensor):
        self.value = value


class Boxed(nn.Module):
    box: Box

    def __init__(self):
        super().__init__()
        self.linear, self.box, self.rows = nn.Linear(2, 2), Box(torch.ones(2)), [torch.ones(2)]

    def forward(self, x):
        return self.linear(x) + self.box.value + self.rows[0]


def scripts():
    net = Net().eval()
    yield "scripted", torch.jit.script(net)
    yield "traced", torch.jit.trace(net, torch.ones(1, 1, 5, 5))
    yield "frozen", torch.jit.freeze(torch.jit.script(net))
    yield "halves", torch.jit.script(copy.deepcopy(net).half())
    yield "an LSTM", torch.jit.script(nn.LSTM(2, 3, 2))
    yield "no parameters", torch.jit.script(nn.ReLU())
    yield "a class that is no module", torch.jit.script(Boxed())
    yield "a sequence", torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1))))


def torch_files():
    legacy = {"_use_new_zipfile_serialization": False}
    for name, value in values():
        yield "pt", name, saved(value), careful, trusting
        yield "pt", f"{name}, legacy", saved(value, **legacy), careful, trusting
    for name, value in calls():
        yield "pt", name, saved(value), careful
        yield "pt", f"{name}, legacy", saved(value, **legacy), careful
    for protocol in range(6):
        value = {"w": torch.ones(2), "x": [1, "a", b"b", {1}, (2**40, -5, 1.5)]}
        yield "pt", f"protocol {protocol}", saved(value, pickle_protocol=protocol), careful, trusting
        yield "pt", f"protocol {protocol}, legacy", saved(value, pickle_protocol=protocol, **legacy), careful, trusting
    for name, data in archives():
        yield "pt", name, data, careful, trusting
    for name, data in old_pickles():
        yield "pt", name, data, old
    for name, module in scripts():
        file = io.BytesIO()
        torch.jit.save(module, file)
        yield "pt", f"TorchScript, {name}", file.getvalue(), script
