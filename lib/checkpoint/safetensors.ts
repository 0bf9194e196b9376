/**
 * The safetensors format, by the rules of its own implementation: eight bytes with the length of
 * the header, a JSON header, and the tensors' bytes without gaps, overlaps or remainder.
 *
 * Source: https://github.com/huggingface/safetensors#format
 */
import type { ByteSource } from "./byte-source.js";
import { type Dtype, DTYPES } from "./dtype.js";
import { CheckpointError } from "./errors.js";
import { parseHeaderJson } from "./header-json.js";

/** The format's own limit. */
const MAX_HEADER = 100_000_000;

/** By the names in headers. */
export const SAFETENSORS_DTYPES: Readonly<Record<string, Dtype>> = {
  BOOL: "bool",
  U8: "uint8",
  I8: "int8",
  I16: "int16",
  U16: "uint16",
  I32: "int32",
  U32: "uint32",
  I64: "int64",
  U64: "uint64",
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
  C64: "complex64",
  F8_E4M3: "float8_e4m3fn",
  F8_E5M2: "float8_e5m2",
  F8_E4M3FNUZ: "float8_e4m3fnuz",
  F8_E5M2FNUZ: "float8_e5m2fnuz",
  F8_E8M0: "float8_e8m0fnu",
  F6_E2M3: "float6_e2m3fn",
  F6_E3M2: "float6_e3m2fn",
  F4: "float4_e2m1fn",
};

/** The position of a tensor in the file. */
export interface TensorPlace {
  key: string;
  dtype: Dtype;
  shape: number[];
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes. */
  tensors: TensorPlace[];
}

/** Reads and checks the header; no bytes of tensors. */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { name: file, size } = source;
  const fail = (message: string, offset: number, key?: string): never => {
    throw new CheckpointError(`not a safetensors file: ${message}`, { file, offset, key });
  };
  if (size < 8) fail(`${size} bytes are too few for a header`, 0);
  const lengthBytes = await source.read(0, 8);
  const view = new DataView(lengthBytes.buffer, lengthBytes.byteOffset, 8);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) {
    fail(`the header claims ${length} bytes; the format allows ${MAX_HEADER}`, 0);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > size) {
    fail(`the header claims ${length} bytes, but the file ends after ${size}`, 0);
  }
  const header = parseHeader(await source.read(8, dataStart), fail);
  source.alignAt?.(dataStart);
  const { __metadata__: metadata, ...infos } = header;
  const tensors = Object.entries(infos).map(([key, info]) => readInfo(key, info, fail));
  checkLayout(tensors, size - dataStart, fail);
  tensors.forEach(pairHalfBytes);
  for (const tensor of tensors) {
    tensor.begin += dataStart;
    tensor.end += dataStart;
  }
  return { metadata: readMetadata(metadata, fail), tensors };
}

type Fail = (message: string, offset: number, key?: string) => never;
type Json = Record<string, unknown>;

function parseHeader(bytes: Uint8Array, fail: Fail): Json {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    fail("the header is not valid UTF-8", 8);
  }
  if (!/^[ \t\n\r]*\{/.test(text)) fail("the header does not start with '{'", 8);
  try {
    return parseHeaderJson(text) as Json;
  } catch (error) {
    return fail(`the header is not valid: ${(error as Error).message}`, 8);
  }
}

function readMetadata(value: unknown, fail: Fail): Map<string, string> {
  if (value === undefined || value === null) return new Map();
  const entries = typeof value === "object" ? Object.entries(value) : [["", null]];
  if (Array.isArray(value) || entries.some(([, text]) => typeof text !== "string")) {
    fail("__metadata__ is not a map of strings to strings", 8);
  }
  return new Map(entries as [string, string][]);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readInfo(key: string, info: unknown, fail: Fail): TensorPlace {
  if (typeof info !== "object" || info === null || Array.isArray(info)) {
    fail(`the entry of '${key}' is not an object`, 8, key);
  }
  const { dtype: name, shape, data_offsets: offsets } = info as Json;
  const dtype =
    typeof name === "string" && Object.hasOwn(SAFETENSORS_DTYPES, name)
      ? SAFETENSORS_DTYPES[name]
      : undefined;
  if (dtype === undefined) {
    const known = Object.keys(SAFETENSORS_DTYPES).join(", ");
    return fail(`'${key}' has dtype ${JSON.stringify(name)}; known are ${known}`, 8, key);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    return fail(`'${key}' has shape ${JSON.stringify(shape)}`, 8, key);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    return fail(`'${key}' has data_offsets ${JSON.stringify(offsets)}`, 8, key);
  }
  const [begin, end] = offsets as [number, number];
  return { key, dtype, shape, begin, end };
}

/** PyTorch counts half-byte values in pairs. */
function pairHalfBytes(tensor: TensorPlace): void {
  const last = tensor.shape.at(-1);
  if (tensor.dtype !== "float4_e2m1fn" || last === undefined || last % 2 !== 0) return;
  tensor.dtype = "float4_e2m1fn_x2";
  tensor.shape = [...tensor.shape.slice(0, -1), last / 2];
}

/** Infinity if it is not a 64-bit integer, as in the format's own arithmetic. */
const countOf = (shape: readonly number[]): number =>
  shape.reduce((count, size) => (count * size < 2 ** 64 ? count * size : Infinity), 1);

/**
 * Checks that each tensor begins where the previous one ends and is as long as its shape says, and
 * that nothing remains.
 */
function checkLayout(tensors: TensorPlace[], available: number, fail: Fail): void {
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { key, dtype, shape, begin, end } of tensors) {
    if (begin !== at || end < begin) {
      fail(`'${key}' has data_offsets [${begin}, ${end}], but should begin at ${at}`, 8, key);
    }
    const bits = countOf(shape) * DTYPES[dtype].bits;
    if (bits !== (end - begin) * 8) {
      const text = `[${shape.join(", ")}] of ${dtype}`;
      fail(`'${key}' is ${text}, ${bits / 8} bytes, but holds ${end - begin}`, 8, key);
    }
    at = end;
  }
  if (at !== available) {
    fail(`the tensors take ${at} bytes, but ${available} follow the header`, 8);
  }
}
