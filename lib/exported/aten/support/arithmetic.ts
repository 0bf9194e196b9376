import * as tf from "@tensorflow/tfjs-core";
import { select } from "../../../functional/select.js";
import {
  BOOL,
  DTYPES,
  FLOAT,
  INT,
  type Kind,
  kindOf,
  type Operand,
  toDtype,
  toKind,
} from "./dtype.js";
import { broadcastShapes, expandTo } from "./shape.js";

export interface Pair {
  a: tf.Tensor;
  b: tf.Tensor;
  kind: Kind;
}

/** Both operands in the category that they are promoted to, which is at least `least`. */
export function promote(a: Operand, b: Operand, least: Kind = BOOL): Pair {
  const kind = Math.max(kindOf(a), kindOf(b), least) as Kind;
  return { a: toKind(a, kind), b: toKind(b, kind), kind };
}

/** Broadcasts the operands to one shape, unless the rank is low enough for tfjs to do so. */
export function alike(a: tf.Tensor, b: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const shape = broadcastShapes(a.shape, b.shape);
  return [expandTo(a, shape), expandTo(b, shape)];
}

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

/** Calls a tfjs op that broadcasts, also for ranks above those of webgl's shaders. */
function broadcasting(run: Binary, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const rank = Math.max(a.rank, b.rank);
  if (a.size === 0 || b.size === 0) {
    return tf.zeros(broadcastShapes(a.shape, b.shape), run(tf.zeros([1], a.dtype), tf.zeros([1], b.dtype)).dtype); // prettier-ignore
  }
  if (a.size === 1 || b.size === 1) return run(a, b);
  if (rank <= 4) {
    broadcastShapes(a.shape, b.shape); // tfjs would throw with a message of its own
    return run(a, b);
  }
  const [x, y] = alike(a, b);
  return tf.reshape(run(tf.reshape(x, [-1]), tf.reshape(y, [-1])), x.shape);
}

/**
 * An op on numbers in the promoted category. Two bools are computed as integers and converted back.
 */
export function arithmetic(run: Binary, a: Operand, b: Operand, least: Kind = BOOL): tf.Tensor {
  const { a: x, b: y, kind } = promote(a, b, least);
  if (kind !== BOOL) return broadcasting(run, x, y);
  return toDtype(broadcasting(run, toKind(x, INT), toKind(y, INT)), "bool");
}

/** A comparison of the promoted operands; bools as integers, since wasm cannot compare bools. */
export function comparison(run: Binary, a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y } = promote(a, b, INT);
  return broadcasting(run, x, y);
}

/** `condition ? a : b` with broadcasting and promotion. */
export function where(condition: tf.Tensor, a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y, kind } = promote(a, b);
  const shape = broadcastShapes(condition.shape, x.shape, y.shape);
  if (shape.includes(0)) return tf.zeros(shape, DTYPES[kind]);
  const test = expandTo(toDtype(condition, "bool"), shape);
  if (kind !== BOOL) return select(test, expandTo(x, shape), expandTo(y, shape));
  const [p, q] = [expandTo(toKind(x, INT), shape), expandTo(toKind(y, INT), shape)];
  return toDtype(select(test, p, q), "bool");
}

const onWebgl = (): boolean => tf.getBackend() === "webgl";

/**
 * tfjs' logarithm with its pole at that number: NaN below it, and -∞ there, for which some GPUs give
 * a finite number.
 */
const withPole =
  (run: (x: tf.Tensor) => tf.Tensor, pole: number) =>
  (x: tf.Tensor): tf.Tensor => {
    const y = where(tf.less(x, pole), NaN, run(x));
    return onWebgl() ? where(tf.equal(x, pole), -Infinity, y) : y;
  };

export const log = withPole(tf.log, 0);

/** The logarithm of 1 + x; webgl computes it from the rounded sum. */
export const log1p = withPole(tf.log1p, -1);

/** Float division. (tfjs gives 1 for `0 / 0` and `∞ / ∞` on webgl.) */
export function divide(a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y } = promote(a, b, FLOAT);
  const plain = broadcasting(tf.div, x, y);
  if (!onWebgl() || (!(b instanceof tf.Tensor) && Number(b) !== 0)) return plain;
  const odd = tf.logicalOr(tf.equal(y, 0), tf.isInf(y));
  return where(odd, broadcasting(tf.mul, x, tf.reciprocal(y)), plain);
}

