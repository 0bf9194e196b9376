import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";
import { broadcast, fitting, type Known, type Piece } from "./chance.js";

const F = nn.functional;

type Unary = (x: tf.Tensor) => tf.Tensor;

const isFloat = ({ dtype }: Known): boolean => dtype === "float32";

const unary = (...functions: Unary[]): Piece[] =>
  functions.map((run) => (x) => (isFloat(x) ? { run } : null));

/** Functions that jump, for what no rounding moves across the jump. */
const jumping = (...functions: Unary[]): Piece[] =>
  functions.map((run) => (x) => (isFloat(x) && x.isExact ? { run } : null));

const UNARY = [
  ...unary(
    ...[F.relu, F.sigmoid, F.tanh, F.relu6, F.silu, F.mish, F.gelu, F.elu, F.celu, F.selu],
    ...[F.softplus, F.softsign, F.logsigmoid, F.hardswish, F.hardsigmoid, F.tanhshrink],
    ...[F.softshrink, F.hardtanh, tf.abs, tf.neg, tf.square, tf.sin, tf.cos, tf.erf, tf.elu],
    (x) => F.gelu(x, { approximate: "tanh" }),
    (x) => F.leakyRelu(x, { negativeSlope: 0.2 }),
    (x) => F.celu(x, { alpha: 0.7 }),
    (x) => F.softplus(x, { beta: 2, threshold: 1 }),
    (x) => F.hardtanh(x, { minVal: -0.3, maxVal: 0.7 }),
    (x) => tf.exp(F.tanh(x)),
    (x) => tf.expm1(F.sigmoid(x)),
    (x) => tf.sqrt(tf.add(tf.abs(x), 0.1)),
    (x) => tf.rsqrt(tf.add(tf.square(x), 0.5)),
    (x) => tf.log(tf.add(tf.square(x), 1)),
    (x) => tf.log1p(tf.abs(x)),
    (x) => tf.reciprocal(tf.add(2, tf.abs(x))),
    (x) => tf.pow(tf.add(tf.abs(x), 0.5), tf.scalar(1.7)),
    (x) => tf.clipByValue(x, -0.5, 0.8),
    (x) => tf.leakyRelu(x, 0.3),
    (x) => tf.softplus(x),
    (x) => tf.atan(x),
    (x) => tf.asinh(x),
    (x) => tf.cosh(F.tanh(x)),
    (x) => tf.mul(tf.sigmoid(x), x),
    (x) => tf.div(x, tf.add(1, tf.square(x))),
    (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
    (x) => tf.add(x, tf.zerosLike(x)),
    (x) => tf.mul(tf.onesLike(x), x),
    (x) => tf.clone(x),
    (x) => tf.sub(1, x),
    (x) => tf.div(x, -3),
    (x) => tf.add(x, tf.mul(2, x)),
    (x) => tf.mul(x, tf.scalar(2, "int32")),
    (x) => tf.where(tf.isNaN(x), tf.zerosLike(x), x),
    (x) => F.dropout(x, { training: false }),
    (x) => tf.add(x, tf.fill(x.shape.map(() => 1), 0.25)),
    // A constant of more dimensions than there are.
    (x) => (x.rank < 5 ? tf.mul(x, tf.fill([...x.shape, 1].map(() => 1), 0.5)) : x),
  ),
  ...jumping(
    ...[tf.floor, tf.ceil, tf.sign, tf.step, tf.round, F.hardshrink],
    (x) => tf.log(x),
    (x) => tf.sqrt(x),
    (x) => tf.div(1, x),
    (x) => tf.mod(x, 0.7),
    (x) => F.threshold(x, 0.1, -2),
    (x) => tf.cast(x, "int32"),
    (x) => tf.greater(x, 0),
    (x) => tf.lessEqual(x, tf.scalar(0.3)),
    (x) => tf.cast(tf.notEqual(x, 0), "float32"),
    (x) => (x.rank > 0 && x.size > 0 ? tf.argMax(x, x.rank - 1) : tf.greater(x, 1)),
    (x) => (x.rank > 1 && x.size > 0 ? tf.argMin(x, 0) : tf.less(x, 1)),
  ),
]; // prettier-ignore

const BINARY: readonly ((a: tf.Tensor, b: tf.Tensor) => tf.Tensor)[] = [
  ...[tf.add, tf.sub, tf.mul, tf.maximum, tf.minimum, tf.squaredDifference],
  (a, b) => tf.div(a, tf.add(1.5, tf.abs(b))),
  (a, b) => tf.pow(tf.add(tf.abs(a), 0.5), F.tanh(b)),
  (a, b) => tf.add(a, tf.mul(b, 0.5)),
  (a, b) => F.relu(tf.add(b, a)),
  (a, b) => tf.sub(tf.mul(a, F.sigmoid(b)), b),
  (a, b) => tf.atan2(a, tf.add(1.5, tf.abs(b))),
  (a, b) => F.mseLoss(tf.add(a, tf.zerosLike(b)), tf.add(b, tf.zerosLike(a)), { reduction: "none" }), // prettier-ignore
];

/** Any two that broadcast; often a tensor and another view of it. */
const pairs = BINARY.map((run): Piece => (x, chance) => {
  if (!isFloat(x)) return null;
  const other = chance.other((one) => isFloat(one) && broadcast(x.shape, one.shape) !== null);
  if (other === null) return null;
  return { run: chance.yes() ? run : (a, b) => run(b, a), others: [other] };
});

const comparisons = [tf.greater, tf.greaterEqual, tf.less, tf.equal].map(
  (compare): Piece =>
    (x, chance) => {
      if (!isFloat(x) || !x.isExact) return null;
      const fits = (one: Known): boolean => isFloat(one) && one.isExact && broadcast(x.shape, one.shape) !== null; // prettier-ignore
      const other = chance.other(fits);
      if (other === null) return null;
      if (chance.yes()) return { run: (a, b) => compare(a, b), others: [other] };
      return { run: (a, b) => tf.where(compare(a, b), a, b), others: [other] };
    },
);

const booleans: Piece[] = [
  (x) => (x.dtype === "bool" ? { run: (a) => tf.logicalNot(a) } : null),
  (x) => (x.dtype === "bool" ? { run: (a) => tf.cast(a, "float32") } : null),
  (x) => (x.dtype === "bool" ? { run: (a) => tf.cast(a, "int32") } : null),
  (x) => (x.dtype === "bool" && x.shape.length > 0 ? { run: (a) => tf.any(a, 0) } : null),
  (x, chance) => {
    const other = x.dtype === "bool" ? chance.other((one) => one.dtype === "bool" && broadcast(one.shape, x.shape) !== null) : null; // prettier-ignore
    const run = chance.pick([tf.logicalAnd, tf.logicalOr, tf.logicalXor]);
    return other === null ? null : { run: (a, b) => run(a, b), others: [other] };
  },
  (x, chance) => {
    if (x.dtype !== "bool") return null;
    const fits = (one: Known): boolean => isFloat(one) && broadcast(one.shape, x.shape) !== null;
    const other = chance.other(fits);
    const by = chance.pick([0, -1, -Infinity, NaN]);
    return other === null ? null : { run: (a, b) => tf.where(a, b, tf.fill(b.shape, by)), others: [other] }; // prettier-ignore
  },
  (x) => (x.dtype === "int32" ? { run: (a) => tf.cast(a, "float32") } : null),
  (x) => (x.dtype === "int32" ? { run: (a) => tf.add(a, tf.scalar(3, "int32")) } : null),
  (x) => (x.dtype === "int32" ? { run: (a) => tf.mul(tf.cast(a, "float32"), 0.25) } : null),
  (x) => (x.dtype === "int32" ? { run: (a) => tf.cast(tf.equal(a, tf.scalar(1, "int32")), "float32") } : null), // prettier-ignore
  (x) => (x.dtype === "int32" ? { run: (a) => tf.cast(a, "bool") } : null),
  (x) => (x.dtype === "int32" && x.shape.length > 0 ? { run: (a) => tf.sum(a, 0) } : null),
  (x) => (x.dtype === "int32" && x.shape.length < 4 ? { run: (a) => tf.oneHot(tf.clipByValue(a, 0, 3), 4, 1, 0, "float32") } : null), // prettier-ignore
];

const REDUCTIONS: readonly ((x: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor)[] = [
  ...[tf.sum, tf.mean, tf.max, tf.min, tf.logSumExp],
  (x, axes, keep) => tf.prod(F.tanh(x), axes, keep),
  (x, axes, keep) => tf.sqrt(tf.sum(tf.square(x), axes, keep)),
  (x, axes, keep) => tf.moments(x, axes, keep).variance,
  (x, axes, keep) => tf.sub(tf.mean(x, axes, keep), tf.max(x, axes, keep)),
];

const reductions = REDUCTIONS.map((run) =>
  fitting(0, 5, (shape, chance) => {
    const axes = chance.order(shape.length).slice(0, chance.from(0, shape.length));
    const keep = chance.yes();
    return { run: (x) => run(x, axes.length > 0 ? axes : shape.map((_, i) => i), keep) };
  }),
);

const alongOne = (run: (x: tf.Tensor, dim: number, size: number) => tf.Tensor, low = 1): Piece =>
  fitting(low, 4, (shape, chance) => {
    const dim = chance.below(shape.length);
    return { run: (x) => run(x, dim, shape[dim]!) };
  });

/** By hand, with the mean of another dimension where a square makes that possible. */
const byHand = [
  alongOne((x, dim) => F.softmax(x, { dim })),
  alongOne((x, dim) => F.logSoftmax(x, { dim })),
  alongOne((x, dim) => F.softmin(x, { dim })),
  alongOne((x, dim) => F.normalize(x, { dim, eps: 0.1 })),
  alongOne((x, dim, size) => (size % 2 === 0 ? F.glu(x, { dim }) : x)),
  alongOne((x, dim) => tf.cumsum(x, dim)),
  alongOne((x, dim) => tf.cumsum(x, dim, true, true)),
  alongOne((x, dim) => tf.sub(x, tf.mean(x, dim, true))),
  alongOne((x, dim) => {
    const centred = tf.sub(x, tf.mean(x, dim, true));
    return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), dim, true), 0.1)));
  }),
  alongOne((x, dim) => tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), dim, true), 0.1)))),
  alongOne((x, dim) => {
    const powers = tf.exp(tf.sub(x, tf.max(x, dim, true)));
    return tf.div(powers, tf.sum(powers, dim, true));
  }),
  fitting(2, 4, ([n, ...rest]) => (rest.every((size) => size === n) ? { run: (x) => {
    const centred = tf.sub(x, tf.mean(x, -1));
    return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), -1), 0.1)));
  } } : null)),
  fitting(2, 4, ([n, ...rest]) => (rest.every((size) => size === n) ? { run: (x) => {
    const powers = tf.exp(tf.sub(x, tf.max(x, -1)));
    return tf.div(powers, tf.sum(powers, -1));
  } } : null)),
]; // prettier-ignore

export const OPS: readonly Piece[] = [
  ...UNARY,
  ...[...pairs, ...pairs],
  ...comparisons,
  ...booleans,
  ...[...reductions, ...reductions],
  ...[...byHand, ...byHand],
];
