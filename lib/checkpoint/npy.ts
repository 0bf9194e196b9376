/**
 * numpy's `.npy`: a magic, a header that is a Python dict, and the bytes.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import type { ByteSource } from "./byte-source.js";
import type { LazyEntry } from "./checkpoint.js";
import { type Dtype, DTYPES, wordSize } from "./dtype.js";
import { Entry } from "./entry.js";
import { CheckpointError } from "./errors.js";
import { fortranStride, gather, swapBytes } from "./strided.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Far above any honest header of a plain array. */
const MAX_HEADER = 65536;

/** By numpy's kind and bytes. */
const NAMES: Record<string, Dtype> = {
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
};

export const numpyDtype = (name: string): Dtype | undefined =>
  Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;

interface NpyHeader {
  dtype: Dtype;
  shape: number[];
  fortran: boolean;
  bigEndian: boolean;
  dataStart: number;
}

export const looksLikeNpy = (head: Uint8Array): boolean =>
  MAGIC.every((byte, i) => head[i] === byte);

/** Reads the header; the entry is row-major and little-endian whatever the array is in the file. */
export async function openNpy(source: ByteSource, key: string): Promise<LazyEntry> {
  const header = await readHeader(source);
  const { dtype, shape, dataStart } = header;
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = count * (DTYPES[dtype].bits / 8);
  if (!Number.isSafeInteger(bytes) || bytes > source.size - dataStart) {
    throw new CheckpointError(
      `a .npy of shape [${shape.join(", ")}] and ${dtype} needs ${bytes} bytes, ` +
        `but ${source.size - dataStart} follow its header`,
      { file: source.name, offset: dataStart, key },
    );
  }
  return { dtype, shape, read: () => readArray(source, header, bytes, key) };
}

async function readArray(
  source: ByteSource,
  { dtype, shape, fortran, bigEndian, dataStart }: NpyHeader,
  bytes: number,
  key: string,
): Promise<Entry> {
  const itemSize = DTYPES[dtype].bits / 8;
  let data = await source.read(dataStart, dataStart + bytes);
  if (fortran) data = gather(data, { shape, stride: fortranStride(shape), offset: 0, itemSize });
  if (bigEndian) data = swapBytes(data, wordSize(dtype));
  return new Entry(dtype, shape, data, key);
}

async function readHeader(source: ByteSource): Promise<NpyHeader> {
  const fail = (message: string): never => {
    throw new CheckpointError(`not a .npy that can be read: ${message}`, { file: source.name });
  };
  const head = await source.read(0, Math.min(12, source.size));
  if (head.length < 10) fail(`${source.size} bytes are too few`);
  const major = head[6]!;
  if (major < 1 || major > 3) fail(`version ${major}.${head[7]}`);
  const long = major > 1;
  if (long && head.length < 12) fail(`${source.size} bytes are too few`);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const begin = long ? 12 : 10;
  if (length > MAX_HEADER || begin + length > source.size) {
    fail(`a header of ${length} bytes in a file of ${source.size}`);
  }
  const bytes = await source.read(begin, begin + length);
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes);
  return { ...parseHeader(text, fail), dataStart: begin + length };
}

/** The header is Python source; only this one form of it is data. */
function parseHeader(text: string, fail: (message: string) => never): Omit<NpyHeader, "dataStart"> {
  const dict = /^\{((?:\s*'\w+'\s*:\s*(?:'[^']*'|True|False|\([\d,\sL]*\))\s*,?)*)\s*\}\s*$/.exec(
    text,
  );
  if (!dict) {
    if (/'descr'\s*:\s*\[/.test(text)) return fail("a structured dtype");
    return fail(`its header is not a plain dict: ${JSON.stringify(text.slice(0, 80))}`);
  }
  const field = (name: string, pattern: string): string => {
    const found = new RegExp(`'${name}'\\s*:\\s*${pattern}`).exec(dict[1]!);
    return found ? found[1]! : fail(`its header has no '${name}'`);
  };
  const descr = field("descr", "'([^']*)'");
  const fortran = field("fortran_order", "(True|False)") === "True";
  const sizes = field("shape", "\\(([^)]*)\\)")
    .split(",")
    .map((size) => size.trim().replace("L", ""));
  const shape = sizes.filter((size) => size !== "").map(Number);
  const order = descr[0]!;
  const name = "<>|=".includes(order) ? descr.slice(1) : descr;
  if (name.startsWith("O")) fail("an object array, which is a pickle");
  const dtype = numpyDtype(name);
  if (dtype === undefined) return fail(`dtype '${descr}'`);
  return { dtype, shape, fortran, bigEndian: order === ">" };
}
