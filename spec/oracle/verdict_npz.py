"""Files for checkpoint_verdicts.py: .npz archives."""

import io
import zipfile

import numpy as np

from verdict_npy import DICT, container, saved


def read(path):
    found = {}
    with np.load(path) as archive:
        for key in archive.files:
            value = archive[key] if not is_object(archive, key) else np.array("object")
            found[key] = value if isinstance(value, np.ndarray) else np.array("bytes")
    return found


def is_object(archive, key):
    """Those are refused when they are asked for."""
    try:
        archive[key]
    except ValueError as error:
        return "allow_pickle" in str(error)
    return False


def saved_all(compressed=False, **arrays):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def zipped(members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def archives():
    names = "? b B <i2 >i2 <u2 <i4 >i4 <u4 <i8 <u8 <f2 >f2 <f4 >f4 <f8 >f8 <c8 >c16 <f16 <U3 S3 V3 <M8[ns] O".split()
    every = {}
    for i, name in enumerate(names):
        every[f"a{i}"] = np.zeros((2, 3), name)
        if every[f"a{i}"].dtype.kind in "biufc":
            every[f"a{i}"] += np.arange(3).astype(name)
    for compressed in False, True:
        end = ", compressed" if compressed else ""
        yield f"every dtype{end}", saved_all(compressed, **every)
        yield f"orders and shapes{end}", saved_all(compressed, f=np.asfortranarray(np.arange(6.0).reshape(2, 3)), t=np.arange(6).reshape(2, 3).T, scalar=np.float32(2), none=np.zeros((0, 4)), long=np.arange(5000.0))
    file = io.BytesIO()
    np.savez(file, np.arange(3), np.ones(2))
    yield "without names", file.getvalue()
    yield "odd names", saved_all(**{"é": np.ones(1), "a/b": np.ones(1), "a.b.c": np.ones(1), " ": np.ones(1), "__proto__": np.ones(1), "x.npy": np.ones(1), "": np.ones(1)})
    array = saved(np.float32([1, 2]))
    yield "a folder", zipped({"a/": b"", "a/b.npy": array})
    yield "a member without .npy", zipped({"a": array, "b.npy": array})
    yield "a member that is none", zipped({"a.npy": b"text", "b.npy": array})
    yield "a member that is cut off", zipped({"a.npy": array[:-1], "b.npy": array})
    yield "a member with more after it", zipped({"a.npy": array + b"more"})
    yield "a member of fewer numbers", zipped({"a.npy": container(DICT, bytes(4))})
    yield "an empty member", zipped({"a.npy": b"", "b.npy": array})
    yield "packed by bzip2", zipped({"a.npy": array}, zipfile.ZIP_BZIP2)
    yield "packed by LZMA", zipped({"a.npy": array}, zipfile.ZIP_LZMA)
    plain = saved_all(a=np.float32([1, 2, 3]), b=np.arange(4))
    packed = saved_all(True, a=np.zeros(1000), b=np.arange(4))
    for what, data in ("", plain), (", compressed", packed):
        for cut in 1, 10, 22, 100:
            yield f"without its last {cut} bytes{what}", data[:-cut]
        yield f"more after it{what}", data + b"more"
        yield f"more before it{what}", b"more" + data
        yield f"a bit of the first member flipped{what}", data[:150] + bytes([data[150] ^ 1]) + data[151:]
        end = data.rindex(b"PK\5\6")
        for count in 1, 3:
            yield f"{count} members counted{what}", data[: end + 10] + bytes([count, 0]) + data[end + 12 :]
        yield f"another checksum{what}", data.replace(data[14:18], b"abcd")


def npz_files():
    for name, data in archives():
        yield "npz", name, data, read
