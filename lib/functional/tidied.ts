import * as tf from "@tensorflow/tfjs-core";

/**
 * Runs something inside `tf.tidy`. Its result is not searched for tensors, which would take long for
 * large arrays: so of the tensors only kept ones, such as parameters, survive.
 */
export function tidied<T>(run: () => T): T {
  let result: T;
  tf.tidy(() => {
    result = run();
  });
  return result!;
}
