/**
 * Our kernels for ops of `functional` that are called one by one: on tfjs' cpu backend, and in the
 * heap of its wasm backend. tfjs' own kernels stay in place, except those that its wasm backend
 * lacks or gets wrong (composed.ts).
 */
import * as tf from "@tensorflow/tfjs-core";
import type { OpKernel } from "../functional/op.js";
import { CONV } from "./conv.js";
import type { EagerKernel } from "./kernels.js";
import { LINEAR } from "./linear.js";
import { memoryOf, runOn } from "./memories.js";
import { MOVES } from "./moves.js";
import { POINTWISE } from "./pointwise.js";
import { runRecurrent } from "./recurrent.js";
import { ROWS } from "./rows.js";
import { type Kernel, KERNELS, replaceKernels } from "./tfjs.js";

export { memoryOf };

/** On tfjs-wasm, other elementwise kernels and copies are as fast as ours, but not slices of five dimensions. */
const { BatchMatMul, Transpose, Slice } = KERNELS;
const UNDER_BODIES: Record<"cpu" | "wasm", Readonly<Record<string, Kernel>>> = {
  cpu: KERNELS,
  wasm: { BatchMatMul: BatchMatMul!, Transpose: Transpose!, Slice: Slice! },
};

/**
 * Our kernels for the ops of `functional` on a backend, and for tfjs kernels that their bodies
 * call. What ours do not take, tfjs' compute.
 *
 * @param isInBody - Whether the body of an op is running.
 */
export function kernelsFor(
  backend: "cpu" | "wasm",
  isInBody: (backend: string) => boolean,
): ReadonlyMap<string, OpKernel> {
  replaceKernels(backend, UNDER_BODIES[backend], isInBody);
  UNDER_BODIES[backend] = {}; // only once
  const own = backend === "cpu" && POINTWISE;
  const kernels: Readonly<Record<string, EagerKernel>> = { ...LINEAR, ...CONV, ...ROWS, ...MOVES, ...own }; // prettier-ignore
  const table = new Map<string, OpKernel>();
  for (const [name, kernel] of Object.entries(kernels)) {
    table.set(name, (args) => {
      const info = runOn(backend, (memory) => kernel(memory, args));
      return info && tf.engine().makeTensorFromTensorInfo(info);
    });
  }
  table.set("recurrent", (args) => runOn(backend, (memory) => runRecurrent(memory, args)));
  return table;
}

/** Like {@link kernelsFor}, and registers what tfjs-wasm lacks. */
export async function loadKernels(
  backend: "cpu" | "wasm",
  isInBody: (backend: string) => boolean,
): Promise<ReadonlyMap<string, OpKernel>> {
  if (backend === "wasm") await import("./composed.js").then((m) => m.compose(backend));
  return kernelsFor(backend, isInBody);
}
