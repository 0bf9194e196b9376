import * as tf from "@tensorflow/tfjs-core";
import { tryKernel } from "./op.js";
import type { Resampling } from "./resampling.js";
import { averageOfWindows } from "./window-average.js";

/** Resamples one dimension: `(…, L, …)` → `(…, L', …)`. */
export function resampleAxis(
  whole: tf.Tensor,
  at: number,
  { positions, weights }: Resampling,
): tf.Tensor {
  const own = tryKernel("taps", whole, at, positions, weights);
  if (own) return own as tf.Tensor;
  const output = positions.length;
  const shape = whole.shape.map((size, d) => (d === at ? output : size));
  const [before, behind] = [shape.slice(0, at), shape.slice(at + 1)].map(tf.util.sizeFromShape);
  const x = tf.reshape(whole, [before!, whole.shape[at]!, behind!]);
  const kernel = Math.max(...positions.map(({ length }) => length));
  // Shorter windows are padded with copies of their last position, which share its weight.
  const filled = positions.flatMap((window) =>
    Array.from({ length: kernel }, (_, k) => window[k] ?? window.at(-1)!),
  );
  const seen = tf.gather(x, tf.tensor1d(filled, "int32"), 1);
  if (kernel === 1) return tf.reshape(seen, shape);
  // tfjs can average over windows but not sum, so weights are multiplied by the window size.
  const factors = weights.flatMap((window) => {
    const shared = window.at(-1)! / (kernel - window.length + 1);
    return Array.from({ length: kernel }, (_, k) => (window.slice(0, -1)[k] ?? shared) * kernel);
  });
  const weighted = tf.mul(seen, tf.tensor3d(factors, [1, factors.length, 1]));
  const along = { input: factors.length, kernel, stride: kernel, padding: 0, dilation: 1, output };
  const rest = { input: behind!, kernel: 1, stride: 1, padding: 0, dilation: 1, output: behind! };
  return tf.reshape(averageOfWindows(weighted, [along, rest]), shape);
}
