import * as tf from "@tensorflow/tfjs-core";
import { power } from "../../functional/numeric.js";
import { op } from "../../functional/op.js";
import {
  alike,
  arithmetic,
  comparison,
  divide,
  extreme,
  floorDivide,
  fmod,
  log,
  log1p,
  promote,
  remainder,
  truncDivide,
  where,
} from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { BOOL, FLOAT, INT, kindOf, type Operand, toFloat, toKind } from "./support/dtype.js";
import { expandTo } from "./support/shape.js";

const scaled = (x: Operand, alpha: number): Operand =>
  alpha === 1 ? x : x instanceof tf.Tensor ? arithmetic(tf.mul, x, alpha) : Number(x) * alpha;

const add = (self: Operand, other: Operand, alpha = 1): tf.Tensor =>
  arithmetic(tf.add, self, scaled(other, alpha));

const sub = (self: Operand, other: Operand, alpha = 1): tf.Tensor =>
  arithmetic(tf.sub, self, scaled(other, alpha));

const mul = (self: Operand, other: Operand): tf.Tensor => arithmetic(tf.mul, self, other);

function div(self: Operand, other: Operand, roundingMode: string | null = null): tf.Tensor {
  if (roundingMode === "floor") return floorDivide(self, other);
  return roundingMode === "trunc" ? truncDivide(self, other) : divide(self, other);
}

/** `x · x · …`: exact, also for integers; `n` is a positive integer. */
function repeatedProduct(x: tf.Tensor, n: number): tf.Tensor {
  if (n === 1) return x;
  const half = repeatedProduct(x, Math.floor(n / 2));
  const square = tf.mul(half, half);
  return n % 2 === 0 ? square : tf.mul(square, x);
}

function powScalar(x: tf.Tensor, exponent: number): tf.Tensor {
  if (exponent === 0) return tf.onesLike(x);
  const isWhole = Number.isInteger(exponent) && Math.abs(exponent) <= 32;
  if (isWhole && exponent > 0) return repeatedProduct(x, exponent);
  const y = toFloat(x);
  if (isWhole) return divide(1, repeatedProduct(y, -exponent));
  if (exponent === 0.5) return where(tf.less(y, 0), NaN, tf.sqrt(y));
  if (exponent === -0.5) return divide(1, where(tf.less(y, 0), NaN, tf.sqrt(y)));
  if (!Number.isFinite(exponent)) return powTensor(y, tf.scalar(exponent));
  const size = power(tf.abs(y), exponent);
  if (!Number.isInteger(exponent)) return where(tf.less(y, 0), NaN, size);
  return exponent % 2 === 0 ? size : where(tf.less(y, 0), tf.neg(size), size);
}

/** A power. tfjs' pow is wrong on webgl for NaN and at the ends of the range. */
function powTensor(base: tf.Tensor, exponent: tf.Tensor): tf.Tensor {
  const [x, e] = alike(base, exponent);
  const size = tf.abs(x);
  // |x|^|e|, inverted for negative exponents, because webgl's 0^-1 is 0.
  const raised = tf.pow(size, tf.abs(e));
  const positive = where(tf.less(e, 0), divide(1, raised), raised);
  const half = tf.mul(e, 0.5);
  const isOdd = tf.logicalAnd(tf.equal(tf.floor(e), e), tf.notEqual(tf.floor(half), half));
  const isFraction = tf.logicalAnd(tf.notEqual(tf.floor(e), e), tf.isFinite(e));
  const signed = where(tf.logicalAnd(tf.less(x, 0), isOdd), tf.neg(positive), positive);
  const isUndefined = tf.logicalAnd(tf.logicalAnd(tf.less(x, 0), isFraction), tf.isFinite(x));
  const defined = where(isUndefined, NaN, signed);
  const known = where(tf.logicalOr(tf.isNaN(x), tf.isNaN(e)), NaN, defined);
  return where(tf.logicalOr(tf.equal(e, 0), tf.equal(x, 1)), 1, known);
}

/** A power of integers; with a negative exponent, the integer part of the fraction. */
function powInteger(base: number, exponent: number): number {
  if (exponent < 0) return Math.abs(base) === 1 ? powInteger(base, -exponent) : 0;
  let power = 1;
  for (let rest = exponent, square = base; rest > 0; rest >>>= 1) {
    if (rest & 1) power = Math.imul(power, square);
    square = Math.imul(square, square);
  }
  return power;
}

