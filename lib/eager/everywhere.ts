/**
 * Our kernels for all users of tfjs' cpu backend, including those for tfjs kernels that no op of
 * ours uses.
 */
import { type Activation, stepsOf } from "../kernels/cpu/index.js";
import * as tf from "@tensorflow/tfjs-core";
import { compose } from "./composed.js";
import type { Memory } from "./memory.js";
import { areDistinct, runSlice } from "./moves.js";
import { runSoftmax } from "./rows.js";
import {
  type Attrs,
  type Inputs,
  type Kernel,
  KERNELS,
  move,
  multiply,
  replaceKernels,
  unary,
} from "./tfjs.js";
import { convLast, poolLast } from "./windows.js";

type Info = tf.TensorInfo;

const CLAMPS: Readonly<Record<string, Activation>> = {
  linear: {},
  relu: { low: 0 },
  relu6: { low: 0, high: 6 },
};

/** The activation of a fused kernel; `null`: tfjs has to compute it. */
function activationOf({ preluActivationWeights }: Inputs, attrs: Attrs): Activation | null {
  if (preluActivationWeights) return null;
  return CLAMPS[(attrs.activation as string | null | undefined) ?? "linear"] ?? null;
}

/** Whether a bias has one number for each element of the last dimension. */
const hasBias = (bias: Info | undefined, n: number): boolean =>
  bias === undefined || (bias.shape.length === 1 && bias.shape[0] === n);

const fusedMatmul: Kernel = (memory, inputs, attrs) => {
  const activation = activationOf(inputs, attrs);
  const { b, bias } = inputs as { b: Info; bias?: Info };
  if (activation === null || !hasBias(bias, b.shape.at(attrs.transposeB ? -2 : -1)!)) return null;
  const isPlain = Object.keys(activation).length === 0;
  return isPlain || b.shape.length < 3 ? multiply(memory, inputs, attrs, activation) : null;
};

const convolution =
  (isDepthwise: boolean): Kernel =>
  (memory, inputs, attrs) => {
    const { x, filter, bias } = inputs as { x: Info; filter: Info; bias?: Info };
    const activation = activationOf(inputs, attrs);
    const [, , channels, n] = filter.shape as [number, number, number, number];
    if (activation === null || !hasBias(bias, isDepthwise ? channels * n : n)) return null;
    return convLast(memory, x, filter, bias ?? null, attrs, isDepthwise, activation);
  };

function stridedSlice(memory: Memory, x: Info, attrs: Attrs): Info | null {
  const masks = ["begin", "end", "ellipsis", "newAxis", "shrinkAxis"].map(
    (name) => attrs[`${name}Mask`] as number,
  ) as [number, number, number, number, number];
  const [begin, end, strides] = [attrs.begin, attrs.end, attrs.strides] as number[][];
  const info = tf.slice_util.sliceInfo(x.shape, begin!, end!, strides!, ...masks);
  if (info.isIdentity || info.begin.length !== x.shape.length) return null;
  const size = info.begin.map((from, i) => {
    const step = info.strides[i]!;
    return Math.max(0, Math.ceil((info.end[i]! - from) / step));
  });
  return runSlice(memory, x, info.begin, size, info.strides, info.finalShape);
}

function reverse(memory: Memory, x: Info, { dims }: Attrs): Info | null {
  const turned = tf.util.parseAxisParam(dims as number[], x.shape);
  if (!areDistinct(turned)) return null;
  const begin = x.shape.map((size, i) => (turned.includes(i) ? size - 1 : 0));
  return runSlice(memory, x, begin, x.shape, x.shape.map((_, i) => (turned.includes(i) ? -1 : 1))); // prettier-ignore
}

const ALL: Readonly<Record<string, Kernel>> = {
  ...KERNELS,
  _FusedMatMul: fusedMatmul,
  Conv2D: convolution(false),
  FusedConv2D: convolution(false),
  DepthwiseConv2dNative: convolution(true),
  FusedDepthwiseConv2D: convolution(true),
  MaxPool: (memory, { x }, attrs) => poolLast(memory, x!, attrs, "max"),
  AvgPool: (memory, { x }, attrs) => poolLast(memory, x!, attrs, "avg"),
  Softmax: (memory, { logits }, { dim }) =>
    dim === logits!.shape.length - 1 || dim === -1 ? runSoftmax(memory, logits!) : null,
  StridedSlice: move(stridedSlice),
  Reverse: move(reverse),
  Relu: unary([["relu", 0]]),
  Relu6: unary(stepsOf("relu6")),
  Sigmoid: unary([["sigmoid", 0]]),
};

/**
 * Replaces tfjs' kernels by ours for all users of tfjs' cpu backend in this page or process.
 *
 * @returns a function that restores tfjs' kernels.
 */
export function replaceTfjsKernels(): () => void {
  const replaced = [...replaceKernels("cpu", ALL, () => true), ...compose("cpu")];
  return () => {
    for (const old of replaced.splice(0)) {
      tf.unregisterKernel(old.kernelName, "cpu");
      tf.registerKernel(old);
    }
  };
}
