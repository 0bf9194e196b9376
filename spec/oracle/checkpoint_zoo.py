"""Checkpoints of kinds that are rare: what PyTorch and numpy read in them, and what they refuse.

    python spec/oracle/checkpoint_zoo.py    # writes spec/goldens/checkpoint-zoo
"""

import argparse
import collections
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import types
import zipfile

import numpy as np
import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(__file__), "..", "goldens", "checkpoint-zoo")
os.makedirs(FOLDER, exist_ok=True)
os.chdir(FOLDER)
for old in os.listdir("."):
    os.remove(old)
torch.manual_seed(0)
manifest = {}


def describe(tensor):
    if isinstance(tensor, np.ndarray):
        tensor = torch.from_numpy(np.ascontiguousarray(tensor.astype(tensor.dtype.newbyteorder("="))).reshape(tensor.shape))
    found = {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.detach().to(torch.complex128).resolve_conj())
    return {**found, "values": [repr(float(x)) for x in tensor.detach().to(torch.float64).flatten()]}


def note(name, state=None, unreadable=(), refused=None, key=None):
    entry = {"refused": refused} if refused else {
        "state": {k: {"unreadable": True} if k in unreadable else describe(v) for k, v in state.items()}}
    if key:
        entry["key"] = key
    manifest[name + (f"#{key}" if key else "")] = entry


def save(name, value, state=None, legacy=False, **more):
    torch.save(value, name, _use_new_zipfile_serialization=not legacy)
    note(name, value if state is None else state, **more)


SMALL = [1.0, 2.0, 0.5, 4.0, 16.0, 0.25]
save("dtypes.pt", {
    **{name: torch.tensor(SMALL).to(getattr(torch, name)) for name in (
        "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float16", "bfloat16")},
    **{name: torch.tensor([1, 2, 60000]).to(getattr(torch, name)) for name in ("uint16", "uint32", "uint64")},
    "complex32": torch.tensor([1 + 2j, 3 - 4j]).to(torch.complex32),
    "complex128": torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex128),
})
# Conversion by the definition of the format, each code once.
save("float8.pt", {name: torch.arange(256, dtype=torch.uint8).view(getattr(torch, name)) for name in (
    "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")})
save("bits.pt", {name: torch.arange(8, dtype=torch.uint8).view(getattr(torch, name)) for name in (
    "bits8", "bits16", "bits1x8", "bits2x4", "bits4x2", "float4_e2m1fn_x2")} | {"w": torch.ones(2)}, {"w": torch.ones(2)} | {
    name: None for name in ("bits8", "bits16", "bits1x8", "bits2x4", "bits4x2", "float4_e2m1fn_x2")},
    unreadable=("bits8", "bits16", "bits1x8", "bits2x4", "bits4x2", "float4_e2m1fn_x2"))
floats = torch.randn(3, 4)
for legacy in (False, True):
    end = "-legacy.pt" if legacy else ".pt"
    whole = torch.quantize_per_tensor(floats, 0.1, 3, torch.quint8)
    save("quantized" + end, {
        "quint8": whole, "qint8": torch.quantize_per_tensor(floats, 0.1, 0, torch.qint8),
        "qint32": torch.quantize_per_tensor(floats, 0.01, 0, torch.qint32), "view": whole.t(), "row": whole[1],
        "rows": torch.quantize_per_channel(floats, torch.tensor([.1, .2, .3]), torch.tensor([0, 1, 2]), 0, torch.qint8),
        "columns": torch.quantize_per_channel(floats, torch.tensor([.1, .2, .3, .4]), torch.tensor([0, 1, 2, 3]), 1, torch.quint8),
        "floats": torch.quantize_per_channel(floats.abs(), torch.tensor([.1, .2, .3]), torch.tensor([0., 1., 2.]), 0, torch.quint8),
        "quint4x2": torch.quantize_per_channel(torch.rand(4, 4), torch.full((4,), .1), torch.zeros(4), 0, torch.quint4x2),
    }, legacy=legacy)
    base = torch.randn(4, 6)
    image = torch.randn(1, 3, 2, 2).to(memory_format=torch.channels_last)
    numbers = torch.tensor([1 + 2j, 3 - 4j])
    save("views" + end, {
        "transposed": base.t(), "steps": base[1:3, ::2], "expanded": torch.randn(1, 3).expand(4, 3), "row": base[2],
        "overlapping": torch.as_strided(base, (3, 3), (2, 1), 3), "none": base[:0], "one": base[1, 1], "image": image,
        "bools": (torch.arange(12) % 5 > 2).view(3, 4).t(), "halves": torch.arange(12.).half().view(3, 4)[:, 1],
        "conjugate": numbers.conj(), "negative": numbers.clone().conj().imag,
    }, legacy=legacy)
    whole = torch.ones(2)
    save("without-values" + end, {
        "sparse": torch.eye(3).to_sparse(), "csr": torch.eye(3).to_sparse_csr(), "meta": torch.empty(3, 2, device="meta"),
        "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "w": whole,
    }, unreadable=("sparse", "csr", "meta", "nested"), legacy=legacy)
    array = np.arange(6.0).reshape(2, 3)
    save("numpy" + end, {"w": whole, "plain": array, "fortran": np.asfortranarray(array), "big": array.astype(">f4"),
        "texts": np.array(["a"]), "scalar": np.float64(3), "dtype": np.dtype("float32")},
        {"w": whole, "plain": array, "fortran": array, "big": array.astype("f4"), "texts": None}, unreadable=("texts",), legacy=legacy)
    save("storage" + end, torch.arange(4.0).storage(), {"array": torch.arange(4.0)}, legacy=legacy)
    tagged = torch.ones(3)
    tagged.note = "kept"
    save("wrapped" + end, {"tagged": tagged, "buffer": nn.Buffer(torch.ones(2)), "frozen": nn.Parameter(whole, requires_grad=False),
        "device": torch.device("cpu"), "dtype": torch.float32, "scheme": torch.per_tensor_affine},
        {"tagged": tagged, "buffer": torch.ones(2), "frozen": whole}, legacy=legacy)

