import * as tf from "@tensorflow/tfjs-core";

/**
 * `tf.pad` for any rank. On webgl, tfjs' shader for rank 5 does not compile, so from there on one
 * axis is padded at a time, with the dimensions before and after it flattened.
 */
export function padTensor(
  x: tf.Tensor,
  pads: readonly (readonly [number, number])[],
  value = 0,
): tf.Tensor {
  if (Number.isNaN(value)) return padWithNaN(x, pads);
  if (x.rank <= 4) return tf.pad(x, pads as [number, number][], value);
  let output = x;
  pads.forEach(([before, after], axis) => {
    if (before === 0 && after === 0) return;
    const { shape } = output;
    const [lead, tail] = [shape.slice(0, axis), shape.slice(axis + 1)];
    const flat = tf.reshape(output, [
      tf.util.sizeFromShape(lead),
      shape[axis]!,
      tf.util.sizeFromShape(tail),
    ]);
    const padded = tf.pad(flat, [[0, 0], [before, after], [0, 0]], value); // prettier-ignore
    output = tf.reshape(padded, [...lead, shape[axis]! + before + after, ...tail]);
  });
  return output;
}

/** Pads with NaN, for which tfjs-wasm would use 0. */
function padWithNaN(x: tf.Tensor, pads: readonly (readonly [number, number])[]): tf.Tensor {
  const kept = padTensor(tf.onesLike(x), pads);
  return tf.add(padTensor(x, pads), tf.sub(tf.reciprocal(kept), tf.reciprocal(kept)));
}
