/** Runs nodes by tfjs' fused ops; images stay channels-last for as long as possible. */
import * as tf from "@tensorflow/tfjs-core";
import { findOp } from "../../functional/op.js";
import type { Argument, Node } from "../../graph/index.js";
import type { Epilogue } from "../primitives.js";
import { isNode, shapeOf } from "../passes/facts.js";

/** What a runner can ask for: the results of nodes, in PyTorch's layout or channels-last. */
export interface Values {
  plain(node: Node): tf.Tensor;
  channelsLast(node: Node): tf.Tensor4D;
  /** Whether the result is available channels-last. */
  isLast(node: Node): boolean;
  isStatic(node: Node): boolean;
  /** A constant after rearranging; made once per model. */
  packed(node: Node, how: string, pack: (x: tf.Tensor) => tf.Tensor): tf.Tensor;
}

export interface Result {
  tensor: tf.Tensor;
  isLast: boolean;
}

/** Runs a node; `null` if tfjs' fused ops cannot, so that its body must run. */
export type Runner = (node: Node, values: Values) => Result | null;

type Size = number | readonly number[];
/** Not ReLU and ReLU6, which turn NaN into 0 in tfjs-wasm's fused ops. */
type Activation = "sigmoid";

const FUSED: Readonly<Record<string, Activation>> = { sigmoid: "sigmoid" };

const pair = (size: Size): [number, number] => {
  if (typeof size === "number") return [size, size];
  return [size[0]!, size[1] ?? size[0]!];
};

/** The first activation, if tfjs can fuse it with the product, and the rest of the epilogue. */
function split(node: Node): { activation: Activation | "linear"; finish: Finish } {
  const epilogue = (node.args[3] ?? {}) as unknown as Epilogue & { residual?: Argument };
  const all = epilogue.activation ?? [];
  const { residual = null } = epilogue;
  const [first] = all;
  const fused =
    residual === null && first?.length === 1 && Object.hasOwn(FUSED, first[0]) ? FUSED[first[0]]! : null; // prettier-ignore
  const finish: Finish = (y, read) => {
    let x = residual === null ? y : tf.add(y, read(residual as Node));
    for (const [name, ...rest] of fused === null ? all : all.slice(1)) {
      x = findOp(name)!(x, ...rest) as tf.Tensor;
    }
    return x;
  };
  return { activation: fused ?? "linear", finish };
}

type Finish = (y: tf.Tensor, read: (node: Node) => tf.Tensor) => tf.Tensor;

interface ConvOptions {
  bias?: Node | null;
  stride?: Size;
  padding?: Size | "same" | "valid";
  dilation?: Size;
  groups?: number;
}

/** Zeros before and after each spatial dimension. */
function padsOf({ padding = 0, dilation = 1 }: ConvOptions, kernel: number[]): [number, number][] {
  if (padding === "valid") return kernel.map(() => [0, 0]);
  if (padding !== "same") return pair(padding).map((one) => [one, one]);
  return kernel.map((size, i) => {
    const total = pair(dilation)[i]! * (size - 1);
    return [total >> 1, total - (total >> 1)];
  });
}

