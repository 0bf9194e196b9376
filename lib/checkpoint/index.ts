export type { ByteSource } from "./byte-source.js";
export { cache, type CachedFile } from "./cache/index.js";
export type { Dtype } from "./dtype.js";
export { Entry } from "./entry.js";
export { CheckpointError } from "./errors.js";
export { load, type LoadOptions } from "./load.js";
export type { CheckpointInput } from "./source/open.js";
export type { LoadProgress } from "./task.js";
export { save, type SavableState, type SavableTensor, type SaveOptions } from "./save.js";
