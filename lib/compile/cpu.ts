import { bestBuild, loadFallback, loadNarrowing } from "../kernels/cpu/index.js";
import { type Compile, compileWith } from "./compile.js";
import { createEngine } from "./plan/engine.js";

/**
 * `nn.compile` on tfjs' cpu and wasm backends, with the fastest kernels that this platform
 * supports.
 */
export const compile: Compile = async (model, example, options) => {
  if (bestBuild() === "js") await loadFallback();
  if ((options?.precision ?? "float32") !== "float32") await loadNarrowing();
  return compileWith(createEngine, model, example, options);
};
