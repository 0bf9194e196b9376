/**
 * PyTorch models in JavaScript: `import * as nn from "sconce"`.
 *
 * @packageDocumentation
 */
import "./default-backend.js";
import "./default-sampler.js";

export { type BackendName, type BackendOptions, setBackend } from "./backend.js";
export {
  type ByteSource,
  cache,
  type CachedFile,
  CheckpointError,
  type CheckpointInfo,
  type CheckpointInput,
  type Dtype,
  type Entry,
  inspect,
  type InspectOptions,
  load,
  type LoadOptions,
  type LoadProgress,
  type SavableState,
  type SavableTensor,
  save,
  type SaveOptions,
  type TensorInfo,
} from "./checkpoint/index.js";
export * from "./compile/index.js";
export {
  ExportedProgram,
  loadExported,
  type LoadExportedOptions,
  registerOp,
  type UserOp,
} from "./exported/index.js";
export * as functional from "./functional/index.js";
export { image, type ImageOptions, type ImageSource, type Pixels } from "./image/index.js";
export * from "./layers/index.js";
export * from "./module/index.js";
