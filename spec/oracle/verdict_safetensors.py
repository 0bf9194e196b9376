"""Files for checkpoint_verdicts.py: safetensors headers at the edges of the format."""

import json
import struct

import torch
from safetensors.torch import load_file, save
from torch import nn

BITS = {
    **dict(BOOL=8, F4=4, F6_E2M3=6, F6_E3M2=6, U8=8, I8=8, F8_E5M2=8, F8_E4M3=8, F8_E8M0=8),
    **dict(F8_E4M3FNUZ=8, F8_E5M2FNUZ=8, I16=16, U16=16, F16=16, BF16=16, I32=32, U32=32, F32=32),
    **dict(C64=64, F64=64, I64=64, U64=64),
}
BODY = bytes(range(8))
TENSOR = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def container(header, body=b"", length=None):
    if not isinstance(header, (bytes, str)):
        header = json.dumps(header, ensure_ascii=False)
    header = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def info(**fields):
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **fields}}


def raw(**fields):
    """As `info`, with fields that are JSON already: numbers of any writing."""
    whole = {"dtype": '"F32"', "shape": "[2]", "data_offsets": "[0,8]", **fields}
    return '{"w":{%s}}' % ",".join(f'"{name}":{value}' for name, value in whole.items())


def dtypes():
    for name, bits in BITS.items():
        body = bytes((37 * i + 11) % (2 if name == "BOOL" else 256) for i in range(bits))
        place = {"shape": [2, 4], "data_offsets": [0, bits]}
        yield f"dtype {name}", container(info(dtype=name, **place), body)
        yield f"{name}, empty", container(info(dtype=name, shape=[0, 4], data_offsets=[0, 0]))
        if bits < 8:
            continue
        scalar = info(dtype=name, shape=[], data_offsets=[0, bits // 8])
        yield f"{name}, 0-d", container(scalar, body[: bits // 8])
        shifted = {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
        shifted |= info(dtype=name, shape=[2, 4], data_offsets=[1, bits + 1])
        yield f"{name}, not aligned", container(shifted, b"\1" + body)
    for shape, size in ([], 1), ([2, 3], 3), ([3], 2), ([2, 0], 0), ([4, 1], 2):
        yield f"F4 of {shape}", container(info(dtype="F4", shape=shape, data_offsets=[0, size]), BODY[:size])
    yield "F6 of half bytes", container(info(dtype="F6_E2M3", shape=[3], data_offsets=[0, 2]), BODY[:2])
    yield "bools of 2", container(info(dtype="BOOL", shape=[3], data_offsets=[0, 3]), b"\1\2\0")
    for name in ["f32", "F128", "", "float32", "F32 ", "C128", "U4", "C32", "TF32", None, 1, [], {}, ["F32"], {"F32": None}, {"F32": []}]:
        yield f"dtype {name!r}", container(info(dtype=name), BODY)


def fields():
    sizes = [[1, 2], [2, 1, 1], [2.0], ["2"], [True], [None], None, 2, "2", {}, [-2], [2**63], [2**64], [[2]], [2**32, 2**32], [3], []]
    for shape in sizes:
        yield f"shape {shape}", container(info(shape=shape), BODY)
    for shape in [2**63, 0], [2**64 - 1, 0], [2**62, 4, 0], [2**64, 0], [2**32, 2**32, 0], [0, 2**64 - 1, 2], [2**61, 0]:
        yield f"empty shape {shape}", container(info(shape=shape, data_offsets=[0, 0]))
    yield "empty bytes of 2**62", container(info(dtype="U8", shape=[2**62, 0], data_offsets=[0, 0]))
    places = [[0.0, 8], [0, 8, 8], [0], [], [8, 0], [8, 8], [1, 9], [0, 7], [0, 9], [0, 16], ["0", "8"], None, 8, {}, [-1, 7], [0, 2**64], [0, 2**63], [2**64 - 8, 0], [None, 8], [0, [8]]]
    for offsets in places:
        yield f"offsets {offsets}", container(info(data_offsets=offsets), BODY)
    for name, value in ("data_offsets", "[-0,8]"), ("data_offsets", "[0e0,8]"), ("data_offsets", "[00,8]"), ("data_offsets", "[0,8e0]"), ("shape", "[+2]"), ("shape", "[2e0]"), ("shape", "[02]"), ("shape", "[18446744073709551616]"), ("x", "1e400"), ("x", "-0"), ("x", "9" * 400), ("x", "[1,{\"b\":2}]"), ("", "null"), ("__metadata__", '{"a":"b"}'), ("x", "nul"), ("x", "NaN"):
        yield f"{name} {value[:24]}", container(raw(**{name: value}), BODY)
    yield "shape -0", container(raw(shape="[-0]", data_offsets="[0,0]"))
    for name in "dtype", "shape", "data_offsets":
        fields = info()
        del fields["w"][name]
        yield f"no {name}", container(fields, BODY)
    for name, value in ("dtype", '"F32"'), ("shape", "[2]"), ("data_offsets", "[0,8]"), ("x", "1"):
        yield f"{name} twice", container(raw(x="1")[:-2] + f',"{name}":{value}' + "}}", BODY)
    yield "the fields in another order", container('{"w":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}}', BODY)
    for value in "null", "1", '"x"', "[]", "{}", "true", '["F32",[2],[0,8]]', '["F32",[2],[0,8],1]':
        yield f"a tensor that is {value}", container('{"w":%s}' % value, BODY if "F32" in value else b"")


def places():
    def other(offsets, name="b", shape="[2]"):
        return TENSOR.replace('"a"', f'"{name}"').replace("[0,8]", offsets).replace("[2]", shape)

    for what, items, size in [
        ("one name twice, one place", [TENSOR, TENSOR], 8),
        ("one name twice, two places", [TENSOR, other("[8,16]", "a")], 16),
        ("one name twice, escaped", [TENSOR, other("[0,8]", "\\u0061")], 8),
        ("one name twice, the last null", [TENSOR, '"a":null'], 8),
        ("one name twice, the first null", ['"a":null', TENSOR], 8),
        ("one name twice, the first wrong", [other("[0,9]", "a"), TENSOR], 8),
        ("two in one place", [TENSOR, other("[0,8]")], 8),
        ("an overlap", [TENSOR, other("[4,12]")], 12),
        ("a hole between", [TENSOR, other("[12,20]")], 20),
        ("a hole before", [other("[8,16]")], 16),
        ("a hole after", [TENSOR], 9),
        ("bytes that are missing", [TENSOR], 7),
        ("no bytes", [TENSOR], 0),
        ("another order", [other("[8,16]"), TENSOR], 16),
        ("empty ones in one place", [other("[0,0]", "c", "[0]"), other("[0,0]", "b", "[0]"), TENSOR, other("[8,8]", "d", "[0]")], 8),
        ("an empty one amid another", [TENSOR, other("[4,4]", "b", "[0]")], 8),
        ("an empty one behind the end", [TENSOR, other("[9,9]", "b", "[0]")], 9),
    ]:
        yield what, container("{%s}" % ",".join(items), (BODY * 3)[:size])
    yield "300 tensors", container({f"t{i}": {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i in range(300)}, bytes(300))
    yield "70 axes", container(info(shape=[1] * 70, data_offsets=[0, 4]), BODY[:4])
    yield "bits of NaNs", container(info(), bytes.fromhex("0100807f010080ff"))
    yield "special floats", save({"w": torch.tensor([float("nan"), float("inf"), float("-inf"), -0.0, 1e-45, 3.4e38])})
    yield "a model", save(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).state_dict(), {"format": "pt"})


def texts():
    for value in ["{}", '{"a":"b"}', "null", '{"a":1}', '{"a":null}', '{"a":{"b":"c"}}', "[]", '"x"', "1", '{"a":"b","a":"c"}', '{"":""}', '{"é":"가"}', '{"a":["b"]}', '{"__proto__":"x"}', '{"dtype":"F32","shape":"x"}', '{"a":"\\ud800"}', '{"\\ud800":"a"}', '{"a":"\\ud83d\\ude00"}']:
        yield f"metadata {value}", container('{"__metadata__":%s,%s}' % (value, TENSOR), BODY)
    yield "metadata in the end", container('{%s,"__metadata__":{"a":"b"}}' % TENSOR, BODY)
    yield "metadata twice", container('{"__metadata__":{},%s,"__metadata__":{"a":"b"}}' % TENSOR, BODY)
    yield "metadata twice, null", container('{"__metadata__":null,%s,"__metadata__":{"a":"b"}}' % TENSOR, BODY)
    yield "metadata alone", container('{"__metadata__":{"a":"b"}}')
    yield "metadata that is a tensor", container('{"__metadata__":%s}' % TENSOR[4:], BODY)
    yield "metadata, escaped", container('{"__metadat\\u0061__":{"a":"b"},%s}' % TENSOR, BODY)
    for name in ["", " ", "é", "가중치", "😀", "a b/c\"d", "a\\b", "\n", "\x7f", "__proto__", "constructor", "toString", "length", "0", "then", "a.b.c", "__metadata_", "\u2028", "\ufeff", "e\u0301", "\uffff", "x" * 5000]:
        yield f"name {name[:20]!r}", container({name: info()["w"]}, BODY)
    for name in ["\n", "\t", "\0", "\x1f", "\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\ud83d\\u0041", "\\ude00\\ud83d", "\\u00e9", "\\/", "\\b\\f\\n\\r\\t", "\\x41", "\\u00", "\\'", "\\ud83dx"]:
        yield f"name {name!r} as it is", container(TENSOR.replace('"a"', f'"{name}"').join("{}"), BODY)
    for name in ["ff", "c3", "eda080", "f5808080", "c080", "e282", "f09f9880", "efbbbf", "f4908080"]:
        head, tail = TENSOR.split("a", 1)
        yield f"name of the bytes {name}", container(b"{" + head.encode() + bytes.fromhex(name) + tail.encode() + b"}", BODY)
    yield "no UTF-8 in metadata", container(b'{"__metadata__":{"a":"\xff"},%s}' % TENSOR.encode(), BODY)
    yield "no UTF-8 after it", container(b"{%s}\xff" % TENSOR.encode(), BODY)
    for space in [" ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\xa0", "\0", "\u2003", "\ufeff", " " * 99]:
        name = repr(space[:4])
        yield f"{name} before it", container(space + TENSOR.join("{}"), BODY)
        yield f"{name} after it", container(TENSOR.join("{}") + space, BODY)
        yield f"{name} in it", container(TENSOR.replace(":", f":{space}").join("{}"), BODY)
    for text in ["", "{", "}", "{}", "[]", "null", "1", '"x"', "{}{}", "{},", "{,}", '{"a"}', "{%s,}", "{%s;}", "{%s", "{'a':1}", "{a:1}", "//c\n{}", "{/*c*/}", "[{}]", "{}x", '{"a":undefined}', " "]:
        yield f"text {text!r}", container(text.replace("%s", TENSOR), BODY if "%s" in text else b"")
    for depth in 10, 120, 123, 124, 125, 126, 127, 128, 1000:
        yield f"lists {depth} deep", container(raw(x="[" * depth + "]" * depth), BODY)
        yield f"objects {depth} deep", container(raw(x='{"a":' * depth + "1" + "}" * depth), BODY)


def lengths():
    for length in [1, 3, 100, 100_000_000, 100_000_001, 2**31, 2**32, 2**32 + 2, 2**53, 2**63, 2**64 - 1, 2**64 - 8]:
        yield f"a length of {length}", container("{}", b"", length)
    yield "a length of 0", container("")
    yield "a length of 0 before {}", container("", b"{}")
    yield "a length in big endian", struct.pack(">Q", 2) + b"{}"
    whole = container(TENSOR.join("{}"), BODY)
    for cut in [*range(10), 20, len(whole) - 9, len(whole) - 8, len(whole) - 1]:
        yield f"the first {cut} bytes", whole[:cut]


def safetensors_files():
    for group in dtypes, fields, places, texts, lengths:
        for name, data in group():
            yield "safetensors", name, data, load_file
