/**
 * Functions of four floats at once, correct over the whole range: overflow gives infinities,
 * underflow denormals and zeros, NaN stays NaN. Polynomials are from Cephes, erf is Eigen's
 * rational function.
 */
import type { FunctionBuilder } from "./module.js";
import { intLanes, type V128, v128 } from "./values.js";

type Function = (f: FunctionBuilder, x: V128) => V128;

/** Horner's rule, with the coefficient of the highest power first. */
function polynomial(f: FunctionBuilder, x: V128, coefficients: readonly number[]): V128 {
  const sum = f.v128(v128(coefficients[0]!));
  for (const coefficient of coefficients.slice(1)) sum.set(f.madd(sum, x, v128(coefficient)));
  return sum;
}

const LOG2_E = Math.LOG2E;
/** ln 2 as a sum of two parts, so that multiples of the first are exact. */
const LN2 = [0.693359375, -2.12194440e-4] as const; // prettier-ignore
/** Adding it to a float leaves the nearest integer in the low bits. */
const ROUNDER = 12582912;
/** 2ⁿ. */
const power = (n: V128): V128 => n.intShl(23).intAdd(intLanes(0x3f800000));
const EXP = [
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
]; // prettier-ignore

/** exp(x) = 2ⁿ·p: returns p, and n in the low bits of an integer. */
function expParts(f: FunctionBuilder, x: V128): { p: V128; n: V128 } {
  const n = f.v128(f.madd(x, v128(LOG2_E), v128(ROUNDER)));
  const whole = f.v128(n.sub(ROUNDER));
  const rest = f.v128(f.madd(whole, v128(-LN2[0]), x));
  rest.set(f.madd(whole, v128(-LN2[1]), rest));
  const tail = polynomial(f, rest, EXP);
  return { p: f.v128(f.madd(tail.mul(rest), rest, rest).add(1)), n };
}

export const exp: Function = (f, x) => {
  const { p, n } = expParts(f, f.v128(x.atMost(89).atLeast(-105)));
  // In two steps, because 2¹²⁸ and 2⁻¹³⁰ are no floats, though the result may be one.
  const whole = f.v128(n.intSub(intLanes(0x4b400000)));
  const half = f.v128(whole.intShr(1));
  return f.v128(p.mul(power(half)).mul(power(whole.intSub(half))));
};

/** A polynomial for 2ˣ between -½ and ½. */
const EXP2 = [0.0013264727, 0.009671513, 0.055507336, 0.24022242, 0.693147, 1];

/**
 * exp for x ≤ 0, where results below 1e-38 become 0, for softmax. It takes several vectors, so that
 * the instructions for one can run while those for another wait for each other.
 */
export function expNegative(f: FunctionBuilder, xs: readonly V128[]): V128[] {
  // Below -88 the power of two has the exponent -127, whose bits are those of 0.
  const above = xs.map((x) => f.v128(x.atLeast(-88.1)));
  const scaled = (i: number, more: V128): V128 => f.v128(f.madd(above[i]!, v128(LOG2_E), more));
  const n = xs.map((_, i) => scaled(i, v128(ROUNDER)));
  const rests = xs.map((_, i) => scaled(i, v128(ROUNDER).sub(n[i]!)));
  const sums = xs.map(() => f.v128(v128(EXP2[0]!)));
  for (const coefficient of EXP2.slice(1)) {
    sums.forEach((sum, i) => sum.set(f.madd(sum, rests[i]!, v128(coefficient))));
  }
  return sums.map((sum, i) => f.v128(sum.mul(power(n[i]!))));
}

/** 2·tanh(x/2) / (1 - tanh(x/2)) where exp(x) - 1 would lose digits. */
export const expm1: Function = (f, x) => {
  const value = f.v128(x);
  const t = f.v128(tanh(f, f.v128(value.mul(0.5))));
  const small = t.mul(2).div(v128(1).sub(t));
  return f.v128(value.abs().lt(0.5).select(small, exp(f, value).sub(1)));
};

const LOG = [
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
  -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]; // prettier-ignore

export const log: Function = (f, x) => {
  const value = f.v128(x);
  const isTiny = f.v128(value.lt(1.17549435e-38));
  const bits = f.v128(isTiny.select(value.mul(8388608), value));
  const shift = isTiny.select(149, 126);
  const exponent = f.v128(bits.intShr(23).toFloat().sub(shift));
  const m = f.v128(bits.and(intLanes(0x7fffff)).or(intLanes(0x3f000000)));
  const isLow = f.v128(m.lt(Math.SQRT1_2));
  exponent.set(exponent.sub(isLow.and(v128(1))));
  m.set(m.sub(1).add(isLow.and(m)));
  const square = f.v128(m.mul(m));
  const tail = f.v128(polynomial(f, m, LOG).mul(m).mul(square));
  tail.set(f.madd(exponent, v128(LN2[1]), tail).sub(square.mul(0.5)));
  const result = f.v128(f.madd(exponent, v128(LN2[0]), m.add(tail)));
  const rest = value.eq(0).select(-Infinity, NaN);
  return f.v128(value.eq(Infinity).select(Infinity, value.gt(0).select(result, rest)));
};

/**
 * log(u)·(x / (u - 1)) with u = 1 + x: the quotient compensates for the rounding of u. (log(u)·x
 * could overflow.)
 */
export const log1p: Function = (f, x) => {
  const value = f.v128(x);
  const u = f.v128(value.add(1));
  const corrected = log(f, u).mul(value.div(u.sub(1)));
  const isPlain = u.eq(1).or(u.eq(Infinity));
  return f.v128(isPlain.select(value, corrected));
};

/**
 * Coefficients with the least relative error up to 9; with float rounding, errors reach 6 units in
 * the last place.
 */
const TANH_TOP = [1.3419786e-8, 2.06612344e-5, 3.49899424e-3, 0.13383979, 1];
const TANH_BOTTOM = [7.8047139e-7, 3.29103544e-4, 2.58901993e-2, 0.467173, 1];

/** @param end - From here on the nearest float to the result is ±1; rounding could exceed it. */
function rational(
  f: FunctionBuilder,
  x: V128,
  top: readonly number[],
  bottom: readonly number[],
  end: number,
): V128 {
  const value = f.v128(x);
  const clamped = f.v128(value.atMost(end).atLeast(-end));
  const square = f.v128(clamped.mul(clamped));
  const inner = clamped.mul(polynomial(f, square, top)).div(polynomial(f, square, bottom));
  const one = value.and(v128(-0)).or(v128(1));
  return f.v128(value.abs().gt(end).select(one, inner.atMost(1).atLeast(-1)));
}

export const tanh: Function = (f, x) => rational(f, x, TANH_TOP, TANH_BOTTOM, 9);

const ERF_TOP = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5,
  -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2,
]; // prettier-ignore
const ERF_BOTTOM = [
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3,
  -1.42647390514189e-2,
]; // prettier-ignore

export const erf: Function = (f, x) => rational(f, x, ERF_TOP, ERF_BOTTOM, 3.92);

/** 1 / (1 + exp(-x)). */
export const sigmoid: Function = (f, x) => f.v128(v128(1).div(exp(f, x.neg()).add(1)));
