import * as tf from "@tensorflow/tfjs-core";
import { expandSteps } from "../arguments.js";
import { asFloat, checkNumberTensor, checkTensor, dtypeName, listText } from "./check.js";
import { tryKernel } from "./op.js";

/** The input's shape with a batch dimension, which it may lack, as in PyTorch. */
export function batchedShape(name: string, dims: number, input: tf.Tensor): number[] {
  if (input.rank === dims + 2) return input.shape;
  if (input.rank === dims + 1) return [1, ...input.shape];
  throw new Error(
    `Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ${name}, ` +
      `but got input of size: ${listText(input.shape)}`,
  );
}

/** Refuses images without pixels, even if padding would add some. */
export function checkSpace(name: string, [n, channels, ...size]: readonly number[]): void {
  if (!size.includes(0) || n === 0 || channels === 0) return;
  throw new RangeError(
    `${name}(): Only zero batch or zero channel inputs are supported, ` +
      `but got input shape: [${[n, channels, ...size].join(", ")}]`,
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

/** Reads and checks stride, dilation and groups, which all convolutions have. */
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

/** The bias that a convolution adds last, and the shape of its output with a batch dimension. */
export interface Planned {
  bias: tf.Tensor | null;
  outShape: number[];
}

/** Runs a convolution's kernel; if there is none, computes it and adds the bias. */
export function runConv(
  kernel: string,
  input: tf.Tensor,
  weight: tf.Tensor,
  plan: Planned,
  compute: () => tf.Tensor,
): tf.Tensor {
  const own = tryKernel(kernel, input, weight, plan);
  if (own) return own as tf.Tensor;
  const { bias, outShape } = plan;
  let y = input.size === 0 ? tf.zeros(outShape) : compute();
  if (bias !== null) {
    y = tf.add(y, tf.reshape(asFloat(bias), [-1, ...outShape.slice(2).fill(1)]));
  }
  if (input.dtype !== "float32") y = tf.cast(y, input.dtype);
  return input.rank === outShape.length ? y : tf.squeeze(y, [0]);
}
