/** The memories beside tfjs' backends. */
import * as tf from "@tensorflow/tfjs-core";
import { bestBuild } from "../kernels/cpu/index.js";
import { CpuMemory, type Memory, WasmMemory } from "./memory.js";

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
