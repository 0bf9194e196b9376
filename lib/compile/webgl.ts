import { loadBackend } from "../backend.js";
import { type Compile, compileWith } from "./compile.js";
import { createWebglEngine } from "./webgl/engine.js";

/** `nn.compile` on tfjs' webgl backend, with programs of our own. */
export const compile: Compile = async (...args) => {
  await loadBackend("cpu"); // for `onCpu`
  return compileWith(createWebglEngine, ...args);
};
