import { type Compile, compileWith } from "./compile.js";
import { createTfjsEngine } from "./tfjs/engine.js";

/** `nn.compile` on any other tfjs backend, by tfjs' fused ops. */
export const compile: Compile = (...args) => compileWith(createTfjsEngine, ...args);
