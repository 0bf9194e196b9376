/** Our kernels in the place of tfjs' own on its cpu backend; what they do not take, tfjs' own compute. */
import * as tf from "@tensorflow/tfjs-core";
import { type Activation, type ElementwiseStep, stepsOf } from "../kernels/cpu/index.js";
import { product } from "./arguments.js";
import { runOn } from "./index.js";
import { packWeight, runLinear, runMatmul } from "./linear.js";
import type { Memory } from "./memory.js";
import {
  areDistinct,
  gather,
  permute,
  reverse,
  slice,
  split,
  stridedSlice,
  tile,
  unstack,
} from "./moves.js";
import { isFew, runBinary, runPad, runUnary } from "./pointwise.js";
import { runReduction, runSoftmax } from "./rows.js";
import { type Attrs, convLast, poolLast } from "./windows.js";

type Info = tf.TensorInfo;
type Inputs = Readonly<Record<string, Info | undefined>>;
type Kernel = (memory: Memory, inputs: Inputs, attrs: Attrs) => Info | Info[] | null;

const CLAMPS: Readonly<Record<string, Activation>> = {
  linear: {},
  relu: { low: 0 },
  relu6: { low: 0, high: 6 },
};

/** The activation of a fused kernel; `null`: it is tfjs' to compute. */
function activationOf({ preluActivationWeights }: Inputs, attrs: Attrs): Activation | null {
  if (preluActivationWeights) return null;
  return CLAMPS[(attrs.activation as string | null | undefined) ?? "linear"] ?? null;
}

/** A bias of one number for each of the last dimension. */
const hasBias = (bias: Info | undefined, n: number): boolean =>
  bias === undefined || (bias.shape.length === 1 && bias.shape[0] === n);

const matmul: Kernel = (memory, inputs, attrs) => {
  const { a, b, bias } = inputs as { a: Info; b: Info; bias?: Info };
  const { transposeA = false, transposeB = false } = attrs as Record<string, boolean>;
  const activation = activationOf(inputs, attrs);
  const n = b.shape.at(transposeB ? -2 : -1)!;
  if (activation === null || !hasBias(bias, n)) return null;
  const k = b.shape.at(transposeB ? -1 : -2)!;
  if (!transposeA && product(b.shape.slice(0, -2)) === 1 && a.shape.length >= b.shape.length) {
    if (a.shape.at(-1) !== k) return null;
    const weight = packWeight(memory, b, n, k, transposeB ? "nk" : "kn");
    return runLinear(memory, a, weight, bias ?? null, [...a.shape.slice(0, -1), n], activation);
  }
  const isPlain = bias === undefined && Object.keys(activation).length === 0;
  return isPlain ? runMatmul(memory, a, b, transposeA, transposeB) : null;
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

const unary =
  (steps: readonly ElementwiseStep[]): Kernel =>
  (memory, { x }) =>
    isFew(x!.shape) ? null : runUnary(memory, steps, x!);

const binary =
  (op: ElementwiseStep[0]): Kernel =>
  (memory, { a, b }) =>
    isFew(a!.shape) && isFew(b!.shape) ? null : runBinary(memory, op, a!, b!);

const reduction =
  (kind: "sum" | "mean" | "max"): Kernel =>
  (memory, { x }, attrs) => {
    const given = (attrs.axis ?? attrs.reductionIndices ?? null) as number[];
    const axes = tf.util.parseAxisParam(given, x!.shape).sort((a, b) => a - b);
    if (isFew(x!.shape) || axes.length === 0) return null;
    const kept = x!.shape.map((size, i) => (axes.includes(i) ? 1 : size));
    const shape = attrs.keepDims ? kept : kept.filter((_, i) => !axes.includes(i));
    return runReduction(memory, x!, axes, kind, shape);
  };

const move =
  (run: (memory: Memory, x: Info, attrs: Attrs) => Info | Info[] | null): Kernel =>
  (memory, { x }, attrs) =>
    run(memory, x!, attrs);

const KERNELS: Readonly<Record<string, Kernel>> = {
  BatchMatMul: matmul,
  _FusedMatMul: matmul,
  Conv2D: convolution(false),
  FusedConv2D: convolution(false),
  DepthwiseConv2dNative: convolution(true),
  FusedDepthwiseConv2D: convolution(true),
  MaxPool: (memory, { x }, attrs) => poolLast(memory, x!, attrs, "max"),
  AvgPool: (memory, { x }, attrs) => poolLast(memory, x!, attrs, "avg"),
  Softmax: (memory, { logits }, { dim }) =>
    dim === logits!.shape.length - 1 || dim === -1 ? runSoftmax(memory, logits!) : null,
  Transpose: (memory, { x }, { perm }) =>
    areDistinct(perm as number[]) ? permute(memory, x!, perm as number[]) : null,
  Slice: move(slice),
  StridedSlice: move(stridedSlice),
  SplitV: move(split),
  Unpack: (memory, { value }, attrs) => unstack(memory, value!, attrs),
  Reverse: move(reverse),
  Tile: move(tile),
  GatherV2: (memory, { x, indices }, attrs) => gather(memory, x!, indices!, attrs),
  PadV2: (memory, { x }, { paddings, constantValue }) =>
    isFew(x!.shape)
      ? null
      : runPad(memory, x!, paddings as [number, number][], constantValue as number),
  Relu: unary([["relu", 0]]),
  Relu6: unary(stepsOf("relu6")),
  Sigmoid: unary(stepsOf("sigmoid")),
  ...Object.fromEntries(
    "Tanh Exp Erf Sqrt Rsqrt Square Neg Abs Log"
      .split(" ")
      .map((name) => [name, unary([[name.toLowerCase() as "tanh", 0]])]),
  ),
  Add: binary("add"),
  Sub: binary("sub"),
  Multiply: binary("mul"),
  RealDiv: binary("div"),
  Maximum: binary("max"),
  Minimum: binary("min"),
  Sum: reduction("sum"),
  Mean: reduction("mean"),
  Max: reduction("max"),
};

/** Numbers as our kernels take them, and what says where they are. */
const isTaken = ([name, info]: [string, Info | undefined]): boolean =>
  info === undefined ||
  ((name === "indices" || info.dtype === "float32") && product(info.shape) > 0);

/**
 * Puts our kernels in the place of tfjs' own, for everybody who uses tfjs' cpu backend in this page
 * or process.
 *
 * @returns what puts tfjs' own back.
 */
export function replaceTfjsKernels(): () => void {
  const replaced: tf.KernelConfig[] = [];
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    const old = tf.getKernel(kernelName, "cpu");
    if (!old) continue;
    replaced.push(old);
    tf.unregisterKernel(kernelName, "cpu");
    tf.registerKernel({
      ...old,
      kernelFunc: (params) => {
        const inputs = params.inputs as Inputs;
        const own = Object.entries(inputs).every(isTaken)
          ? runOn("cpu", (memory) => kernel(memory, inputs, params.attrs as Attrs))
          : null;
        return own ?? old.kernelFunc(params);
      },
    });
  }
  return () => {
    for (const old of replaced.splice(0)) {
      tf.unregisterKernel(old.kernelName, "cpu");
      tf.registerKernel(old);
    }
  };
}
