export type { ForwardHook, ForwardPreHook, HookHandle, HookOptions } from "./call.js";
export { ModuleDict, ModuleList, type NamedModules, Sequential } from "./containers.js";
export { deepcopy } from "./deepcopy.js";
export { formatFloat, formatPython, formatSize, formatTuple } from "./format/index.js";
export * as init from "./init.js";
export { meta } from "./meta.js";
export { Module, type NamedOptions } from "./module.js";
export { ParameterDict, ParameterList } from "./parameter-containers.js";
export { Buffer, Empty, Parameter, type TensorSource } from "./parameter.js";
export { format, type FormatOptions } from "./print.js";
export { manualSeed, rand, randint, randn, randperm } from "./random.js";
export { stripPrefix } from "./prefix.js";
export type {
  IncompatibleKeys,
  LoadStateOptions,
  StateEntry,
  StateSource,
  StateValue,
} from "./state-dict.js";
export { UninitializedBuffer, UninitializedParameter } from "./uninitialized.js";
export { summary, type SummaryInput, type SummaryOptions } from "./summary.js";
export type { ModelSummary, SummaryRow } from "./summary-rows.js";
