/** Ops on complex tensors that treat the two parts differently. */
import * as tf from "@tensorflow/tfjs-core";
import type { AtenOp } from "../../op-table.js";
import { conj } from "../fft.js";
import { indexingOps } from "../indexing.js";
import { binaryOps } from "../pointwise-binary.js";
import { unaryOps } from "../pointwise-unary.js";
import { reduceOps } from "../reduce.js";
import { divide, where } from "../support/arithmetic.js";
import {
  both,
  type Complex,
  type ComplexNumber,
  complexOf,
  isComplex,
  isComplexNumber,
} from "../support/complex.js";
import { defineOps } from "../support/define.js";

export type Given = tf.Tensor | Complex | ComplexNumber | number | boolean;

export function lift(x: Given): Complex {
  if (isComplexNumber(x)) return { re: tf.scalar(x.real), im: tf.scalar(x.imag) };
  return complexOf(typeof x === "object" ? x : tf.scalar(Number(x)));
}

function add(a: Given, b: Given, alpha: Given = 1): Complex {
  const [x, y] = [lift(a), alpha === 1 ? lift(b) : mul(b, alpha)];
  return { re: tf.add(x.re, y.re), im: tf.add(x.im, y.im) };
}

const negative = (z: Given): Complex => both(lift(z), tf.neg);

const sub = (a: Given, b: Given, alpha: Given = 1): Complex => add(a, negative(b), alpha);

export function mul(a: Given, b: Given): Complex {
  const [x, y] = [lift(a), lift(b)];
  return {
    re: tf.sub(tf.mul(x.re, y.re), tf.mul(x.im, y.im)),
    im: tf.add(tf.mul(x.re, y.im), tf.mul(x.im, y.re)),
  };
}

function div(a: Given, b: Given): Complex {
  const y = lift(b);
  const size = tf.add(tf.square(y.re), tf.square(y.im));
  return both(mul(a, conj(y)), (part) => divide(part, size));
}

/** Scaled by the larger part, whose square may be beyond float32. */
export function abs({ re, im }: Complex): tf.Tensor {
  const [a, b] = [tf.abs(re), tf.abs(im)];
  const [most, least] = [tf.maximum(a, b), tf.minimum(a, b)];
  const share = where(tf.equal(most, 0), 0, divide(least, most));
  return tf.mul(most, tf.sqrt(tf.add(tf.square(share), 1)));
}

/** Calls another op on parts, which already have the dtypes of the results. */
export const run = (op: AtenOp, ...args: unknown[]): unknown =>
  op(args, {}, { outputs: [], inputs: [] } as unknown as Parameters<AtenOp>[2]);

/** Likewise, for ops that return one tensor. */
const call = (op: AtenOp, ...args: unknown[]): tf.Tensor => run(op, ...args) as tf.Tensor;

