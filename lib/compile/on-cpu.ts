import * as tf from "@tensorflow/tfjs-core";

/**
 * Runs what a compilation computes, a few small numbers, on tfjs' cpu backend where the active one
 * would compile a GPU program for each op. Both must be ready, so that switching takes effect at once.
 */
export function onCpu<T>(run: () => T): T {
  const before = tf.getBackend();
  if (!before.startsWith("webg") || tf.findBackend("cpu") === null) return run();
  void tf.setBackend("cpu");
  try {
    return run();
  } finally {
    void tf.setBackend(before);
  }
}
