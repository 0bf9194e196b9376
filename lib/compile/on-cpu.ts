import * as tf from "@tensorflow/tfjs-core";

/**
 * Runs the small computations of a compilation on tfjs' cpu backend, where the active backend
 * (webgl, webgpu) would compile a GPU program for each op. Both backends must be ready, so that
 * switching takes effect at once.
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