const conv2d: Runner = (node, values) => {
  const [x, weight, given] = node.args as unknown as [Node, Node, ConvOptions | undefined];
  const options = given ?? {};
  const { bias = null, groups = 1 } = options;
  const [out, perGroup, ...kernel] = shapeOf(weight);
  const strides = pair(options.stride ?? 1);
  const dilations = pair(options.dilation ?? 1);
  const isDepthwise = groups > 1 && perGroup === 1;
  if (shapeOf(x).length !== 4 || shapeOf(node).includes(0) || !values.isStatic(weight)) return null;
  if ((groups > 1 && !isDepthwise) || (bias !== null && !values.isStatic(bias))) return null;
  // tfjs refuses stride and dilation together.
  if (Math.max(...strides) > 1 && Math.max(...dilations) > 1) return null;
  const pads = padsOf(options, kernel);
  // All backends take explicit padding, as in the plain convolution; only the typings do not say
  // so.
  const pad = [[0, 0], pads[0]!, pads[1]!, [0, 0]] as unknown as number;
  const filter = values.packed(weight, isDepthwise ? "depthwise" : "hwio", (w) =>
    isDepthwise
      ? tf.transpose(tf.reshape(w, [groups, out! / groups, ...kernel]), [2, 3, 0, 1])
      : tf.transpose(w, [2, 3, 1, 0]),
  ) as tf.Tensor4D;
  const { activation, finish } = split(node);
  const run = isDepthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  const y = run({
    ...{ x: values.channelsLast(x), filter, strides, pad, dilations, activation },
    ...(bias && { bias: values.plain(bias) }),
  });
  return { tensor: finish(y, (one) => values.channelsLast(one)), isLast: true };
};

const linear: Runner = (node, values) => {
  const [x, weight, options] = node.args as unknown as [Node, Node, { bias?: Node } | undefined];
  const bias = options?.bias ?? null;
  const shape = shapeOf(node);
  if (shapeOf(weight).length !== 2 || shape.includes(0) || !values.isStatic(weight)) return null;
  const [outFeatures, inFeatures] = shapeOf(weight) as [number, number];
  if (inFeatures === 0) return null;
  // Not `transposeB`: tfjs-wasm is slow with it, and adds the wrong bias.
  const b = values.packed(weight, "transposed", (w) => tf.transpose(w)) as tf.Tensor2D;
  const a = tf.reshape(values.plain(x), [-1, inFeatures]);
  const { activation, finish } = split(node);
  const isVector = bias !== null && shapeOf(bias).join() === String(outFeatures);
  if (bias !== null && !isVector) return null;
  const y = tf.fused.matMul({ a, b, activation, ...(bias && { bias: values.plain(bias) }) });
  return { tensor: finish(tf.reshape(y, [...shape]), (one) => values.plain(one)), isLast: false };
};

/** Elementwise arithmetic, in the layout of its inputs. */
const pointwise: Runner = (node, values) => {
  const [inputs, steps] = node.args as unknown as [Node[], Argument];
  const rank = shapeOf(node).length;
  if (rank !== 4 || !inputs.some((one) => values.isLast(one))) return null;
  const read = inputs.map((one) => {
    const shape = shapeOf(one);
    if (shape.length === 4) return values.channelsLast(one);
    const wide = [...new Array<number>(4 - shape.length).fill(1), ...shape];
    return tf.transpose(tf.reshape(values.plain(one), wide), [0, 2, 3, 1]);
  });
  return { tensor: findOp(node.target)!(read, steps) as tf.Tensor, isLast: true };
};

/**
 * Only the mean of whole planes; for smaller windows the op's body runs, which handles NaN and
 * borders.
 */
const adaptiveAvgPool2d: Runner = (node, values) => {
  const [x] = node.args as [Node];
  const shape = shapeOf(node);
  if (shape.length !== 4 || shape[2] !== 1 || shape[3] !== 1 || !values.isLast(x)) return null;
  return { tensor: tf.mean(values.channelsLast(x), [1, 2], true), isLast: true };
};

const mean: Runner = (node, values) => {
  const [x, axes, keepDims] = node.args as [Node, number[], boolean];
  if (!isNode(x) || !values.isLast(x) || [...axes].sort().join() !== "2,3") return null;
  return { tensor: tf.mean(values.channelsLast(x), [1, 2], keepDims), isLast: keepDims };
};

export const RUNNERS: Readonly<Record<string, Runner>> = {
  conv2d,
  "prim.conv2d": conv2d,
  linear,
  "prim.linear": linear,
  "prim.pointwise": pointwise,
  adaptive_avg_pool2d: adaptiveAvgPool2d,
  "prim.Mean": mean,
};
