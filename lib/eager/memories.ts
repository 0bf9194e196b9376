/** The kernels' memory for each of tfjs' backends. */
import * as tf from "@tensorflow/tfjs-core";
import { bestBuild } from "../kernels/cpu/index.js";
import { CpuMemory, type Memory, WasmMemory } from "./memory.js";

const memories = new WeakMap<tf.KernelBackend, Memory | null>();

/**
 * The kernels' memory for a backend; `null` if its data cannot be reached, or if WebAssembly is
 * missing: our kernels in JavaScript are not much better than tfjs'.
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
 * Runs a kernel in the memory for the current backend; `null` if there is none or the kernel
 * declines. Where WebAssembly cannot be compiled any more (in Cloudflare's Workers, after they have
 * started), tfjs computes everything.
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
