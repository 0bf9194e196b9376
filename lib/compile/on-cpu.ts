import * as tf from "@tensorflow/tfjs-core";

let isAway = false;

/** Whether the active backend computes on a GPU, or stands aside for one that does. */
export const isOnGpu = (): boolean => isAway || tf.getBackend().startsWith("webg");

/**
 * Runs what a compilation computes, a few small numbers, on tfjs' cpu backend where the active one
 * would compile a GPU program for each op. Both must be ready, so that switching takes effect at once.
 */
export function onCpu<T>(run: () => T): T {
  const before = tf.getBackend();
  if (!before.startsWith("webg") || tf.findBackend("cpu") === null) return run();
  const wasAway = isAway;
  void tf.setBackend("cpu");
  isAway = true;
  try {
    return run();
  } finally {
    isAway = wasAway;
    void tf.setBackend(before);
  }
}
