/**
 * Kernels of our own under the ops of `functional` as they are called one by one, on tfjs' cpu
 * backend and on its wasm backend's heap. tfjs' own kernels stay what they are.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { OpKernel } from "../functional/op.js";
import { bestBuild } from "../kernels/cpu/index.js";
import { CONV } from "./conv.js";
import type { EagerKernel } from "./kernels.js";
import { LINEAR } from "./linear.js";
import { CpuMemory, type Memory, WasmMemory } from "./memory.js";
import { MOVES } from "./moves.js";
import { POINTWISE } from "./pointwise.js";
import { RECURRENT, runRecurrent } from "./recurrent.js";
import { ROWS } from "./rows.js";

const memories = new WeakMap<tf.KernelBackend, Memory | null>();

/**
 * The memory beside a backend; `null` where there is no way to its numbers, or none for WebAssembly:
 * our kernels in JavaScript are no better than tfjs' by enough.
 */
export function memoryOf(backend: tf.KernelBackend, name: string): Memory | null {
  let memory = memories.get(backend);
  if (memory === undefined) {
    if (bestBuild() === "js") memory = null;
    else memory = name === "wasm" ? WasmMemory.of(backend) : new CpuMemory(backend);
    memories.set(backend, memory);
  }
  return memory;
}

/**
 * What a kernel gives in the memory beside the current backend; `null`: there is none, or the kernel declines. Where
 * nothing may be compiled any more, as in Cloudflare's Workers once they have started, tfjs goes on alone.
 */
export function runOn<T>(name: "cpu" | "wasm", kernel: (memory: Memory) => T | null): T | null {
  const backend = tf.backend();
  const memory = memoryOf(backend, name);
  try {
    return memory && kernel(memory);
  } catch (error) {
    if (bestBuild() !== "js") throw error;
    memories.set(backend, null);
    return null;
  }
}

const asTensor = (info: tf.TensorInfo | null): tf.Tensor | null =>
  info && tf.engine().makeTensorFromTensorInfo(info);

/** Our kernels for the ops of `functional` on these backends; what they do not take, tfjs does. */
export function kernelsFor(backend: "cpu" | "wasm"): ReadonlyMap<string, OpKernel> {
  // On tfjs-wasm, what is elementwise or moves numbers is as fast there.
  const own = backend === "cpu" && { ...POINTWISE, ...MOVES };
  const kernels: Readonly<Record<string, EagerKernel>> = { ...LINEAR, ...CONV, ...ROWS, ...own };
  const table = new Map<string, OpKernel>();
  for (const [name, kernel] of Object.entries(kernels)) {
    table.set(name, (args) => {
      const info = runOn(backend, (memory) => kernel(memory, args));
      return Array.isArray(info) ? info.map(asTensor) : asTensor(info);
    });
  }
  for (const [name, kind] of Object.entries(RECURRENT)) {
    table.set(name, (args) => runOn(backend, (memory) => runRecurrent(memory, kind, args)));
  }
  return table;
}
