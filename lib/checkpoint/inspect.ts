import { readOptions } from "../arguments.js";
import type { Dtype, ForeignDtype } from "./dtype.js";
import { DTYPES, isDtype } from "./dtype.js";
import { openCheckpoint } from "./formats.js";
import { type CheckpointInput, withSource } from "./source/open.js";
import type { SourceOptions } from "./source/options.js";
import { numelOf } from "./sizes.js";
import { checkWanted } from "./wanted.js";

/** A tensor as described by the headers of a file. */
export interface TensorInfo {
  dtype: Dtype | ForeignDtype;
  shape: readonly number[];
  /** The size of its values; undefined if they are not numbers. */
  bytes: number | undefined;
}

/** The contents of a file's headers. */
export interface CheckpointInfo {
  /** `safetensors`, `torch`, `npz` …, as recognised by the bytes. */
  format: string;
  /** In bytes; for sharded files, the size of the index. */
  size: number;
  /** The metadata of a safetensors file. */
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

/** The size of a tensor's values; undefined if the dtype is not one of PyTorch's. */
export const bytesOf = (dtype: string, shape: readonly number[]): number | undefined =>
  isDtype(dtype) ? Math.ceil((numelOf(shape) * DTYPES[dtype].bits) / 8) : undefined;
