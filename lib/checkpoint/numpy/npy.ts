/**
 * numpy's `.npy`: a magic number, a header that is a Python dict, and the bytes.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import type { ByteSource } from "../byte-source.js";
import type { Checkpoint, LazyEntry } from "../checkpoint.js";
import { type Dtype, DTYPES, type ForeignDtype, isDtype, wordSize } from "../dtype.js";
import { Entry } from "../entry.js";
import { CheckpointError, placed } from "../errors.js";
import { looksLikeNpy } from "../signs.js";
import { fortranStride, numelOf } from "../sizes.js";
import { gather, swapBytes } from "../strided.js";
import type { LoadTask } from "../task.js";
import { choose, type Wanted } from "../wanted.js";
import { parseNumpyDtype } from "./dtype.js";
import { parseLiteral, Tuple } from "./literal.js";

/** numpy's limit for headers of untrusted files, in characters, which may have several bytes. */
const MAX_HEADER = 10_000;
const MAX_DIMS = 64;

export interface NpyHeader {
  dtype: Dtype | ForeignDtype;
  shape: number[];
  isFortran: boolean;
  isBigEndian: boolean;
  dataStart: number;
}

type NpyFields = Omit<NpyHeader, "dataStart">;
type Fail = (message: string) => never;

/** Opens a single file: one entry, under the key `array`. */
export async function openNpy(file: ByteSource, wanted: Wanted): Promise<Checkpoint> {
  const entry = npyEntry(file, await readNpyHeader(file), "array");
  return { format: "npy", entries: choose(new Map([["array", entry]]), wanted) };
}

/** Reads the header of any `.npy`, whether its dtype is numeric or not. */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const fail = (message: string): never => {
    throw new CheckpointError(`not a .npy that can be read: ${message}`, { file: source.name });
  };
  const head = await source.read(0, Math.min(12, source.size));
  if (head.length < 10) fail(`${source.size} bytes are too few`);
  if (!looksLikeNpy(head)) fail("it does not begin with its magic");
  const [major, minor] = head.subarray(6, 8) as unknown as [number, number];
  if (major < 1 || major > 3 || minor !== 0) fail(`version ${major}.${minor}`);
  const isLong = major > 1;
  if (isLong && head.length < 12) fail(`${source.size} bytes are too few`);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  const begin = isLong ? 12 : 10;
  if (begin + length > source.size) fail(`a header of ${length} bytes in a file of ${source.size}`);
  const tooLong = `a header of ${length} bytes; numpy's limit is ${MAX_HEADER}`;
  if (length > (major === 3 ? 4 : 1) * MAX_HEADER) fail(tooLong);
  const text = decode(await source.read(begin, begin + length), major, fail);
  if (text.length > MAX_HEADER) fail(tooLong);
  return { ...parseHeader(text, major < 3, fail), dataStart: begin + length };
}

function decode(bytes: Uint8Array, version: number, fail: Fail): string {
  try {
    return new TextDecoder(version === 3 ? "utf-8" : "latin1", { fatal: true }).decode(bytes);
  } catch {
    return fail("its header is not valid UTF-8");
  }
}

/** The entry is row-major and little-endian, whatever the order in the file. */
export function npyEntry(source: ByteSource, header: NpyHeader, key: string): LazyEntry {
  const { dtype, shape, dataStart } = header;
  if (!isDtype(dtype)) {
    throw new CheckpointError(`not a .npy that can be read: ${whyNot(dtype)}`, {
      file: source.name,
      key,
    });
  }
  const bytes = numelOf(shape) * (DTYPES[dtype].bits / 8);
  if (!Number.isSafeInteger(bytes) || bytes > source.size - dataStart) {
    throw new CheckpointError(
      `a .npy of shape [${shape.join(", ")}] and ${dtype} needs ${bytes} bytes, ` +
        `but ${source.size - dataStart} follow its header`,
      { file: source.name, offset: dataStart, key },
    );
  }
  const read = (): Promise<Entry> =>
    placed(source.name, async () => {
      const raw = await source.read(dataStart, dataStart + bytes);
      const values = await arrange(raw, { ...header, dtype }, source.task);
      return new Entry(dtype, shape, values, key, undefined, source.name);
    });
  return { dtype, shape, read };
}

/** Why a dtype cannot be read: it has no numbers, or PyTorch has no type for them. */
export function whyNot(dtype: ForeignDtype): string {
  const astype = "; in Python, .astype(numpy.float64) makes it one that can";
  switch (dtype) {
    case "object":
      return "it holds Python objects, which are a pickle";
    case "structured":
      return "it has a structured dtype; save its fields one by one";
    case "longdouble":
      return `its numbers are ${dtype}, which only the machine that wrote them reads${astype}`;
    case "clongdouble":
      return `its numbers are ${dtype}, which only the machine that wrote them reads`;
    case "datetime64":
    case "timedelta64":
      return `it holds ${dtype}, not numbers; in Python, .astype(numpy.int64) makes them so`;
    default:
      return `it holds ${dtype}, not numbers`;
  }
}

async function arrange(
  bytes: Uint8Array,
  header: NpyHeader & { dtype: Dtype },
  task: LoadTask | undefined,
): Promise<Uint8Array> {
  const { dtype, shape, isFortran, isBigEndian } = header;
  const itemSize = DTYPES[dtype].bits / 8;
  const layout = { shape, stride: fortranStride(shape), offset: 0, itemSize };
  const ordered = isFortran && shape.length > 1 ? await gather(bytes, layout, task) : bytes;
  return isBigEndian ? swapBytes(ordered, wordSize(dtype), task) : ordered;
}

/** Reads the header, a Python dict with exactly these three entries. */
function parseHeader(text: string, isPython2: boolean, fail: Fail): NpyFields {
  let header: unknown;
  try {
    header = parseLiteral(text, isPython2);
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : String(error);
    return fail(`its header is not a plain dict: ${why}`);
  }
  if (!(header instanceof Map) || header.size !== 3) return fail("its header is not a plain dict");
  const [descr, fortran, shape] = ["descr", "fortran_order", "shape"].map((name) =>
    (header as Map<unknown, unknown>).get(name),
  );
  if (typeof fortran !== "boolean") return fail("its header has no fortran_order");
  if (!(shape instanceof Tuple) || !shape.items.every(isSize) || shape.items.length > MAX_DIMS) {
    return fail("its header has no shape");
  }
  const sizes = shape.items as number[];
  // As in numpy, axes of size 0 do not reduce the product.
  const rest = sizes.reduce((product, size) => product * (size || 1), 1);
  if (sizes.includes(0) && rest >= 2 ** 63) return fail("its shape is larger than can be counted");
  return { ...parseDescr(descr, fail), shape: [...sizes], isFortran: fortran };
}

const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;

function parseDescr(descr: unknown, fail: Fail): Pick<NpyHeader, "dtype" | "isBigEndian"> {
  // A list of fields, or a dtype with a shape of its own.
  if (Array.isArray(descr) || descr instanceof Tuple) {
    return { dtype: "structured", isBigEndian: false };
  }
  const dtype = typeof descr === "string" ? parseNumpyDtype(descr) : undefined;
  return dtype ?? fail(`dtype ${JSON.stringify(descr) ?? "missing"}`);
}