/** The maximum or minimum; NaN where either operand is NaN. */
export function extreme(run: Binary, a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y, kind } = promote(a, b);
  const plain = arithmetic(run, x, y);
  // On wasm only a NaN of the first operand is kept.
  const isSafe = tf.getBackend() !== "wasm" || kind !== FLOAT || !(b instanceof tf.Tensor);
  return isSafe ? plain : where(tf.isNaN(y), y, plain);
}

/** The remainder with the sign of the dividend, as C's fmod. */
export function fmod(a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y, kind } = promote(a, b, INT);
  if (kind === INT) return arithmetic(tf.sub, x, tf.mul(truncDivide(x, y), y));
  const rest = broadcasting(tf.mod, tf.abs(x), tf.abs(y));
  // For an infinite divisor the remainder is the dividend; for an infinite dividend it is NaN.
  const [p, q] = alike(x, y);
  const signed = where(tf.less(p, 0), tf.neg(rest), rest);
  const odd = where(tf.logicalOr(tf.isInf(p), tf.equal(q, 0)), NaN, signed);
  const whole = where(tf.logicalAnd(tf.isInf(q), tf.isFinite(p)), p, odd);
  return where(tf.logicalOr(tf.isNaN(p), tf.isNaN(q)), NaN, whole);
}

/** The remainder with the sign of the divisor, as Python's `%`. */
export function remainder(a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y, kind } = promote(a, b, INT);
  const rest = fmod(x, y);
  const zero = tf.scalar(0, DTYPES[kind]);
  const other = tf.notEqual(tf.less(rest, zero), tf.less(y, zero));
  const wraps = tf.logicalAnd(tf.notEqual(rest, zero), other);
  return where(wraps, arithmetic(tf.add, rest, y), rest);
}

/** Integer division, truncated towards 0. */
export function truncDivide(a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y, kind } = promote(a, b, INT);
  if (kind === FLOAT) return truncate(divide(x, y));
  const below = broadcasting(wholeQuotient, x, y);
  const [p, q] = alike(x, y);
  const zero = tf.scalar(0, "int32");
  const isNegative = tf.notEqual(tf.less(p, zero), tf.less(q, zero));
  const isBroken = tf.notEqual(tf.mul(below, q), p);
  return tf.add(below, tf.cast(tf.logicalAnd(isNegative, isBroken), "int32"));
}

/** The absolute value of integers. (tfjs' `abs` and `neg` use floats, which have 24 bits.) */
export const magnitude = (x: tf.Tensor): tf.Tensor =>
  x.dtype === "int32" ? tf.maximum(x, tf.sub(tf.scalar(0, "int32"), x)) : tf.abs(x);

/** Integer division, rounded down; corrects the rounding of tfjs' wasm backend. */
function wholeQuotient(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const near = tf.floorDiv(x, y);
  const nearer = tf.add(near, tf.floorDiv(tf.sub(x, tf.mul(near, y)), y));
  // A quotient just below an integer may have been rounded up: then the remainder has the other
  // sign.
  const zero = tf.scalar(0, "int32");
  const rest = tf.sub(x, tf.mul(nearer, y));
  const isBeyond = tf.notEqual(tf.less(rest, zero), tf.less(y, zero));
  return tf.sub(nearer, tf.cast(tf.logicalAnd(isBeyond, tf.notEqual(rest, zero)), "int32"));
}

export const truncate = (x: tf.Tensor): tf.Tensor =>
  x.dtype === "float32" ? where(tf.less(x, 0), tf.ceil(x), tf.floor(x)) : x;

/** Division rounded down, as Python's `//`. */
export function floorDivide(a: Operand, b: Operand): tf.Tensor {
  const { a: x, b: y, kind } = promote(a, b, INT);
  if (kind === INT) return broadcasting(wholeQuotient, x, y);
  // By the remainder, because a / b may be rounded up to an integer.
  const quotient = divide(x, y);
  const [p, q] = alike(x, y);
  const whole = divide(tf.sub(p, remainder(p, q)), q);
  const nearest = tf.round(whole);
  const usual = tf.logicalAnd(tf.notEqual(q, 0), tf.isFinite(quotient));
  // For an infinite divisor it is 0, or -1 if the signs differ.
  const differ = tf.logicalAnd(tf.notEqual(p, 0), tf.notEqual(tf.less(p, 0), tf.less(q, 0)));
  const limit = where(tf.isInf(q), where(differ, -1, tf.zerosLike(p)), quotient);
  const unusual = where(tf.equal(q, 0), quotient, where(tf.isFinite(p), limit, NaN));
  const known = where(tf.logicalAnd(usual, tf.isFinite(q)), nearest, unusual);
  return where(tf.logicalOr(tf.isNaN(p), tf.isNaN(q)), NaN, known);
}
