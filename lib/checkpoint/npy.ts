/**
 * numpy's `.npy`: a magic, a header that is a Python dict, and the bytes.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import type { ByteSource } from "./byte-source.js";
import { type Dtype, DTYPES } from "./dtype.js";
import { Entry } from "./entry.js";
import { CheckpointError } from "./errors.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Far above any honest header of a plain array. */
const MAX_HEADER = 65536;

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
};

interface NpyHeader {
  dtype: Dtype;
  shape: number[];
  fortran: boolean;
  bigEndian: boolean;
  dataStart: number;
}

export const looksLikeNpy = (head: Uint8Array): boolean =>
  MAGIC.every((byte, i) => head[i] === byte);

/** Reads a whole `.npy`, row-major and little-endian whatever it is in the file. */
export async function readNpy(source: ByteSource, key: string): Promise<Entry> {
  const { dtype, shape, fortran, bigEndian, dataStart } = await readHeader(source);
  const itemSize = DTYPES[dtype].bits / 8;
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = count * itemSize;
  if (!Number.isSafeInteger(bytes) || bytes > source.size - dataStart) {
    throw new CheckpointError(
      `a .npy of shape [${shape.join(", ")}] and ${dtype} needs ${bytes} bytes, ` +
        `but ${source.size - dataStart} follow its header`,
      { file: source.name, offset: dataStart, key },
    );
  }
  let data = await source.read(dataStart, dataStart + bytes);
  const word = dtype === "complex64" ? 4 : itemSize;
  if (bigEndian && word > 1) data = swapBytes(data, word);
  if (fortran && shape.length > 1) data = toRowMajor(data, shape, itemSize);
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
  const dtype = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (dtype === undefined) return fail(`dtype '${descr}'`);
  return { dtype, shape, fortran, bigEndian: order === ">" };
}

function swapBytes(bytes: Uint8Array, size: number): Uint8Array {
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += size) {
    for (let k = 0; k < size; k += 1) swapped[i + k] = bytes[i + size - 1 - k]!;
  }
  return swapped;
}

function toRowMajor(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  for (let to = 0; to < bytes.length; to += size) {
    const from = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0) * size;
    out.set(bytes.subarray(from, from + size), to);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return out;
}