state = collections.OrderedDict([("net.w", torch.randn(2, 2)), ("net.b", torch.zeros(2))])
optimizer = {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
module = types.ModuleType("omegaconf.dictconfig")
sys.modules["omegaconf"] = types.ModuleType("omegaconf")
sys.modules["omegaconf.dictconfig"] = module
module.DictConfig = type("DictConfig", (), {"__module__": "omegaconf.dictconfig"})
config = module.DictConfig()
config.__dict__.update(_content={"dim": 4}, _parent=None)
save("lightning.ckpt", {"epoch": 1, "pytorch-lightning_version": "2.5.0", "state_dict": state, "optimizer_states": [optimizer],
    "callbacks": {"best": {"score": torch.tensor(0.5)}}, "loops": {"fit": {"state_dict": {}}}, "hyper_parameters": config,
    "hparams_type": module.DictConfig}, state)
for key in ("model", "model_state_dict", "model_state", "module", "params"):
    save(f"trainer-{key}.pt", {"epoch": 1, key: state, "optimizer": optimizer, "args": argparse.Namespace(lr=1),
        "rng_state": torch.zeros(4, dtype=torch.uint8), "best": np.float32(3)}, state)
average = {key: value + 1 for key, value in state.items()}
save("two.pt", {"state_dict": state, "state_dict_ema": average, "optimizer": optimizer},
    refused="several models[^]*\\{ key: \"state_dict\" \\}: 2 keys \\(net.w, net.b\\)[^]*\\{ key: \"state_dict_ema\" \\}")
note("two.pt", average, key="state_dict_ema")
note("two.pt", refused="there is no 'other'", key="other")
save("optimizer.pt", optimizer, refused="optimizer")
save("text.pt", {"a": "b"}, refused="no state_dict; it has 'a' \\(a string\\)")

torch.save({"a": torch.arange(3.0), "c": torch.tensor([1 + 2j])}, "plain.pt")
plain = {"a": torch.arange(3.0), "c": torch.tensor([1 + 2j])}
note("plain.pt", plain)


def rezip(name, change=lambda name, data: data, method=zipfile.ZIP_STORED, comment=b"", large=False, **found):
    source = zipfile.ZipFile("plain.pt")
    with zipfile.ZipFile(name, "w", method) as target:
        target.comment = comment
        for member in source.namelist():
            data = change(member, source.read(member))
            if data is None:
                continue
            with target.open(zipfile.ZipInfo(member), "w", force_zip64=large) as file:
                file._compress_type = method
                file.write(data)
    note(name, **(found or {"state": plain}))


def big_endian(member, data):
    if member.endswith("/byteorder"):
        return b"big"
    return np.frombuffer(data, "<f4").byteswap().tobytes() if "/data/" in member else data


rezip("big-endian.pt", big_endian)
rezip("comment.pt", comment=b"PK\x05\x06, says a comment")
rezip("zip64.pt", large=True)
rezip("no-format-version.pt", lambda member, data: None if member.endswith(".format_version") else data)
rezip("no-version.pt", lambda member, data: None if member.endswith("/version") else data, refused="no 'plain/version'")
rezip("version-99.pt", lambda member, data: b"99\n" if member.endswith("/version") else data, refused="version 99")
rezip("middle-endian.pt", lambda member, data: b"middle" if member.endswith("/byteorder") else data, refused='byte order "middle"')
rezip("long-storage.pt", lambda member, data: data + b"0000" if member.endswith("/data/0") else data, refused="16 bytes.* 12")
torch.serialization.set_crc32_options(False)
save("no-checksums.pt", plain)
torch.serialization.set_crc32_options(True)


def tar(name, tensors):
    """As torch 0.1 wrote it; torch.load still reads it."""
    parts = {part: io.BytesIO() for part in ("sys_info", "pickle", "tensors", "storages")}
    roots = {}
    for tensor in tensors.values():
        roots.setdefault(tensor.untyped_storage().data_ptr(), (1000 + len(roots), tensor))
    pickle.dump({"protocol_version": 1000}, parts["sys_info"], 2)
    pickle.dump(len(roots), parts["storages"], 2)
    for key, tensor in roots.values():
        kind = torch.LongStorage if tensor.dtype == torch.int64 else torch.FloatStorage
        pickle.dump((key, "cpu", kind), parts["storages"], 2)
        data = tensor.untyped_storage()
        parts["storages"].write(struct.pack("<q", len(data) // tensor.element_size()) + bytes(data.tolist()))
    pickle.dump([], parts["storages"], 2)
    pickle.dump(len(tensors), parts["tensors"], 2)
    ids = {id(tensor): i for i, tensor in enumerate(tensors.values())}
    for tensor in tensors.values():
        root = roots[tensor.untyped_storage().data_ptr()][0]
        pickle.dump((ids[id(tensor)], root, None), parts["tensors"], 2)
        layout = (*tensor.shape, *tensor.stride(), tensor.storage_offset())
        parts["tensors"].write(struct.pack(f"<ii{len(layout)}q", tensor.dim(), 0, *layout))

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return str(ids[id(value)]) if isinstance(value, torch.Tensor) else None

    Pickler(parts["pickle"], 2).dump(collections.OrderedDict(tensors))
    with tarfile.open(name, "w", format=tarfile.PAX_FORMAT) as archive:
        for part, data in parts.items():
            info = tarfile.TarInfo(part)
            info.size = len(data.getvalue())
            archive.addfile(info, io.BytesIO(data.getvalue()))
    loaded = torch.load(name, weights_only=False)
    assert all(torch.equal(loaded[key], value) for key, value in tensors.items())
    note(name, loaded)


grid = torch.arange(12.0).view(3, 4)
tar("torch-0.1.pt", {"w": grid, "transposed": grid.t(), "row": grid[1], "count": torch.arange(5)})

halves = [{"a": torch.ones(2)}, {"b": torch.zeros(3)}]
for i, half in enumerate(halves):
    torch.save(half, f"pytorch_model-0000{i + 1}-of-00002.bin")


def index(name, places, **found):
    with open(name, "w") as file:
        json.dump({"metadata": {}, "weight_map": places}, file)
    note(name, **found)


FIRST, SECOND = "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"
index("pytorch_model.bin.index.json", {"a": FIRST, "b": SECOND}, state=halves[0] | halves[1])
index("wrong-shard.index.json", {"a": SECOND}, refused="has no 'a'")
for i, path in enumerate(["../plain.pt", "/etc/passwd", "..\\plain.pt", "a/b.bin", "..", "", "C:x.bin", "https://x.y/z.bin", "%2e%2e%2fplain.pt", "x\0.bin"]):
    index(f"escape-{i}.index.json", {"a": path}, refused="no file name beside it")

# A TorchScript archive of 50 modules, each of which has the next one twice: 2^50 paths.
script = types.ModuleType("__torch__")
sys.modules["__torch__"] = script
script.Net = type("Net", (), {"__module__": "__torch__", "__qualname__": "Net"})
net = script.Net()
for _ in range(50):
    outer = script.Net()
    outer.__dict__.update(a=net, b=net)
    net = outer
with zipfile.ZipFile("module-bomb.pt", "w") as archive:
    for member, data in {"data.pkl": pickle.dumps(net, 2), "constants.pkl": pickle.dumps((), 2), "version": b"3\n"}.items():
        archive.writestr(f"bomb/{member}", data)
note("module-bomb.pt", refused="more than 20000 modules")

np.savez("mixed.npz", a=np.arange(3), texts=np.array(["x"]))
with zipfile.ZipFile("mixed.npz", "a") as archive:
    archive.writestr("readme.txt", "hello")
note("mixed.npz", {"a": np.arange(3), "texts": None, "readme.txt": None}, unreadable=("texts", "readme.txt"))
np.savez("empty.npz")
note("empty.npz", {})

with open("manifest.json", "w") as file:
    json.dump(manifest, file, indent=1)
print(len(manifest), "files")