function pow(self: Operand, exponent: Operand): tf.Tensor {
  if (self instanceof tf.Tensor && typeof exponent === "number") {
    const kind = Math.max(kindOf(self), kindOf(exponent));
    return powScalar(toKind(self, kind === FLOAT ? FLOAT : INT), exponent);
  }
  const { a, b, kind } = promote(self, exponent, INT);
  return kind === INT ? onIntegers("pow", powInteger)(a, b) : powTensor(a, b);
}

const logical =
  (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  (self: Operand, other: Operand): tf.Tensor => {
    const [a, b] = alike(toKind(self, BOOL), toKind(other, BOOL));
    return run(a, b);
  };

const logicalXor = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  comparison(tf.notEqual, toKind(a, INT), toKind(b, INT));

/** tfjs has no bitwise ops except `and`, so they are computed in JavaScript. */
const onIntegers = (name: string, run: (a: number, b: number) => number) =>
  op(name, (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const [x, y] = alike(a, b);
    const [p, q] = [x.dataSync(), y.dataSync()];
    return tf.tensor(
      Int32Array.from(p, (one, i) => run(one, q[i]!)),
      x.shape,
      "int32",
    );
  });

const bitwise = (
  name: string,
  run: (a: number, b: number) => number,
  ofBools?: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
) => {
  const integers = onIntegers(name, run);
  return (self: Operand, other: Operand): tf.Tensor => {
    const { a, b, kind } = promote(self, other, ofBools ? BOOL : INT);
    return kind === BOOL ? logical(ofBools!)(a, b) : integers(a, b);
  };
};

const shiftLeft = (a: number, b: number): number => (b > 31 || b < 0 ? 0 : a << b);
const shiftRight = (a: number, b: number): number => a >> Math.min(b < 0 ? 31 : b, 31);

const bitwiseAnd = bitwise("bitwise_and", (a, b) => a & b, tf.logicalAnd);
const bitwiseOr = bitwise("bitwise_or", (a, b) => a | b, tf.logicalOr);
const bitwiseXor = bitwise("bitwise_xor", (a, b) => a ^ b, logicalXor);
const leftShift = bitwise("bitwise_left_shift", shiftLeft);
const rightShift = bitwise("bitwise_right_shift", shiftRight);

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
const lcm = (a: number, b: number): number => (a && b ? Math.abs((a / gcd(a, b)) * b) : 0);

/** An op on two float tensors of one shape. */
const ofFloats =
  (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  (self: Operand, other: Operand): tf.Tensor => {
    const { a, b } = promote(self, other, FLOAT);
    return run(...alike(a, b));
  };

const isNegative = (x: tf.Tensor): tf.Tensor =>
  tf.logicalOr(tf.less(x, 0), tf.equal(divide(1, x), -Infinity));

const copysign = ofFloats((a, b) => {
  const size = tf.abs(a);
  return where(isNegative(b), tf.neg(size), size);
});

const hypot = ofFloats((a, b) => {
  const [p, q] = [tf.abs(a), tf.abs(b)];
  const [most, least] = [extreme(tf.maximum, p, q), extreme(tf.minimum, p, q)];
  const ratio = where(tf.equal(most, 0), 0, divide(least, most));
  const size = tf.mul(most, tf.sqrt(tf.add(tf.square(ratio), 1)));
  return where(tf.logicalOr(tf.isInf(a), tf.isInf(b)), Infinity, size);
});

const logAddExp = (base: number) =>
  ofFloats((a, b) => {
    const most = extreme(tf.maximum, a, b);
    const gap = tf.neg(tf.abs(tf.sub(a, b)));
    const scale = Math.log(base);
    const more = tf.div(tf.log1p(tf.exp(tf.mul(gap, scale))), scale);
    return where(tf.isInf(most), most, tf.add(most, more));
  });

const xlogy =
  (log: (x: tf.Tensor) => tf.Tensor) =>
  (self: Operand, other: Operand): tf.Tensor =>
    ofFloats((a, b) => {
      const y = where(tf.equal(a, 0), 0, tf.mul(a, log(b)));
      return where(tf.isNaN(b), NaN, y);
    })(self, other);

const atan2 = ofFloats((a, b) => {
  // tfjs' atan2 handles neither infinities nor the signs of zeros on every backend.
  const quarter = where(tf.logicalAnd(tf.isInf(a), tf.isInf(b)), 1, divide(tf.abs(a), tf.abs(b)));
  const both = where(tf.logicalAnd(tf.equal(a, 0), tf.equal(b, 0)), 0, quarter);
  const angle = where(tf.isInf(both), Math.PI / 2, tf.atan(both));
  const turned = where(isNegative(b), tf.sub(Math.PI, angle), angle);
  return where(isNegative(a), tf.neg(turned), turned);
});

/** The maximum or minimum, ignoring NaN unless both operands are NaN. */
const ignoringNaN =
  (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) => (self: Operand, other: Operand) => {
    const { a, b, kind } = promote(self, other);
    if (kind !== FLOAT) return arithmetic(run, a, b);
    const [x, y] = alike(a, b);
    return where(tf.isNaN(x), y, where(tf.isNaN(y), x, run(x, y)));
  };

function clamp(self: tf.Tensor, min: Operand | null = null, max: Operand | null = null): tf.Tensor {
  const raised = min === null ? self : extreme(tf.maximum, self, min);
  return max === null ? raised : extreme(tf.minimum, raised, max);
}

/** Converts a value to the dtype of the tensor that is written to. */
const like = (value: Operand, self: tf.Tensor): tf.Tensor => toKind(value, kindOf(self));

const maskedFill = (self: tf.Tensor, mask: tf.Tensor, value: Operand): tf.Tensor =>
  where(mask, like(value, self), self);

/** Computed from the nearer end, as in PyTorch; this matters if one end is infinite. */
function lerp(self: tf.Tensor, end: tf.Tensor, weight: Operand): tf.Tensor {
  const gap = sub(end, self);
  const fromStart = add(self, mul(weight, gap));
  const fromEnd = sub(end, mul(gap, sub(1, weight)));
  if (!(weight instanceof tf.Tensor)) return Math.abs(Number(weight)) < 0.5 ? fromStart : fromEnd;
  return where(comparison(tf.less, tf.abs(weight), 0.5), fromStart, fromEnd);
}

const all = (names: string, tail: string): string =>
  names
    .split(" ")
    .flatMap((name) => (name.includes(".") ? name : [`${name}.Tensor`, `${name}.Scalar`]))
    .join("|") + tail;

export const binaryOps = defineOps({
  [all("add", "(self, other, alpha)")]: add,
  [all("sub subtract", "(self, other, alpha)")]: sub,
  [all("rsub", "(self, other, alpha)")]: (self: Operand, other: Operand, alpha = 1) =>
    sub(other, self, alpha),
  [all("mul multiply", "(self, other)")]: mul,
  [all("div divide true_divide", "(self, other)")]: div,
  [all(
    "div.Tensor_mode div.Scalar_mode divide.Tensor_mode divide.Scalar_mode",
    "(self, other, rounding_mode)",
  )]: div,
  "floor_divide|floor_divide.Scalar(self, other)": floorDivide,
  [all("remainder remainder.Scalar_Tensor", "(self, other)")]: remainder,
  [all("fmod", "(self, other)")]: fmod,
  "pow.Tensor_Tensor|pow.Tensor_Scalar|pow.Scalar(self, exponent)": pow,
  "float_power.Tensor_Tensor|float_power.Tensor_Scalar|float_power.Scalar(self, exponent)": (
    self: Operand,
    exponent: Operand,
  ) => pow(self instanceof tf.Tensor ? toFloat(self) : self, exponent),
  [all("eq", "(self, other)")]: (a: Operand, b: Operand) => comparison(tf.equal, a, b),
  [all("ne not_equal", "(self, other)")]: (a: Operand, b: Operand) => comparison(tf.notEqual, a, b),
  [all("lt less", "(self, other)")]: (a: Operand, b: Operand) => comparison(tf.less, a, b),
  [all("le less_equal", "(self, other)")]: (a: Operand, b: Operand) =>
    comparison(tf.lessEqual, a, b),
  [all("gt greater", "(self, other)")]: (a: Operand, b: Operand) => comparison(tf.greater, a, b),
  [all("ge greater_equal", "(self, other)")]: (a: Operand, b: Operand) =>
    comparison(tf.greaterEqual, a, b),
  "logical_and(self, other)": logical(tf.logicalAnd),
  "logical_or(self, other)": logical(tf.logicalOr),
  "logical_xor(self, other)": logical(logicalXor),
  [all("bitwise_and bitwise_and.Scalar_Tensor __and__", "(self, other)")]: bitwiseAnd,
  [all("bitwise_or bitwise_or.Scalar_Tensor __or__", "(self, other)")]: bitwiseOr,
  [all("bitwise_xor bitwise_xor.Scalar_Tensor __xor__", "(self, other)")]: bitwiseXor,
  [all(
    "bitwise_left_shift.Tensor bitwise_left_shift.Tensor_Scalar bitwise_left_shift.Scalar_Tensor __lshift__",
    "(self, other)",
  )]: leftShift,
  [all(
    "bitwise_right_shift.Tensor bitwise_right_shift.Tensor_Scalar bitwise_right_shift.Scalar_Tensor __rshift__",
    "(self, other)",
  )]: rightShift,
  "gcd(self, other)": onIntegers("gcd", gcd),
  "lcm(self, other)": onIntegers("lcm", lcm),
  "atan2|arctan2(self, other)": atan2,
  "maximum|max.other(self, other)": (a: Operand, b: Operand) => extreme(tf.maximum, a, b),
  "minimum|min.other(self, other)": (a: Operand, b: Operand) => extreme(tf.minimum, a, b),
  "fmax(self, other)": ignoringNaN(tf.maximum),
  "fmin(self, other)": ignoringNaN(tf.minimum),
  [all("copysign", "(self, other)")]: copysign,
  "hypot(self, other)": hypot,
  "logaddexp(self, other)": logAddExp(Math.E),
  "logaddexp2(self, other)": logAddExp(2),
  "xlogy.Tensor|xlogy.Scalar_Other|xlogy.Scalar_Self|special_xlogy|special_xlogy.other_scalar|special_xlogy.self_scalar(self, other)":
    xlogy(log),
  "special_xlog1py|special_xlog1py.other_scalar|special_xlog1py.self_scalar(self, other)":
    xlogy(log1p),
  "clamp|clamp.Tensor|clip|clip.Tensor(self, min, max)": clamp,
  "clamp_min|clamp_min.Tensor(self, min)": clamp,
  "clamp_max|clamp_max.Tensor(self, max)": (self: tf.Tensor, max: Operand) =>
    clamp(self, null, max),
  "where.self|where.ScalarSelf|where.ScalarOther|where.Scalar(condition, self, other)": where,
  "masked_fill.Scalar|masked_fill.Tensor(self, mask, value)": maskedFill,
  "fill.Scalar|fill.Tensor(self, value)": (self: tf.Tensor, value: Operand) =>
    expandTo(like(value, self), self.shape),
  "zero(self)": (self: tf.Tensor) => tf.zeros(self.shape, self.dtype),
  "copy(self, src, non_blocking)": (self: tf.Tensor, src: Operand) =>
    expandTo(like(src, self), self.shape),
  "lerp.Tensor|lerp.Scalar(self, end, weight)": lerp,
  "addcmul(self, tensor1, tensor2, value)": (
    self: tf.Tensor,
    a: tf.Tensor,
    b: tf.Tensor,
    value = 1,
  ) => add(self, mul(mul(a, b), value)),
  "addcdiv(self, tensor1, tensor2, value)": (
    self: tf.Tensor,
    a: tf.Tensor,
    b: tf.Tensor,
    value = 1,
  ) => add(self, mul(divide(a, b), value)),
  "isclose(self, other, rtol, atol, equal_nan)": isClose,
  "allclose(self, other, rtol, atol, equal_nan)": (
    a: tf.Tensor,
    b: tf.Tensor,
    ...rest: [number?, number?, boolean?]
  ) => Boolean(tf.all(isClose(a, b, ...rest)).dataSync()[0]),
  "equal(self, other)": (a: tf.Tensor, b: tf.Tensor) =>
    tf.util.arraysEqual(a.shape, b.shape) &&
    Boolean(tf.all(comparison(tf.equal, a, b)).dataSync()[0]),
});

function isClose(
  self: tf.Tensor,
  other: tf.Tensor,
  rtol = 1e-5,
  atol = 1e-8,
  equalNan = false,
): tf.Tensor {
  const { a, b } = promote(self, other, FLOAT);
  const [x, y] = alike(a, b);
  const near = tf.lessEqual(tf.abs(tf.sub(x, y)), tf.add(tf.mul(tf.abs(y), rtol), atol));
  const close = tf.logicalOr(tf.equal(x, y), tf.logicalAnd(tf.isFinite(y), near));
  return equalNan ? tf.logicalOr(close, tf.logicalAnd(tf.isNaN(x), tf.isNaN(y))) : close;
}

export { add, mul };
