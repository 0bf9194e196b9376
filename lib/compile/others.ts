import { type Compile, compileWith } from "./compile.js";
import { createTfjsEngine } from "./tfjs/engine.js";

/** `nn.compile` on any other backend of tfjs, by its fused ops. */
export const compile: Compile = (...args) => compileWith(createTfjsEngine, ...args);
