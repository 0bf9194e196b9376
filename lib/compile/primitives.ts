/**
 * The small vocabulary that passes work in, besides the ops of `functional`: what raw tfjs kernels
 * and views become. Each primitive has a body in tfjs ops, so that a graph can be run after every
 * pass.
 */
import * as tf from "@tensorflow/tfjs-core";
import { findOp, op, type OpBody } from "../functional/op.js";

/** A tensor or a plain number, as the arithmetic ops take them. */
export type Operand = tf.Tensor | number;

type Binary = (a: Operand, b: Operand) => tf.Tensor;
type Unary = (x: tf.Tensor) => tf.Tensor;

/** tfjs' name of a kernel → the primitive's body; the primitive is called `prim.` and that name. */
export const ARITHMETIC: Readonly<Record<string, Binary>> = {
  Add: tf.add,
  Sub: tf.sub,
  Multiply: tf.mul,
  RealDiv: tf.div,
  Maximum: tf.maximum,
  Minimum: tf.minimum,
  Pow: tf.pow,
  SquaredDifference: tf.squaredDifference,
};

/** Comparisons and logic, which give booleans. */
export const COMPARISONS: Readonly<Record<string, Binary>> = {
  Greater: tf.greater,
  GreaterEqual: tf.greaterEqual,
  Less: tf.less,
  LessEqual: tf.lessEqual,
  Equal: tf.equal,
  NotEqual: tf.notEqual,
};

export const BINARY: Readonly<Record<string, Binary>> = { ...ARITHMETIC, ...COMPARISONS };

export const UNARY: Readonly<Record<string, Unary>> = {
  Abs: tf.abs,
  Ceil: tf.ceil,
  Cos: tf.cos,
  Erf: tf.erf,
  Exp: tf.exp,
  Expm1: tf.expm1,
  Floor: tf.floor,
  Log: tf.log,
  Log1p: tf.log1p,
  Neg: tf.neg,
  Reciprocal: tf.reciprocal,
  Rsqrt: tf.rsqrt,
  Sign: tf.sign,
  Sin: tf.sin,
  Sqrt: tf.sqrt,
  Square: tf.square,
};

const declare = (name: string, body: OpBody): OpBody => op(`prim.${name}`, body);

for (const [name, run] of Object.entries(BINARY)) declare(name, run as OpBody);
for (const [name, run] of Object.entries(UNARY)) declare(name, run as OpBody);

declare("permute", ((x: tf.Tensor, perm: number[]) => tf.transpose(x, perm)) as OpBody);
declare("reshape", ((x: tf.Tensor, shape: number[]) => tf.reshape(x, shape)) as OpBody);
declare("slice", ((x: tf.Tensor, begin: number[], size: number[]) =>
  tf.slice(x, begin, size)) as OpBody);
declare("concat", ((parts: tf.Tensor[], axis: number) => tf.concat(parts, axis)) as OpBody);
declare("cast", ((x: tf.Tensor, dtype: tf.DataType) => tf.cast(x, dtype)) as OpBody);
declare("where", ((condition: tf.Tensor, a: tf.Tensor, b: tf.Tensor) =>
  tf.where(condition, a, b)) as OpBody);
declare("gather", ((x: tf.Tensor, indices: tf.Tensor, axis: number, batchDims: number) =>
  tf.gather(x, indices, axis, batchDims)) as OpBody);
declare("matmul", ((a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean) =>
  tf.matMul(a, b, transposeA, transposeB)) as OpBody);

/**
 * `softmax(q kᵀ · scale + mask) v` as it is written by hand: a row of nothing but -∞ gives NaN, not
 * 0. With `replaces`, what is not 0 in the mask takes the place of a score.
 */
declare("scaled_dot_product_attention", ((
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { scale, attnMask: mask, replaces }: AttentionOptions,
) => {
  let scores = tf.mul(tf.matMul(q, k, false, true), scale);
  if (replaces) scores = tf.where(tf.equal(mask!, 0), scores, mask!);
  else if (mask) scores = tf.add(scores, mask);
  return tf.matMul(tf.softmax(scores), v);
}) as OpBody);

