import * as tf from "@tensorflow/tfjs-core";
import { expandSteps } from "../arguments.js";
import { checkNumberTensor, checkTensor, dtypeName, listText } from "./check.js";

/** The input with a batch dimension, as PyTorch takes it without. */
export function addBatch(name: string, dims: number, input: tf.Tensor): tf.Tensor {
  if (input.rank === dims + 2) return input;
  if (input.rank === dims + 1) return tf.expandDims(input, 0);
  throw new Error(
    `Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ${name}, ` +
      `but got input of size: ${listText(input.shape)}`,
  );
}

/** Refuses pictures without pixels, of which padding would make some. */
export function checkSpace(name: string, input: tf.Tensor): void {
  if (input.size > 0 || input.shape[0] === 0 || input.shape[1] === 0) return;
  throw new RangeError(
    `${name}(): Only zero batch or zero channel inputs are supported, ` +
      `but got input shape: [${input.shape.join(", ")}]`,
  );
}

/** Refuses a bias that is not `(out)`. */
export function checkBias(
  name: string,
  weight: tf.Tensor,
  bias: tf.Tensor,
  outChannels: number,
): void {
  checkTensor(name, bias, "bias", 3);
  if (bias.rank === 1 && bias.shape[0] === outChannels) return;
  throw new Error(
    `${name}(): Given weight of size ${listText(weight.shape)}, expected bias to be ` +
      `1-dimensional with ${outChannels} elements, but got bias of size ` +
      `${listText(bias.shape)} instead`,
  );
}

/** Reads and checks stride, dilation and groups as every convolution does. */
export function readSteps(
  name: string,
  dims: number,
  input: tf.Tensor,
  weight: tf.Tensor,
  given: {
    stride: number | readonly number[];
    dilation: number | readonly number[];
    groups: number;
  },
): { stride: number[]; dilation: number[] } {
  const stride = expandSteps(`${name}(): stride`, given.stride, dims);
  const dilation = expandSteps(`${name}(): dilation`, given.dilation, dims);
  if (stride.some((s) => s <= 0)) {
    throw new Error(`${name}(): non-positive stride is not supported, got ${listText(stride)}`);
  }
  if (dilation.some((d) => d <= 0)) {
    throw new Error(
      `${name}(): dilation should be greater than zero, but got ${listText(dilation)}`,
    );
  }
  if (weight.rank !== dims + 2) {
    throw new Error(
      `${name}(): expected a ${dims + 2}-dimensional weight, ` +
        `but got weight of size ${listText(weight.shape)}`,
    );
  }
  if (input.dtype !== weight.dtype) {
    throw new Error(
      `${name}(): expected scalar type ${dtypeName(input)} but found ${dtypeName(weight)}: ` +
        "input and weight must have the same dtype",
    );
  }
  checkNumberTensor(name, input);
  if (!Number.isInteger(given.groups) || given.groups <= 0) {
    throw new Error(`${name}(): non-positive groups is not supported, got ${given.groups}`);
  }
  if (weight.shape[0] === 0) {
    throw new Error(
      `${name}(): Given groups=${given.groups}, expected weight to be at least ${given.groups} at ` +
        `dimension 0, but got weight of size ${listText(weight.shape)} instead`,
    );
  }
  if (weight.shape.slice(2).includes(0)) {
    throw new Error(
      `${name}(): kernel size should be greater than zero, ` +
        `but got ${listText(weight.shape.slice(2))}`,
    );
  }
  if (weight.shape[0] % given.groups !== 0) {
    throw new Error(
      `${name}(): Given groups=${given.groups}, expected weight to be divisible by ` +
        `${given.groups} at dimension 0, but got weight of size [${listText(weight.shape)}] instead`,
    );
  }
  return { stride, dilation };
}

/** Puts `steps - 1` zeros between neighbours along axes: `a b` with 3 becomes `a 0 0 b`. */
export function spread(x: tf.Tensor, axes: readonly number[], steps: readonly number[]): tf.Tensor {
  let y = x;
  axes.forEach((axis, i) => {
    const step = steps[i]!;
    const size = y.shape[axis]!;
    if (step === 1 || size <= 1) return;
    const before = y.shape.slice(0, axis);
    const after = y.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const rows = before.reduce((a, b) => a * b, 1);
    // (rows, size, 1, after) → (rows, size, step, after) → (rows, size·step, after), cut at the end.
    const padded = tf.pad(tf.reshape(y, [rows, size, 1, after]), [
      [0, 0],
      [0, 0],
      [0, step - 1],
      [0, 0],
    ]);
    const flat = tf.reshape(padded, [rows, size * step, after]);
    const length = (size - 1) * step + 1;
    const cut = tf.slice(flat, [0, 0, 0], [rows, length, after]);
    y = tf.reshape(cut, [...before, length, ...y.shape.slice(axis + 1)]);
  });
  return y;
}
