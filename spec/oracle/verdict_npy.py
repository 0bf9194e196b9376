"""Files for checkpoint_verdicts.py: .npy headers at the edges of the format."""

import io
import struct

import numpy as np

DICT = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
BODY = np.float32([1, 2]).tobytes()


def saved(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def container(header, body=BODY, version=1, minor=0, length=None):
    if isinstance(header, str):
        header = header.encode("utf8" if version == 3 else "latin1")
    length = len(header) if length is None else length
    return b"\x93NUMPY" + bytes([version, minor]) + struct.pack("<H" if version == 1 else "<I", length) + header + body


def described(descr="'<f4'", order="False", shape="(2,)", end=" }\n"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape},{end}"


def arrays():
    random = np.random.RandomState(0)
    for name in "? b B <i2 >i2 <u2 >u2 <i4 >i4 <u4 >u4 <i8 >i8 <u8 >u8 <f2 >f2 <f4 >f4 <f8 >f8 <c8 >c8 <c16 >c16 <f16 >f16 <c32 <U3 >U3 S3 V3 <M8[ns] <m8[D] O".split():
        dtype = np.dtype(name)
        values = random.rand(2, 3) * 200 - 50 if dtype.kind in "fc" else random.randint(0, 100, (2, 3))
        array = np.zeros((2, 3), dtype) if dtype.kind == "V" else values.astype(dtype)
        yield f"dtype {name}", saved(array)
        yield f"{name}, the first axis the fastest", saved(np.asfortranarray(array))
        yield f"{name}, 0-d", saved(array[:1, 0].reshape(()))
        yield f"{name}, empty", saved(array[:0])
    cube = np.arange(24, dtype="f4").reshape(2, 3, 4)
    for name, array in {
        "three axes": cube, "three axes in Fortran's order": np.asfortranarray(cube), "transposed": cube.T,
        "steps": cube[:, ::2, 1:], "backwards": cube[::-1], "broadcast": np.broadcast_to(cube[0], (2, 3, 4)),
        "(0,)": np.zeros(0), "(3, 0, 2)": np.zeros((3, 0, 2)), "(3, 0, 2) in Fortran's order": np.zeros((3, 0, 2), order="F"),
        "64 axes": np.zeros((1,) * 64), "special": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]),
        "a Python int": 3, "a Python float": 3.5, "a Python bool": True, "a str": "abc",
        "masked": np.ma.array([1.0, 2.0], mask=[0, 1]), "a matrix": np.matrix([[1.0, 2.0]]), "None": np.array(None),
        "records": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]), "a field of two": np.zeros(2, [("a", "f4", (2,))]),
        "an aligned record": np.zeros(2, np.dtype([("a", "i1"), ("b", "f4")], align=True)),
        "no time": np.array(["NaT"], "M8"),
    }.items():
        yield name, saved(array)
    for version in (1, 0), (2, 0), (3, 0):
        yield f"version {version}", saved(cube, version)
        yield f"version {version}, Fortran's order", saved(np.asfortranarray(cube), version)
    yield "bits of NaNs", container(DICT, bytes.fromhex("0100807f010080ff"))
    yield "bits of NaNs, big", container(described("'>f8'", "True", "(1, 2)"), bytes.fromhex("7ff0000000000001fff0000000000001"))
    yield "bools of 2", container(described("'|b1'", shape="(3,)"), b"\0\1\2")


def descriptions():
    names = "<f4 f4 =f4 |f4 float32 single f <f >f double half int uint float bool bool_ complex long ulong longlong ulonglong int_ intc intp uintp uintc byte ubyte short ushort csingle cdouble complex64 complex128 clongdouble longdouble str bytes object void datetime64 datetime64[ns] timedelta64 i u4 e d g F D G p P n N c ? <? |? >? <b1 |b1 |i1 <i1 >u1 l L q Q h H I U S V O |O <O8 O4 O8 M8 m8 a3 <f3 <f12 <c4 <i16 <b2 b4 bfloat16 float8 f4,i4 2f4 (2,)f4 < <<f4 F4 Float32 float32_ float16 float64 float128 complex256 uint8 int8 uint16 int16 uint32 int32 uint64 int64 <U0 <S0 |V0 |S1 T StringDType <f04 f4\\n unicode string uint0 object_ str_ bytes_ bool8 b B <l >L <q =d f2 c8 c16 i1 u1 =i8 |u2 <int32 <float32 >float64 f4; i4f f16 c32 Bool Int8 <M8[] M8[s] M8[3D] <m8[us/2] >M8[ns] <M8[xy]"
    for name in [*(f"'{name}'" for name in names.split()), "''", "' f4'", "'f4 '", '"<f4"', "'''<f4'''", "b'<f4'", "u'<f4'", "r'<f4'", "'<' 'f4'", "'\\x3cf4'", "'<f\\u0034'", "('<f4')", "None", "4", "True", "[]", "()", "{}", "('<f4', (2,))", "('<f4', ())", "('<f4', 1)", "[('', '<f4')]", "[('a', '<f4')]", "[('a', '<f4', (2,))]", "[(('t', 'a'), '<f4')]", "[('', '|V4')]", "{'names': ['a'], 'formats': ['f4']}", "[" * 200 + "]" * 200]:
        yield f"descr {name[:40]}", container(described(name), BODY * 8)
    yield "a field 'é'", container(described("[('é', '<f4')]"), version=3)
    for order in "True", "0", "1", "None", "'False'", "true", "not True", "bool(1)", "(False)", "True or False":
        yield f"order {order}", container(described(order=order))