export const atan2 = (y: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  call(binaryOps["aten.atan2.default"]!, y, x);

export const polar = (size: tf.Tensor, angle: tf.Tensor): Complex => ({
  re: tf.mul(size, tf.cos(angle)),
  im: tf.mul(size, tf.sin(angle)),
});

const exp = ({ re, im }: Complex): Complex => polar(tf.exp(re), im);

const log = (z: Complex): Complex => ({ re: tf.log(abs(z)), im: atan2(z.im, z.re) });

const scaled = (z: Complex, factor: number): Complex => both(z, (part) => tf.mul(part, factor));

/** The square root in the right half plane, by the formula that does not cancel. */
function sqrt({ re, im }: Complex): Complex {
  const r = tf.sqrt(tf.mul(tf.add(abs({ re, im }), tf.abs(re)), 0.5));
  const other = where(tf.equal(r, 0), 0, divide(tf.abs(im), tf.mul(r, 2)));
  const isRight = tf.greaterEqual(re, 0);
  const size = where(isRight, other, r);
  return { re: where(isRight, r, other), im: where(tf.less(im, 0), tf.neg(size), size) };
}

function pow(a: Given, b: Given): Complex {
  if (typeof b === "number" && Number.isInteger(b) && b > 0 && b <= 8) {
    return Array.from({ length: b - 1 }).reduce<Complex>((power) => mul(power, a), lift(a));
  }
  const base = lift(a);
  const power = exp(mul(log(base), b));
  const isZero = tf.equal(abs(base), 0);
  const exponent = lift(b).re;
  // 0⁰ is 1, and 0 to any other power is 0.
  return {
    re: where(isZero, where(tf.equal(exponent, 0), 1, 0), power.re),
    im: where(isZero, 0, power.im),
  };
}

const timesI = ({ re, im }: Complex): Complex => ({ re: tf.neg(im), im: re });

const sinh = ({ re, im }: Complex): Complex => ({
  re: tf.mul(tf.sinh(re), tf.cos(im)),
  im: tf.mul(tf.cosh(re), tf.sin(im)),
});

const cosh = ({ re, im }: Complex): Complex => ({
  re: tf.mul(tf.cosh(re), tf.cos(im)),
  im: tf.mul(tf.sinh(re), tf.sin(im)),
});

/** `(sinh 2a + i sin 2b) / (cosh 2a + cos 2b)`; ±1 for large a, where cosh is infinite. */
function tanh({ re, im }: Complex): Complex {
  const [a, b] = [tf.mul(tf.clipByValue(re, -20, 20), 2), tf.mul(im, 2)];
  const below = tf.add(tf.cosh(a), tf.cos(b));
  return { re: divide(tf.sinh(a), below), im: divide(tf.sin(b), below) };
}

const sin = (z: Complex): Complex => negative(timesI(sinh(timesI(z))));
const cos = (z: Complex): Complex => cosh(timesI(z));
const tan = (z: Complex): Complex => negative(timesI(tanh(timesI(z))));

const asinh = (z: Complex): Complex => log(add(z, sqrt(add(mul(z, z), 1))));
const acosh = (z: Complex): Complex => log(add(z, mul(sqrt(add(z, 1)), sqrt(sub(z, 1)))));
const atanh = (z: Complex): Complex => scaled(sub(log(add(z, 1)), log(sub(1, z))), 0.5);
const asin = (z: Complex): Complex => negative(timesI(asinh(timesI(z))));
const acos = (z: Complex): Complex => sub(Math.PI / 2, asin(z));
const atan = (z: Complex): Complex => negative(timesI(atanh(timesI(z))));

function equal(a: Given, b: Given): tf.Tensor {
  const [x, y] = [lift(a), lift(b)];
  return tf.logicalAnd(tf.equal(x.re, y.re), tf.equal(x.im, y.im));
}

const isTrue = (z: Given): tf.Tensor => tf.logicalNot(equal(z, 0));

const either = (z: Complex, run: (x: tf.Tensor) => tf.Tensor): tf.Tensor =>
  tf.logicalOr(run(z.re), run(z.im));

/** The product along a dimension, or of all elements. */
function prod(z: Complex, dim: number | null = null, keepdim = false): Complex {
  const isFlat = dim === null || z.re.rank === 0;
  const flat = isFlat ? both(z, (x) => tf.reshape(x, [-1])) : z;
  const at = isFlat ? 0 : dim < 0 ? dim + z.re.rank : dim;
  const [re, im] = [tf.unstack(flat.re, at), tf.unstack(flat.im, at)];
  const one = { re: tf.ones([1]), im: tf.zeros([1]) };
  const result = re.reduce<Complex>((power, part, i) => mul(power, { re: part, im: im[i]! }), one);
  const shape = z.re.shape.flatMap((size, i) => (i !== at ? size : keepdim ? 1 : []));
  return both(result, (x) => tf.reshape(x, isFlat ? [] : shape));
}

/** The variance is the sum of the variances of both parts. */
const variance =
  (name: string) =>
  (self: Complex, ...rest: unknown[]): tf.Tensor => {
    const op = reduceOps[`aten.${name.replace("std", "var")}`]!;
    const sum = tf.add(call(op, self.re, ...rest), call(op, self.im, ...rest));
    return name.startsWith("std") ? tf.sqrt(sum) : sum;
  };

const varianceAndMean =
  (name: string) =>
  (self: Complex, ...rest: unknown[]): unknown => {
    const [dim = null, , keepdim = false] = name.endsWith("default") ? [] : rest;
    const mean = (x: tf.Tensor): tf.Tensor => call(reduceOps["aten.mean.dim"]!, x, dim, keepdim);
    return [variance(name)(self, ...rest), both(self, mean)];
  };

function isClose(a: Given, b: Given, rtol = 1e-5, atol = 1e-8, equalNan = false): tf.Tensor {
  const near = tf.lessEqual(abs(sub(a, b)), tf.add(tf.mul(abs(lift(b)), rtol), atol));
  const close = tf.logicalOr(equal(a, b), near);
  if (!equalNan) return close;
  return tf.logicalOr(close, tf.logicalAnd(either(lift(a), tf.isNaN), either(lift(b), tf.isNaN)));
}

/** Ops that depend only on the absolute values. */
const ofSizes =
  (name: string) =>
  (self: Complex, ...rest: unknown[]): tf.Tensor =>
    call(reduceOps[`aten.${name}`]!, abs(self), ...rest);

const named = (name: string): string => `${name}.Tensor|${name}.Scalar`;
const raised = (name: string): string =>
  `${name}.Tensor_Scalar|${name}.Tensor_Tensor|${name}.Scalar`;

/** Cumulative products. */
function cumprod(z: Complex, dim: number): Complex {
  if (z.re.rank === 0) return z;
  const at = dim < 0 ? dim + z.re.rank : dim;
  const [re, im] = [tf.unstack(z.re, at), tf.unstack(z.im, at)];
  const products: Complex[] = [];
  re.forEach((part, i) => {
    const one = { re: part, im: im[i]! };
    products.push(i === 0 ? one : mul(products[i - 1]!, one));
  });
  const stacked = (name: keyof Complex): tf.Tensor =>
    tf.stack(
      products.map((one) => one[name]),
      at,
    );
  return { re: stacked("re"), im: stacked("im") };
}

/** An op on booleans: which elements are not 0. */
const ofTruth =
  (name: string, ops: Readonly<Record<string, AtenOp>>) =>
  (self: Given, ...rest: unknown[]): unknown =>
    call(
      ops[`aten.${name}`]!,
      isTrue(self),
      ...rest.map((one) => (isComplex(one) ? isTrue(one) : one)),
    );

export const COMPLEX_OPS = defineOps({
  "add.Tensor|add.Scalar(self, other, alpha)": add,
  "sub.Tensor|sub.Scalar|subtract.Tensor|subtract.Scalar(self, other, alpha)": sub,
  "rsub.Tensor|rsub.Scalar(self, other, alpha)": (a: Given, b: Given, alpha: Given = 1) =>
    sub(b, a, alpha),
  "mul.Tensor|mul.Scalar|multiply.Tensor|multiply.Scalar(self, other)": mul,
  [`${named("div")}|${named("divide")}|${named("true_divide")}(self, other)`]: div,
  "addcmul(self, tensor1, tensor2, value)": (z: Given, a: Given, b: Given, value: Given = 1) =>
    add(z, mul(a, b), value),
  "addcdiv(self, tensor1, tensor2, value)": (z: Given, a: Given, b: Given, value: Given = 1) =>
    add(z, div(a, b), value),
  "lerp.Tensor|lerp.Scalar(self, end, weight)": (a: Given, b: Given, weight: Given) =>
    add(a, mul(sub(b, a), weight)),
  "abs|absolute(self)": abs,
  "angle(self)": ({ re, im }: Complex) => atan2(im, re),
  "square(self)": (z: Complex) => mul(z, z),
  ...Object.fromEntries(
    Object.entries({
      ...{ exp, log, sqrt, sin, cos, tan, sinh, cosh, tanh, asinh, acosh, atanh, asin, acos, atan },
      exp2: (z: Complex) => exp(scaled(z, Math.LN2)),
      expm1: (z: Complex) => sub(exp(z), 1),
      log2: (z: Complex) => scaled(log(z), Math.LOG2E),
      log10: (z: Complex) => scaled(log(z), Math.LOG10E),
      log1p: (z: Complex) => log(add(z, 1)),
      rsqrt: (z: Complex) => div(1, sqrt(z)),
      sigmoid: (z: Complex) => div(1, add(exp(negative(z)), 1)),
      silu: (z: Complex) => div(z, add(exp(negative(z)), 1)),
    }).map(([name, run]) => [`${name}(self)`, run]),
  ),
  "reciprocal(self)": (z: Complex) => div(1, z),
  [`${raised("pow")}|${raised("float_power")}(self, exponent)`]: pow,
  "eq.Tensor|eq.Scalar(self, other)": equal,
  "ne.Tensor|ne.Scalar(self, other)": (a: Given, b: Given) => tf.logicalNot(equal(a, b)),
  "logical_not(self)": (z: Complex) => equal(z, 0),
  "isreal(self)": ({ im }: Complex) => tf.equal(im, 0),
  "isnan(self)": (z: Complex) => either(z, tf.isNaN),
  "isinf(self)": (z: Complex) => either(z, tf.isInf),
  "isfinite(self)": (z: Complex) => tf.logicalNot(either(z, (x) => tf.logicalNot(tf.isFinite(x)))),
  "sgn(self)": (z: Complex) =>
    both(z, (part) => call(unaryOps["aten.nan_to_num.default"]!, divide(part, abs(z)))),
  "prod(self, dtype)": (self: Complex) => prod(self),
  "prod.dim_int(self, dim, keepdim, dtype)": (self: Complex, dim: number, keepdim?: boolean) =>
    prod(self, dim, keepdim),
  "var(self, unbiased)": variance("var.default"),
  "var.dim(self, dim, unbiased, keepdim)": variance("var.dim"),
  "var.correction(self, dim, correction, keepdim)": variance("var.correction"),
  "std(self, unbiased)": variance("std.default"),
  "std.dim(self, dim, unbiased, keepdim)": variance("std.dim"),
  "std.correction(self, dim, correction, keepdim)": variance("std.correction"),
  "var_mean(self, unbiased)": varianceAndMean("var.default"),
  "var_mean.dim(self, dim, unbiased, keepdim)": varianceAndMean("var.dim"),
  "var_mean.correction(self, dim, correction, keepdim)": varianceAndMean("var.correction"),
  "std_mean(self, unbiased)": varianceAndMean("std.default"),
  "std_mean.dim(self, dim, unbiased, keepdim)": varianceAndMean("std.dim"),
  "std_mean.correction(self, dim, correction, keepdim)": varianceAndMean("std.correction"),
  "isclose(self, other, rtol, atol, equal_nan)": isClose,
  "linalg_vector_norm(self, ord, dim, keepdim, dtype)": ofSizes("linalg_vector_norm.default"),
  "norm.ScalarOpt_dim(self, p, dim, keepdim)": ofSizes("norm.ScalarOpt_dim"),
  "norm.Scalar(self, p)": ofSizes("norm.Scalar"),
  "cumprod(self, dim, dtype)": cumprod,
  "any(self)": ofTruth("any.default", reduceOps),
  "any.dim|any.dims(self, dim, keepdim)": ofTruth("any.dim", reduceOps),
  "all(self)": ofTruth("all.default", reduceOps),
  "all.dim|all.dims(self, dim, keepdim)": ofTruth("all.dim", reduceOps),
  "nonzero|argwhere(self)": ofTruth("nonzero.default", indexingOps),
  "nonzero_numpy(self)": ofTruth("nonzero_numpy.default", indexingOps),
  "count_nonzero(self, dim)": ofTruth("count_nonzero.default", reduceOps),
  "count_nonzero.dim_IntList(self, dim)": ofTruth("count_nonzero.dim_IntList", reduceOps),
  "logical_and(self, other)": ofTruth("logical_and.default", binaryOps),
  "logical_or(self, other)": ofTruth("logical_or.default", binaryOps),
  "logical_xor(self, other)": ofTruth("logical_xor.default", binaryOps),
  "mH|adjoint|matrix_H|H(self)": (self: Complex) =>
    conj(both(self, (x) => tf.transpose(x, [...x.shape.map((_, i) => i).slice(0, -2), x.rank - 1, x.rank - 2]))), // prettier-ignore
});

export const NAMED = defineOps({
  "view_as_real|view_as_real_copy(self)": (self: Given) => {
    const { re, im } = lift(self);
    return tf.stack([re, im], -1);
  },
  "real(self)": (self: Given) => (isComplex(self) ? self.re : self),
  "imag(self)": (self: Given) => lift(self).im,
  "complex(real, imag)": (re: tf.Tensor, im: tf.Tensor): Complex => {
    const zero = tf.mul(tf.add(re, im), 0);
    return { re: tf.add(re, zero), im: tf.add(im, zero) };
  },
  "polar(abs, angle)": polar,
  "conj|_conj|_conj_physical|conj_physical|_conj_copy(self)": (self: Given) =>
    isComplex(self) ? conj(self) : self,
  "is_complex(self)": (self: Given) => isComplex(self),
});
