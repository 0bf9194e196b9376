/** numpy's names of dtypes. */
import type { Dtype, ForeignDtype } from "../dtype.js";

/** By numpy's kind and size in bytes. */
const NAMES: Record<string, Dtype | ForeignDtype> = {
  b1: "bool",
  u1: "uint8",
  i1: "int8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
  c8: "complex64",
  c16: "complex128",
  f12: "longdouble",
  f16: "longdouble",
  c24: "clongdouble",
  c32: "clongdouble",
  O8: "object",
  "?": "bool",
  B: "uint8",
  b: "int8",
  h: "int16",
  H: "uint16",
  i: "int32",
  I: "uint32",
  l: "int64",
  L: "uint64",
  q: "int64",
  Q: "uint64",
  e: "float16",
  f: "float32",
  d: "float64",
  g: "longdouble",
  F: "complex64",
  D: "complex128",
  G: "clongdouble",
  O: "object",
};

/** Other names that numpy uses, for the usual 64-bit machines. */
const ALIASES: Record<string, string> = {
  ...{ half: "f2", single: "f4", float: "f8", double: "f8", float128: "g", bool_: "?" },
  ...{ csingle: "c8", complex: "c16", cdouble: "c16", complex256: "G", byte: "i1", ubyte: "u1" },
  ...{ short: "i2", ushort: "u2", intc: "i4", uintc: "u4", int: "i8", uint: "u8", int_: "i8" },
  ...{ long: "i8", ulong: "u8", longlong: "i8", ulonglong: "u8", intp: "i8", uintp: "u8" },
  ...{ p: "i8", P: "u8", n: "i8", N: "u8" },
};

/** The first letters of dtypes that may have any length. */
const KINDS: Record<string, ForeignDtype> = {
  U: "str",
  S: "bytes",
  a: "bytes",
  V: "void",
  M: "datetime64",
  m: "timedelta64",
};

export interface NumpyDtype {
  dtype: Dtype | ForeignDtype;
  isBigEndian: boolean;
}

const own = <T>(table: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** Parses `numpy.dtype(text)`: `<f4`, `|b1`, `float32`; undefined if it is not valid. */
export function parseNumpyDtype(text: string): NumpyDtype | undefined {
  const order = /^[<>|=]/.exec(text)?.[0];
  const name = order ? text.slice(1) : (own(ALIASES, text) ?? text);
  const isBigEndian = order === ">";
  const number = own(NAMES, name);
  if (number !== undefined) return { dtype: number, isBigEndian };
  // A plain name, without byte order.
  const isNamed = !order && Object.values(NAMES).includes(name as Dtype) && name !== "object";
  if (isNamed) return { dtype: name as Dtype, isBigEndian };
  const kind = /^[USaV]\d*$|^[Mm]8?(\[[\w/]+\])?$/.test(name) ? own(KINDS, name[0]!) : undefined;
  return kind && { dtype: kind, isBigEndian };
}