def shapes():
    for shape in ["(2)", "2", "[2]", "()", "(2,1)", "(1, 2,)", "(2L,)", "(2l,)", "(1L, 2)", "(-1,)", "(-2, -1)", "(2.0,)", "(True, 2)", "(True,)", "(False,)", "(None,)", "('2',)", "(0x2,)", "(0X02,)", "(0b10,)", "(0o2,)", "(0_2,)", "(1_0,)", "(+2,)", "(+ 2,)", "(1+1,)", "(2+0j,)", "(-0,)", "(- 1,)", "(--2,)", "(2j,)", "(2,,)", "(,)", "(2,3)", "(9999999999999,)", "(2**1,)", "(18446744073709551616,)", "(18446744073709551616, 0)", "(9223372036854775807,)", "(9223372036854775808, 0)", "(4294967296, 4294967296)", "(4294967296, 4294967296, 0)", "(0, 9223372036854775807, 4)", "((2,),)", "((2),)", "(2,) + ()", "tuple([2])", "{2}", "(0,)", "(00,)", "(02,)", "(2e0,)", "(%s)" % ("1," * 64), "(%s)" % ("1," * 65), "(%s 2)" % ("1," * 63), "(~-3,)", "(not 1,)", "( 2 , )", "(2,\n)", "(2,#c\n)", "(2 ,0)", "(0, -1)", "(-1, 0)", "(2.,)", "(2\\\n,)", "(*(2,),)", "(" * 40 + "2" + ",)" * 40]:
        yield f"shape {shape[:30]}", container(described(shape=shape))
    for version in 2, 3:
        yield f"shape (2L,) of version {version}", container(described(shape="(2L,)"), version=version)
    yield "shape (٢,)", container(described(shape="(٢,)"), version=3)


def texts():
    plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"
    for text in [
        *(plain, f"  {plain}", f"\n{plain}", f"\t{plain}", f"\n\n  {plain}", f"({plain})", f"({plain},)", f"[{plain}]"),
        *(f"{plain}x", f"{plain};", f"{plain}\0", f"{plain}#comment", f"{plain} \\\n", f"{plain}\n\n\n", f"{plain}   \n   ", f"{plain}\n1", f"{plain} ,"),
        plain.replace("}", ", 'x': 1}"), plain.replace("}", ", 1: 2}"), plain.replace("}", ",,}"), plain.replace("{", "{,"),
        plain.replace(", 'shape': (2,)", ""), plain.replace("}", ", 'shape': (1,)}"), plain.replace("{", "{'descr': '<i4', "),
        plain.replace(" ", ""), plain.replace("'", '"'), plain.replace("{'", "{u'"), plain.replace("{'", "{b'"), plain.replace("{'", "{f'"), plain.replace("{'", "{R'"),
        plain.replace("'descr'", "'des' 'cr'"), plain.replace("'descr'", "('descr')"), plain.replace("'descr'", "'des\\x63r'"), plain.replace("'descr'", "'des\\143r'"), plain.replace("'descr'", "'''descr'''"),
        plain.replace("{'descr': '<f4'", "{**{'descr': '<f4'}"), plain.replace(", ", ",\r\n"), plain.replace(", ", ",\n\n"), plain.replace(", ", ",\x0c"), plain.replace(", ", ",\xa0"), plain.replace(", ", ", # c\n"), plain.replace(", ", ",\x0b"),
        "dict(descr='<f4', fortran_order=False, shape=(2,))", "[]", "", "\n", "None", "{}", "{'descr', 'fortran_order', 'shape'}", "__import__('os').getcwd()", plain.replace("'<f4'", "__import__('os')"), "lambda: 0",
    ]:
        yield f"text {text!r}", container(text)
    for size in 9999, 10000, 10001:
        for version in 1, 2, 3:
            yield f"a header of {size} of version {version}", container(described(end="}").ljust(size), version=version)
    wide = described(end="}") + "#" + "é" * 6000
    yield "a header of 6000 letters of two bytes", container(wide, version=3)
    for version in 0, 4, 255:
        yield f"version {version}", container(DICT, version=version)
    for minor in 1, 255:
        yield f"version 1.{minor}", container(DICT, minor=minor)
    yield "a length behind the end", container(DICT, length=500)
    yield "a length of 0", container(DICT, length=0)
    yield "a length of 20", container(DICT, length=20)
    yield "a huge length", container(DICT, version=2, length=2**32 - 1)
    yield "no UTF-8", container(DICT.encode() + b"\xff", version=3)
    yield "Latin 1", container(DICT.encode() + b"\xff")
    yield "Latin 1 in a comment", container(DICT.encode() + b"#\xff")
    yield "no UTF-8 in a comment", container(DICT.encode() + b"#\xff", version=3)
    whole = saved(np.float32([1, 2]))
    for cut in [0, 1, 5, 6, 7, 8, 9, 10, 11, 30, 127, 128, 129, 132, 135]:
        yield f"the first {cut} bytes", whole[:cut]
    yield "a byte after it", whole + b"x"
    yield "two arrays", whole + saved(np.arange(3))
    yield "another magic", b"\x93NUMPX" + whole[6:]
    yield "a space before it", b" " + whole


def npy_files():
    for group in arrays, descriptions, shapes, texts:
        for name, data in group():
            yield "npy", name, data, lambda path: {"array": np.load(path)}
