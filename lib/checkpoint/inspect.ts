import { readOptions } from "../arguments.js";
import type { Dtype, ForeignDtype } from "./dtype.js";
import { DTYPES, isDtype } from "./dtype.js";
import { openCheckpoint } from "./formats.js";
import { type CheckpointInput, withSource } from "./source/open.js";
import type { SourceOptions } from "./source/options.js";
import { numelOf } from "./sizes.js";
import { checkWanted } from "./wanted.js";

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

export interface InspectOptions extends Omit<SourceOptions, "onProgress"> {
  /** As for `load`. */
  key?: string | undefined;
}

const OPTIONS = {
  ...{ key: undefined, signal: undefined, cache: undefined, integrity: undefined },
} satisfies InspectOptions;

export async function inspect(
  source: CheckpointInput,
  options?: InspectOptions,
): Promise<CheckpointInfo> {
  const { key, ...opened } = readOptions<InspectOptions>("inspect", OPTIONS, options);
  checkWanted("inspect", { key });
  return withSource("inspect", source, { ...opened, isWhole: false }, async (file) => {
    const checkpoint = await openCheckpoint(file, { key });
    const { format, entries, metadata = new Map<string, string>() } = checkpoint;
    const tensors = new Map<string, TensorInfo>();
    for (const [name, { dtype, shape }] of entries) {
      tensors.set(name, { dtype, shape, bytes: bytesOf(dtype, shape) });
    }
    return { format, size: file.size, metadata, tensors };
  });
}

/** Of a tensor's values; undefined if the dtype is none of PyTorch's. */
export const bytesOf = (dtype: string, shape: readonly number[]): number | undefined =>
  isDtype(dtype) ? Math.ceil((numelOf(shape) * DTYPES[dtype].bits) / 8) : undefined;
