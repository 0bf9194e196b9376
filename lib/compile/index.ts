/**
 * Public functions of compiling. Tracing is part of the first download; passes and planners are
 * loaded by the first call of `compile`.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Compile, Compiled, CompileOptions } from "./compile.js";
import type { Traceable } from "./trace.js";

export type { Compiled, CompileOptions } from "./compile.js";
export type { Precision } from "./precision.js";
export type { Profile, ProfileRow } from "./profile.js";
export { TraceError } from "./structure.js";
export type { Explanation } from "./report.js";
export { setThreads } from "./threads.js";
export { trace, type Traceable } from "./trace.js";

/**
 * One import per backend, which brings everything that it needs: a page waits for one round trip
 * only.
 */
const COMPILERS: Readonly<Record<string, () => Promise<{ compile: Compile }>>> = {
  cpu: () => import("./cpu.js"),
  wasm: () => import("./cpu.js"),
  webgl: () => import("./webgl.js"),
};

/**
 * Compiles a model: traces it once, optimises the graph and runs it by kernels of our own, as one
 * list of calls on fixed memory. Results are those of `model(x)`; what cannot be compiled runs as
 * the model itself does, with its own errors.
 *
 * ```ts
 * const fast = await nn.compile(model, tf.zeros([1, 3, 224, 224]));
 * const y = fast(x);
 * ```
 *
 * A call with inputs of another shape makes another plan first. New values of parameters
 * (`loadStateDict`) are noticed, and so are replaced layers, modes and hooks.
 *
 * @param example a tensor, or the list of all arguments of a call.
 */
export async function compile<M extends Traceable>(
  model: M,
  example: unknown,
  options?: CompileOptions,
): Promise<Compiled<M>> {
  await tf.ready();
  const load = COMPILERS[tf.getBackend()] ?? (() => import("./others.js"));
  return (await load()).compile(model, example, options);
}
