import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { atLeast, atMost } from "../../functional/numeric.js";
import { divide, log, log1p, magnitude, truncate, where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { BOOL, kindOf, toDtype, toFloat, toKind, toNumber } from "./support/dtype.js";

type Unary = (x: tf.Tensor) => tf.Tensor;

/** An op that converts integers to floats. */
const onFloats =
  (run: Unary): Unary =>
  (self) =>
    run(toFloat(self));

/** An op that returns integers unchanged. */
const ofFloats =
  (run: Unary): Unary =>
  (self) =>
    self.dtype === "float32" ? run(self) : self;

const names = (record: Readonly<Record<string, Unary>>): Record<string, Unary> =>
  Object.fromEntries(Object.entries(record).map(([name, run]) => [`${name}(self)`, run]));

const times =
  (factor: number): Unary =>
  (x) =>
    tf.mul(x, factor);

/** With NaN below 0, which not every backend gives. */
const sqrt: Unary = (x) => where(tf.less(x, 0), NaN, tf.sqrt(x));

/** `eˣ - 1`, with NaN for NaN, for which webgl gives ∞. */
const expm1: Unary = (x) => where(tf.isNaN(x), x, tf.expm1(x));

const sign: Unary = (x) => {
  if (x.dtype === "bool") return x;
  const zero = tf.scalar(0, x.dtype);
  return tf.sub(tf.cast(tf.greater(x, zero), x.dtype), tf.cast(tf.less(x, zero), x.dtype));
};

/** Winitzki's approximation, and two Newton steps. */
const erfinv: Unary = (x) => {
  const l = tf.log(tf.sub(1, tf.square(x)));
  const t = tf.add(tf.mul(l, 0.5), 2 / (Math.PI * 0.147));
  const size = tf.sqrt(tf.sub(tf.sqrt(tf.sub(tf.square(t), tf.div(l, 0.147))), t));
  let y = tf.mul(sign(x), size);
  for (let i = 0; i < 2; i += 1) {
    const slope = tf.mul(tf.exp(tf.neg(tf.square(y))), 2 / Math.sqrt(Math.PI));
    y = tf.sub(y, tf.div(tf.sub(tf.erf(y), x), slope));
  }
  const ends = where(tf.equal(tf.abs(x), 1), tf.mul(x, Infinity), y);
  return where(tf.greater(tf.abs(x), 1), NaN, ends);
};

const logicalNot: Unary = (x) => tf.logicalNot(toKind(x, BOOL));

const inverse: Unary = (x) => divide(1, x);

const sinc: Unary = (x) => {
  const angle = tf.mul(x, Math.PI);
  return where(tf.equal(x, 0), 1, divide(tf.sin(angle), angle));
};

/** `ln(x + √(x² + by))`; the square of numbers above `most` could overflow. */
function area(x: tf.Tensor, by: number): tf.Tensor {
  const most = 1e9;
  const near = atMost(x, most);
  const root = tf.sqrt(tf.add(tf.square(near), by));
  return tf.add(log(tf.add(near, root)), log(atLeast(tf.div(x, most), 1)));
}

const FLOATS = names({
  "acos|arccos": onFloats(tf.acos),
  "acosh|arccosh": onFloats((x) => where(tf.less(x, 1), NaN, area(x, -1))),
  "asin|arcsin": onFloats(tf.asin),
  "asinh|arcsinh": onFloats((x) => tf.mul(sign(x), area(tf.abs(x), 1))),
  "atan|arctan": onFloats(tf.atan),
  "atanh|arctanh": onFloats(tf.atanh),
  cos: onFloats(tf.cos),
  cosh: onFloats(tf.cosh),
  deg2rad: onFloats(times(Math.PI / 180)),
  "erf|special_erf": onFloats(tf.erf),
  "erfc|special_erfc": onFloats((x) => tf.sub(1, tf.erf(x))),
  "erfinv|special_erfinv": onFloats(erfinv),
  exp: onFloats(tf.exp),
  "exp2|special_exp2": onFloats((x) => tf.exp(tf.mul(x, Math.LN2))),
  "expm1|special_expm1": onFloats(expm1),
  log: onFloats(log),
  log10: onFloats((x) => times(Math.LOG10E)(log(x))),
  "log1p|special_log1p": onFloats(log1p),
  log2: onFloats((x) => times(Math.LOG2E)(log(x))),
  rad2deg: onFloats(times(180 / Math.PI)),
  reciprocal: onFloats(inverse),
  rsqrt: onFloats((x) => inverse(sqrt(x))),
  "sigmoid|special_expit": onFloats(F.sigmoid),
  sin: onFloats(tf.sin),
  "sinc|special_sinc": onFloats(sinc),
  sinh: onFloats(tf.sinh),
  sqrt: onFloats(sqrt),
  tan: onFloats(tf.tan),
  tanh: onFloats(F.tanh),
});

const ROUNDING = names({
  ceil: ofFloats(tf.ceil),
  floor: ofFloats(tf.floor),
  frac: (x) => tf.sub(x, truncate(x)),
  round: ofFloats(tf.round),
  "trunc|fix": truncate,
});

const TESTS = names({
  isfinite: (x) => (x.dtype === "float32" ? tf.isFinite(x) : tf.onesLike(toKind(x, BOOL))),
  isinf: (x) => (x.dtype === "float32" ? tf.isInf(x) : tf.zerosLike(toKind(x, BOOL))),
  isnan: (x) => (x.dtype === "float32" ? tf.isNaN(x) : tf.zerosLike(toKind(x, BOOL))),
  isneginf: onFloats((x) => tf.equal(x, -Infinity)),
  isposinf: onFloats((x) => tf.equal(x, Infinity)),
  logical_not: logicalNot,
  // tfjs has no function for the sign of 0, but the reciprocal of -0 is -∞.
  signbit: onFloats((x) => tf.logicalOr(tf.less(x, 0), tf.equal(inverse(x), -Infinity))),
});

const bitwiseNot: Unary = (x) => {
  if (x.dtype === "bool") return tf.logicalNot(x);
  return tf.sub(tf.scalar(-1, "int32"), x);
};

const abs: Unary = (x) => (x.dtype === "bool" ? x : magnitude(x));

/** `log(x / (1 - x))`, with x clamped to [eps, 1 - eps]. */
function logit(self: tf.Tensor, eps: number | null = null): tf.Tensor {
  const x = toFloat(self);
  // The order matters if eps is above ½.
  const below = eps === null ? x : where(tf.greater(x, 1 - eps), 1 - eps, x);
  const z = eps === null ? x : where(tf.less(x, eps), eps, below);
  return log(divide(z, tf.sub(1, z)));
}

const FLOAT_MAX = 3.4028234663852886e38;

function nanToNum(
  self: tf.Tensor,
  nan: number | null = null,
  posinf: number | null = null,
  neginf: number | null = null,
): tf.Tensor {
  if (self.dtype !== "float32") return self;
  const numbers = where(tf.isNaN(self), toFloat(nan ?? 0), self);
  const below = where(tf.equal(self, Infinity), toFloat(posinf ?? FLOAT_MAX), numbers);
  return where(tf.equal(self, -Infinity), toFloat(neginf ?? -FLOAT_MAX), below);
}

/** Rounds to a decimal place, ties to even. */
function roundTo(self: tf.Tensor, decimals = 0): tf.Tensor {
  if (self.dtype !== "float32") return self;
  const factor = 10 ** Math.abs(decimals);
  return decimals >= 0
    ? divide(tf.round(tf.mul(self, factor)), factor)
    : tf.mul(tf.round(divide(self, factor)), factor);
}

/** For tfjs' ops that convert integers to floats: converts them back. */
const keepingKind =
  (run: Unary): Unary =>
  (x) =>
    x.dtype === "float32" ? run(x) : toDtype(run(toFloat(x)), x.dtype);

export const unaryOps = defineOps({
  ...FLOATS,
  ...ROUNDING,
  ...TESTS,
  "abs|absolute(self)": abs,
  "neg|negative|_neg_view(self)": (self: tf.Tensor) =>
    self.dtype === "int32" ? tf.sub(tf.scalar(0, "int32"), self) : tf.neg(self),
  "positive(self)": (self: tf.Tensor) => self,
  "sign|sgn(self)": sign,
  "square(self)": (self: tf.Tensor) => {
    const x = toNumber(self);
    return tf.mul(x, x);
  },
  "bitwise_not(self)": bitwiseNot,
  "relu(self)": (self: tf.Tensor) =>
    self.dtype === "int32" ? tf.maximum(self, tf.scalar(0, "int32")) : keepingKind(F.relu)(self),
  "relu6(self)": keepingKind(F.relu6),
  "logit|special_logit(self, eps)": logit,
  "nan_to_num(self, nan, posinf, neginf)": nanToNum,
  "round.decimals|special_round(self, decimals)": roundTo,
  "angle(self)": (self: tf.Tensor) => {
    const x = toFloat(self);
    return where(tf.isNaN(x), x, where(tf.less(x, 0), Math.PI, tf.zerosLike(x)));
  },
  "heaviside(self, values)": (self: tf.Tensor, values: tf.Tensor) => {
    const x = toFloat(self);
    const step = tf.cast(tf.greater(x, 0), "float32");
    return toDtype(where(tf.equal(x, 0), toFloat(values), step), self.dtype);
  },
  "isreal(self)": (self: tf.Tensor) => tf.fill(self.shape, 1, "bool"),
  "is_floating_point(self)": (self: tf.Tensor) => kindOf(self) === 2,
});
