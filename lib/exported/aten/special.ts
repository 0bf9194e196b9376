import * as tf from "@tensorflow/tfjs-core";
import { divide, where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";

type Unary = (x: tf.Tensor) => tf.Tensor;

const onFloats =
  (run: Unary): Unary =>
  (self) =>
    run(toFloat(self));

/** `Σ cᵢ xⁱ`, by Horner's rule. */
const polynomial = (x: tf.Tensor, coefficients: readonly number[]): tf.Tensor =>
  coefficients.reduceRight<tf.Tensor>((sum, c) => tf.add(tf.mul(sum, x), c), tf.zerosLike(x));

/** Lanczos' approximation, g = 7, n = 9. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
]; // prettier-ignore

/** `log |Γ(x)|` for x ≥ ½. */
function lgammaAbove(x: tf.Tensor): tf.Tensor {
  const z = tf.sub(x, 1);
  const series = LANCZOS.slice(1).reduce<tf.Tensor>(
    (sum, c, i) => tf.add(sum, tf.div(c, tf.add(z, i + 1))),
    tf.fill(z.shape, LANCZOS[0]!),
  );
  const t = tf.add(z, 7.5);
  const power = tf.mul(tf.add(z, 0.5), tf.log(t));
  return tf.add(tf.add(tf.sub(power, t), Math.log(Math.sqrt(2 * Math.PI))), tf.log(series));
}

/** Below ½ by reflection: `log(π / |sin πx|) - log Γ(1 - x)`. */
const lgamma: Unary = (x) => {
  const reflected = tf.less(x, 0.5);
  const above = lgammaAbove(where(reflected, tf.sub(1, x), x));
  const sine = tf.abs(tf.sin(tf.mul(tf.sub(x, tf.floor(x)), Math.PI)));
  const below = tf.sub(tf.log(divide(Math.PI, sine)), above);
  const pole = tf.logicalAnd(tf.lessEqual(x, 0), tf.equal(tf.floor(x), x));
  const value = where(reflected, below, above);
  return where(tf.logicalOr(pole, tf.isInf(x)), Infinity, value);
};

/** The asymptotic series for x ≥ 6, which is reached by recurrence and reflection. */
const digamma: Unary = (x) => {
  const reflected = tf.less(x, 0.5);
  let y = where(reflected, tf.sub(1, x), x);
  let sum: tf.Tensor = tf.zerosLike(x);
  for (let i = 0; i < 6; i += 1) {
    const isSmall = tf.less(y, 6);
    sum = tf.sub(sum, where(isSmall, tf.reciprocal(y), 0));
    y = where(isSmall, tf.add(y, 1), y);
  }
  const inverse = tf.reciprocal(y);
  const square = tf.square(inverse);
  const series = tf.mul(square, polynomial(square, [1 / 12, -1 / 120, 1 / 252, -1 / 240]));
  const above = tf.add(sum, tf.sub(tf.sub(tf.log(y), tf.mul(inverse, 0.5)), series));
  const angle = tf.mul(tf.sub(x, tf.floor(x)), Math.PI);
  const below = tf.sub(above, divide(Math.PI, tf.tan(angle)));
  const pole = tf.logicalAnd(tf.less(x, 0), tf.equal(tf.floor(x), x));
  const value = where(reflected, below, above);
  return where(tf.equal(x, 0), tf.neg(divide(1, x)), where(pole, NaN, value));
};

/** Abramowitz and Stegun 9.8.1 to 9.8.4, times `e^-|x|`. */
const scaledBessel =
  (order: 0 | 1): Unary =>
  (x) => {
    const size = tf.abs(x);
    const t = tf.square(tf.div(size, 3.75));
    const near = polynomial(t, order === 0 ? I0_NEAR : I1_NEAR);
    const small = tf.mul(order === 0 ? near : tf.mul(near, size), tf.exp(tf.neg(size)));
    const inverse = tf.div(3.75, tf.maximum(size, tf.scalar(3.75)));
    const far = polynomial(inverse, order === 0 ? I0_FAR : I1_FAR);
    const large = tf.mul(far, tf.rsqrt(tf.maximum(size, tf.scalar(3.75))));
    const value = where(tf.less(size, 3.75), small, large);
    return order === 0 ? value : where(tf.less(x, 0), tf.neg(value), value);
  };

const I0_NEAR = [1, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813];
const I0_FAR = [
  0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537,
  -0.01647633, 0.00392377,
]; // prettier-ignore
const I1_NEAR = [0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411];
const I1_FAR = [
  0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555, 0.02282967, -0.02895312,
  0.01787654, -0.00420059,
]; // prettier-ignore

const unscaled =
  (run: Unary): Unary =>
  (x) =>
    tf.mul(run(x), tf.exp(tf.abs(x)));

const entropy: Unary = (x) => {
  const inside = tf.neg(tf.mul(x, tf.log(x)));
  const known = where(tf.equal(x, 0), 0, where(tf.less(x, 0), -Infinity, inside));
  return where(tf.isNaN(x), NaN, known);
};

export const specialOps = defineOps({
  "lgamma|special_gammaln(self)": onFloats(lgamma),
  "digamma|special_digamma|special_psi(self)": onFloats(digamma),
  "i0|special_i0(self)": onFloats(unscaled(scaledBessel(0))),
  "special_i0e(self)": onFloats(scaledBessel(0)),
  "special_i1(self)": onFloats(unscaled(scaledBessel(1))),
  "special_i1e(self)": onFloats(scaledBessel(1)),
  "special_entr(self)": onFloats(entropy),
  "special_ndtr(self)": onFloats((x) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)),
  "mvlgamma|special_multigammaln(self, p)": (self: tf.Tensor, p: number) => {
    const terms = Array.from({ length: p }, (_, i) => lgamma(tf.sub(toFloat(self), i / 2)));
    return tf.add(tf.addN(terms), (p * (p - 1) * Math.log(Math.PI)) / 4);
  },
  "ldexp.Tensor(self, other)": (self: tf.Tensor, other: tf.Tensor) =>
    tf.mul(toFloat(self), tf.pow(tf.scalar(2), toFloat(other))),
});
