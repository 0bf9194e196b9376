import { bestBuild, loadFallback } from "../kernels/cpu/index.js";
import { type Compile, compileWith } from "./compile.js";
import { createEngine } from "./plan/engine.js";

/** `nn.compile` on tfjs' cpu backend, by kernels that this platform runs. */
export const compile: Compile = async (...args) => {
  if (bestBuild() === "js") await loadFallback();
  return compileWith(createEngine, ...args);
};
