/** Writes the format that `safetensors.ts` reads, with the same bytes as the Python library. */
import { allocate } from "./allocate.js";
import type { Dtype } from "./dtype.js";
import { CheckpointError } from "./errors.js";
import { SAFETENSORS_DTYPES } from "./safetensors.js";

/** A tensor whose bytes are made when they are written. */
export interface WrittenTensor {
  key: string;
  stored: Stored;
  /** In bytes. */
  size: number;
  read: () => Promise<Uint8Array>;
}

/**
 * From the widest dtype to the narrowest, so that all are aligned: the order of the Python library.
 */
const ORDER = (
  "U64 I64 F64 C64 F32 U32 I32 BF16 F16 U16 I16 F8_E5M2FNUZ F8_E4M3FNUZ F8_E8M0 F8_E4M3 F8_E5M2 " +
  "I8 U8 F6_E3M2 F6_E2M3 F4 BOOL"
).split(" ");

/** How the format stores a tensor. */
interface Stored {
  /** The format's name of the dtype. */
  name: string;
  shape: readonly number[];
}

/** Undefined if the format lacks the dtype. PyTorch counts pairs of half-byte values. */
export function storedAs(dtype: Dtype, shape: readonly number[]): Stored | undefined {
  const last = shape.at(-1);
  if (dtype === "float4_e2m1fn_x2" && last !== undefined) {
    return { name: "F4", shape: [...shape.slice(0, -1), 2 * last] };
  }
  const name = ORDER.find((known) => SAFETENSORS_DTYPES[known] === dtype);
  return name === undefined ? undefined : { name, shape };
}

export async function writeSafetensors(
  tensors: readonly WrittenTensor[],
  metadata?: readonly [name: string, text: string][],
): Promise<Uint8Array<ArrayBuffer>> {
  const rank = ({ stored }: WrittenTensor): number => ORDER.indexOf(stored.name);
  const sorted = [...tensors].sort((a, b) => rank(a) - rank(b) || compareUtf8(a.key, b.key));
  let at = 0;
  const infos = sorted.map(({ key, stored: { name: dtype, shape }, size }) => {
    const offsets = [at, (at += size)];
    const info = { dtype, shape, data_offsets: offsets };
    return `${JSON.stringify(key)}:${JSON.stringify(info)}`;
  });
  const texts = metadata?.map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`);
  if (texts) infos.unshift(`"__metadata__":{${texts.join(",")}}`);
  const header = new TextEncoder().encode(`{${infos.join(",")}}`);
  const start = 8 + 8 * Math.ceil(header.length / 8);
  const file = allocate(start + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(header, 8);
  file.fill(0x20, 8 + header.length, start);
  at = start;
  for (const { key, read, size } of sorted) {
    const bytes = await read().catch((cause: unknown) => {
      if (cause instanceof CheckpointError) throw cause;
      const message = `'${key}' cannot be saved: ${(cause as Error).message}`;
      throw new CheckpointError(message, { key, cause });
    });
    if (bytes.length !== size) {
      const message = `'${key}' has ${bytes.length} bytes, but its shape and dtype need ${size}`;
      throw new CheckpointError(message, { key });
    }
    file.set(bytes, at);
    at += size;
  }
  return file;
}

/** Compares texts as their UTF-8 bytes compare: by code points. */
function compareUtf8(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i += 1) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
