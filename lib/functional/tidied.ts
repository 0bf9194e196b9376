import * as tf from "@tensorflow/tfjs-core";

/**
 * Runs something inside `tf.tidy`: only what keeps itself, such as a parameter, is left of it, and
 * tfjs does not look for tensors in each number of what it gives.
 */
export function tidied<T>(run: () => T): T {
  let result: T;
  tf.tidy(() => {
    result = run();
  });
  return result!;
}
