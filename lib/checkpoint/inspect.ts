import type { Dtype, ForeignDtype } from "./dtype.js";
import { DTYPES, isDtype } from "./dtype.js";
import { openCheckpoint } from "./formats.js";
import { type CheckpointInput, type OpenOptions, withSource } from "./source/open.js";
import { numelOf } from "./strided.js";
import type { TaskOptions } from "./task.js";

/** What a file's headers say of a tensor. */
export interface TensorInfo {
  dtype: Dtype | ForeignDtype;
  shape: readonly number[];
  /** Of its values; undefined where they are no numbers. */
  bytes: number | undefined;
}

/** What a file's headers say. */
export interface CheckpointInfo {
  /** `safetensors`, `torch`, `npz` …: as the bytes tell. */
  format: string;
  /** In bytes; of shards, their index alone. */
  size: number;
  /** What a safetensors file says of itself. */
  metadata: ReadonlyMap<string, string>;
  tensors: Map<string, TensorInfo>;
}

export interface InspectOptions
  extends Pick<TaskOptions, "signal">, Pick<OpenOptions, "cache" | "integrity"> {
  /** As for `load`. */
  key?: string | undefined;
}

export async function inspect(
  source: CheckpointInput,
  options: InspectOptions = {},
): Promise<CheckpointInfo> {
  const { key, signal, cache, integrity, ...unknown } = options;
  const [unexpected] = Object.keys(unknown);
  if (unexpected !== undefined) {
    throw new TypeError(
      `inspect got an unexpected option '${unexpected}'; known options: key, signal, cache, integrity`,
    );
  }
  return withSource(source, { signal, cache, integrity, isWhole: false }, async (file) => {
    const {
      format,
      entries,
      metadata = new Map<string, string>(),
    } = await openCheckpoint(file, key);
    const tensors = new Map<string, TensorInfo>();
    for (const [name, { dtype, shape }] of entries) {
      const bits = isDtype(dtype) ? numelOf(shape) * DTYPES[dtype].bits : undefined;
      tensors.set(name, { dtype, shape, bytes: bits && Math.ceil(bits / 8) });
    }
    return { format, size: file.size, metadata, tensors };
  });
}