interface AttentionOptions {
  scale: number;
  attnMask?: tf.Tensor;
  replaces?: boolean;
}

/** Reductions: `prim.Sum(x, axes, keepDims)`. */
export const REDUCTIONS: Readonly<
  Record<string, (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor>
> = { Sum: tf.sum, Mean: tf.mean, Max: tf.max, Min: tf.min };

for (const [name, run] of Object.entries(REDUCTIONS)) declare(name, run as OpBody);

/** A static weight with a folded factor along an axis; computed once per plan. */
declare("scale", ((x: tf.Tensor, factor: Operand, axis: number) =>
  tf.mul(x, typeof factor === "number" ? factor : along(factor, axis, x.rank))) as OpBody);

/** `weight / √(var + eps)`: the factor of each channel in a batch norm. */
declare("norm_scale", ((variance: tf.Tensor, weight: tf.Tensor | null, eps: number) => {
  const scale = tf.rsqrt(tf.add(variance, eps));
  return weight === null ? scale : tf.mul(scale, weight);
}) as OpBody);

/** `(bias - mean) · scale + shift`; 0 for absent ones. */
declare("norm_shift", ((
  scale: tf.Tensor,
  bias: tf.Tensor | null,
  mean: tf.Tensor | null,
  shift: tf.Tensor | null,
) => {
  let y: tf.Tensor = bias ?? tf.zerosLike(scale);
  if (mean !== null) y = tf.sub(y, mean);
  y = tf.mul(y, scale);
  return shift === null ? y : tf.add(y, shift);
}) as OpBody);

/** A vector in the shape that broadcasts along one axis. */
function along(vector: tf.Tensor, axis: number, rank: number): tf.Tensor {
  return tf.reshape(
    vector,
    Array.from({ length: rank }, (_, i) => (i === axis ? vector.size : 1)),
  );
}

/** What is done to a product before it is stored: `activation(y + residual)`. */
export interface Epilogue {
  residual?: tf.Tensor | null;
  /** Unary ops, the first one first: `["relu"]`, `["leaky_relu", { negativeSlope: 0.1 }]`. */
  activation?: readonly (readonly [string, ...unknown[]])[];
}

/** The ops that can have an epilogue: `prim.linear(x, weight, options, epilogue)`. */
export const WITH_EPILOGUE: ReadonlySet<string> = new Set(["linear", "conv1d", "conv2d"]);

for (const name of WITH_EPILOGUE) {
  declare(name, ((x: tf.Tensor, weight: tf.Tensor, options: object, epilogue: Epilogue) => {
    let y = findOp(name)!(x, weight, options) as tf.Tensor;
    if (epilogue.residual) y = tf.add(y, epilogue.residual);
    for (const [activation, ...rest] of epilogue.activation ?? []) {
      y = findOp(activation)!(y, ...rest) as tf.Tensor;
    }
    return y;
  }) as OpBody);
}

/**
 * One step of a chain: an op and its operands. `x0` is the first input, `t0` the result of the
 * first step.
 */
export type Step = readonly [target: string, ...operands: unknown[]];

/**
 * `prim.pointwise(inputs, steps)`: a chain of elementwise ops, which gives the result of the last.
 */
declare("pointwise", ((inputs: tf.Tensor[], steps: readonly Step[]) => {
  const values: Record<string, tf.Tensor> = {};
  inputs.forEach((x, i) => (values[`x${i}`] = x));
  const read = (one: unknown): unknown => (typeof one === "string" ? (values[one] ?? one) : one);
  steps.forEach(([target, ...operands], i) => {
    values[`t${i}`] = findOp(target)!(...operands.map(read)) as tf.Tensor;
  });
  return tf.clone(values[`t${steps.length - 1}`]!);
}) as OpBody);
