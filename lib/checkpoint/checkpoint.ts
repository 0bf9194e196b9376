import type { Dtype, ForeignDtype } from "./dtype.js";
import type { Entry } from "./entry.js";

/** A tensor described by the headers of a file; its bytes are read on demand. */
export interface LazyEntry {
  readonly dtype: Dtype | ForeignDtype;
  readonly shape: readonly number[];
  read(): Promise<Entry>;
}

/** A file whose headers have been read. */
export interface Checkpoint {
  /** The format, as recognised by the bytes. */
  readonly format: "safetensors" | "torch" | "torch legacy" | "torch tar" | "torchscript" | Arrays;
  readonly entries: ReadonlyMap<string, LazyEntry>;
  /** The metadata of a safetensors file. */
  readonly metadata?: ReadonlyMap<string, string>;
}

type Arrays = "npy" | "npz" | "shards";
