import type { Dtype, ForeignDtype } from "./dtype.js";
import type { Entry } from "./entry.js";

/** A tensor that the headers of a file tell of; its bytes are read when asked for. */
export interface LazyEntry {
  readonly dtype: Dtype | ForeignDtype;
  readonly shape: readonly number[];
  read(): Promise<Entry>;
}

/** A file of which only the headers are read. */
export interface Checkpoint {
  /** What its bytes say that it is. */
  readonly format: "safetensors" | "torch" | "torch legacy" | "torch tar" | "torchscript" | Arrays;
  readonly entries: ReadonlyMap<string, LazyEntry>;
  /** What a safetensors file says of itself. */
  readonly metadata?: ReadonlyMap<string, string>;
}

type Arrays = "npy" | "npz" | "shards";
