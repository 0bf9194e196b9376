import type * as tf from "@tensorflow/tfjs-core";
import type { Memory } from "./memory.js";

/** Computes an op in the memory of a backend; `null` leaves these arguments to the op's body. */
export type EagerKernel = (memory: Memory, args: readonly unknown[]) => tf.TensorInfo | null;
