import * as tf from "@tensorflow/tfjs-core";
import { split } from "./moves.js";
import { pad } from "./pad.js";

/** Windows over the spatial dimensions of a plane, with one number for each dimension. */
export interface Overlap {
  kernel: readonly number[];
  dilation: readonly number[];
  padding: readonly number[];
  stride: readonly number[];
  /** The number of windows. */
  count: readonly number[];
  /** The size of the plane. */
  output: readonly number[];
}

/**
 * Adds up windows at the positions from which they were taken: `(N, C · kernel size, windows)` →
 * `(N, C, ...output)`. One dimension after the other, the last one first.
 */
export function overlapAdd(columns: tf.Tensor, channels: number, overlap: Overlap): tf.Tensor {
  const { kernel, dilation, padding, stride, count, output } = overlap;
  const { sizeFromShape } = tf.util;
  let y = columns;
  for (let d = kernel.length - 1; d >= 0; d -= 1) {
    const [n, step, border] = [count[d]!, stride[d]!, padding[d]!];
    const [between, behind] = [count.slice(0, d), output.slice(d + 1)].map(sizeFromShape);
    // As many neighbours in a window as its stride do not meet those of the next window, and are
    // placed together.
    const together = dilation[d] === 1 ? step : 1;
    const parts = Math.ceil(kernel[d]! / together);
    const windows = pad(tf.reshape(y, [-1, kernel[d]!, between! * n * behind!]), [0, 0, 0, parts * together - kernel[d]!]); // prettier-ignore
    // Inserts zeros between the elements, and after them: the result may be longer than the output,
    // and is cut.
    const full = output[d]! + 2 * border + step - 1;
    const placed = split(tf.transpose(windows, [1, 0, 2]), parts, 0).map((part, k) => {
      const rows = tf.transpose(tf.reshape(part, [together, -1, behind!]), [1, 0, 2]);
      const spread = pad(rows, [0, 0, 0, step - together]);
      const before = k * together * dilation[d]!;
      const after = full - before - n * step;
      return pad(tf.reshape(spread, [-1, n * step, behind!]), [0, 0, before, after]);
    });
    y = tf.slice(tf.addN(placed), [0, border, 0], [-1, output[d]!, -1]);
  }
  return tf.reshape(y, [-1, channels, ...output]);
}
