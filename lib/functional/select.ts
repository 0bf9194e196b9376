import * as tf from "@tensorflow/tfjs-core";

/**
 * `condition ? a : b`, element by element, all in one shape. (tf.where supports no rank above 4 on
 * webgl.)
 */
export function select(condition: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (condition.rank <= 4) return tf.where(condition, a, b);
  const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1]);
  return tf.reshape(tf.where(flat(condition), flat(a), flat(b)), condition.shape);
}
