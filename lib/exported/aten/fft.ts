import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { both, type Complex, complexOf, isComplex, pairToComplex } from "./support/complex.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { concatAxis, dimOf, permuteAxes, resized, sliceAxis } from "./support/shape.js";
import { roll } from "./shape.js";

type Given = tf.Tensor | Complex;
type Sizes = readonly number[];
type Norm = string | null;

/** `cos` and `± sin` of `2π jk / n` for the first `count` frequencies. */
function waves(n: number, count: number, sign: 1 | -1 = 1): [tf.Tensor2D, tf.Tensor2D] {
  const [cos, sin] = [new Float32Array(n * count), new Float32Array(n * count)];
  for (let j = 0; j < n; j += 1) {
    for (let k = 0; k < count; k += 1) {
      const angle = (2 * Math.PI * ((j * k) % n)) / n;
      cos[j * count + k] = Math.cos(angle);
      // Exactly 0 instead of a rounded value or -0, for which the angle of a real number would be
      // -π.
      if ((2 * j * k) % n !== 0) sin[j * count + k] = sign * Math.sin(angle);
    }
  }
  return [tf.tensor2d(cos, [n, count]), tf.tensor2d(sin, [n, count])];
}

const times = (x: tf.Tensor, w: tf.Tensor2D): tf.Tensor => tf.matMul(x, w);

/** The tensor as rows along one dimension, and the inverse operation. */
function toRows(x: tf.Tensor, at: number): { rows: tf.Tensor; back: (y: tf.Tensor) => tf.Tensor } {
  const order = [...x.shape.map((_, i) => i).filter((i) => i !== at), at];
  const moved = permuteAxes(x, order);
  const back = (y: tf.Tensor): tf.Tensor => {
    const shaped = tf.reshape(y, [...moved.shape.slice(0, -1), y.shape.at(-1)!]);
    return permuteAxes(shaped, x.shape.map((_, i) => (i < at ? i : i === at ? x.rank - 1 : i - 1))); // prettier-ignore
  };
  return { rows: tf.reshape(moved, [-1, x.shape[at]!]), back };
}

/** Cuts a dimension to a length, or pads it with zeros. */
function fit(x: tf.Tensor, at: number, n: number): tf.Tensor {
  const size = x.shape[at]!;
  if (size >= n) return sliceAxis(x, at, 0, n);
  return concatAxis([x, tf.zeros(resized(x, at, n - size))], at);
}

/** The factor of a transform of n points: 1 for mode 0, 1/√n for mode 1, 1/n for mode 2. */
const factorOf = (normalization: number, n: number): number =>
  normalization === 0 ? 1 : normalization === 1 ? 1 / Math.sqrt(n) : 1 / n;

/**
 * The discrete Fourier transform along one dimension, as a product with a matrix of sines and
 * cosines: this works on every backend, is exact for any length, and fast for the lengths of audio
 * frames.
 */
const transform = /* @__PURE__ */ op(
  "fft",
  (
    re: tf.Tensor,
    im: tf.Tensor | null,
    at: number,
    forward: boolean,
    count: number,
    factor: number,
  ): tf.Tensor[] => {
    const n = re.shape[at]!;
    const [cos, sin] = waves(n, count, forward ? -1 : 1);
    const x = toRows(re, at);
    let [real, imag] = [times(x.rows, cos), times(x.rows, sin)];
    if (im !== null) {
      const y = toRows(im, at).rows;
      real = tf.sub(real, times(y, sin));
      imag = tf.add(imag, times(y, cos));
    }
    const scaled = (part: tf.Tensor): tf.Tensor =>
      x.back(factor === 1 ? part : tf.mul(part, factor));
    return [scaled(real), scaled(imag)];
  },
);

function c2c(z: Complex, at: number, forward: boolean, factor: number): Complex {
  const n = z.re.shape[at]!;
  const [re, im] = transform(z.re, z.im, at, forward, n, factor) as [tf.Tensor, tf.Tensor];
  return { re, im };
}

function r2c(x: tf.Tensor, at: number, onesided: boolean, factor: number, forward = true): Complex {
  const n = x.shape[at]!;
  const count = onesided ? Math.floor(n / 2) + 1 : n;
  const [re, im] = transform(x, null, at, forward, count, factor) as [tf.Tensor, tf.Tensor];
  return { re, im };
}

/** The real signal of n points with this half of a spectrum. */
function c2r(z: Complex, at: number, n: number, factor: number): tf.Tensor {
  const half = Math.floor(n / 2) + 1;
  const { re, im } = both(z, (x) => fit(x, at, half));
  // The missing half is the conjugate of this one: inner frequencies count twice.
  const weights = Float32Array.from({ length: half }, (_, k) => (k === 0 || 2 * k === n ? 1 : 2));
  const [cos, sin] = waves(n, half);
  const scale = (w: tf.Tensor2D): tf.Tensor2D =>
    tf.transpose(tf.mul(w, tf.tensor2d(weights, [1, half])));
  const x = toRows(re, at);
  const y = toRows(im, at);
  const signal = tf.sub(times(x.rows, scale(cos)), times(y.rows, scale(sin)));
  return x.back(factor === 1 ? signal : tf.mul(signal, factor));
}

/** torch.fft's `norm`, which tells where to divide. */
function normFactor(norm: Norm, n: number, forward: boolean): number {
  if (norm === "ortho") return 1 / Math.sqrt(n);
  return (norm === "forward") === forward ? 1 / n : 1;
}

const shapeOf = (x: Given): number[] => (isComplex(x) ? x.re : x).shape;
const rankOne = (x: Given): tf.Tensor => (isComplex(x) ? x.re : x);

function fft(self: Given, n: number | null, dim: number, norm: Norm, forward: boolean): Complex {
  const at = dimOf("fft", rankOne(self), dim);
  const length = n ?? shapeOf(self)[at]!;
  const factor = normFactor(norm, length, forward);
  if (!isComplex(self)) return r2c(fit(toFloat(self), at, length), at, false, factor, forward);
  return c2c(
    both(self, (x) => fit(x, at, length)),
    at,
    forward,
    factor,
  );
}

function rfft(self: tf.Tensor, n: number | null = null, dim = -1, norm: Norm = null): Complex {
  const at = dimOf("rfft", self, dim);
  const length = n ?? self.shape[at]!;
  return r2c(fit(toFloat(self), at, length), at, true, normFactor(norm, length, true));
}

function irfft(self: Given, n: number | null = null, dim = -1, norm: Norm = null): tf.Tensor {
  const z = complexOf(self);
  const at = dimOf("irfft", z.re, dim);
  const length = n ?? 2 * (z.re.shape[at]! - 1);
  return c2r(z, at, length, normFactor(norm, length, false));
}

const conj = (z: Given): Given => (isComplex(z) ? { re: z.re, im: tf.neg(z.im) } : z);

/**
 * The transform of a signal of which half is given, and whose spectrum is real: irfft of the
 * conjugate, with the opposite scaling.
 */
function hfft(self: Given, n: number | null = null, dim = -1, norm: Norm = null): tf.Tensor {
  const z = conj(complexOf(self)) as Complex;
  const at = dimOf("hfft", z.re, dim);
  const length = n ?? 2 * (z.re.shape[at]! - 1);
  return c2r(z, at, length, normFactor(norm, length, true));
}

function ihfft(self: tf.Tensor, n: number | null = null, dim = -1, norm: Norm = null): Complex {
  const at = dimOf("ihfft", self, dim);
  const length = n ?? self.shape[at]!;
  return conj(
    r2c(fit(toFloat(self), at, length), at, true, normFactor(norm, length, false)),
  ) as Complex;
}

/** The dimensions of a transform over several, and their lengths. */
function readDims(
  self: Given,
  s: Sizes | null,
  dim: Sizes | null,
): { dims: number[]; sizes: number[] } {
  const shape = shapeOf(self);
  const list =
    dim ?? (s === null ? shape.map((_, i) => i) : s.map((_, i) => shape.length - s.length + i));
  const dims = list.map((one) => (one < 0 ? one + shape.length : one));
  const sizes = dims.map((at, i) => (s === null || s[i] === -1 ? shape[at]! : s[i]!));
  return { dims, sizes };
}

/** A transform over several dimensions, by default all. */
type Many<X, Y> = (self: X, s?: Sizes | null, dim?: Sizes | null, norm?: Norm) => Y;

const complexToComplex =
  (forward: boolean): Many<Given, Complex> =>
  (self, s = null, dim = null, norm = null) => {
    const { dims, sizes } = readDims(self, s, dim);
    return dims.reduce<Complex>(
      (z, at, i) => fft(z, sizes[i]!, at, norm, forward),
      complexOf(self),
    );
  };

/** Transforms the last dimension by a function that halves it, then the others. */
const halving =
  (first: typeof rfft, forward: boolean): Many<tf.Tensor, Complex> =>
  (self, s = null, dim = null, norm = null) => {
    const { dims, sizes } = readDims(self, s, dim);
    const half = first(self, sizes.pop(), dims.pop(), norm);
    return dims.reduce<Complex>((z, at, i) => fft(z, sizes[i]!, at, norm, forward), half);
  };

/** Transforms the last dimension, of which half is given, after the others. */
const doubling =
  (last: typeof irfft, forward: boolean): Many<Given, tf.Tensor> =>
  (self, s = null, dim = null, norm = null) => {
    const { dims, sizes } = readDims(self, s, dim);
    const at = dims.pop();
    const length = s !== null && s.at(-1) !== -1 ? s.at(-1)! : null;
    const z = dims.reduce<Complex>(
      (y, other, i) => fft(y, sizes[i]!, other, norm, forward),
      complexOf(self),
    );
    return last(z, length, at, norm);
  };

/** Both overloads of a transform over several dimensions. */
const overloads = <X, Y>(name: string, many: Many<X, Y>) => ({
  [`fft_${name}n(self, s, dim, norm)`]: many,
  [`fft_${name}2(self, s, dim, norm)`]: (
    self: X,
    s?: Sizes | null,
    dim: Sizes = [-2, -1],
    norm?: Norm,
  ) => many(self, s, dim, norm),
});

function shift(self: Given, dim: number | Sizes | null, inverse: boolean): Given {
  const run = (x: tf.Tensor): tf.Tensor => {
    const dims = dim === null ? x.shape.map((_, i) => i) : [dim].flat();
    const by = dims.map((at) => {
      const half = x.shape[dimOf("fftshift", x, at)]! / 2;
      return inverse ? Math.ceil(half) : Math.floor(half);
    });
    return roll(x, by, dims);
  };
  return isComplex(self) ? both(self, run) : run(self);
}

/** The frequencies in cycles per sample distance. */
function frequencies(n: number, d: number, half: boolean): tf.Tensor {
  const count = half ? Math.floor(n / 2) + 1 : n;
  return tf.tensor1d(
    Array.from({ length: count }, (_, i) => (half || i < (n + 1) >> 1 ? i : i - n) / (n * d)),
  );
}

const fftOf =
  (forward: boolean) =>
  (self: Given, n: number | null = null, dim = -1, norm: Norm = null): Complex =>
    fft(self, n, dim, norm, forward);

const sizeAlong = (x: Given, dim: Sizes): number =>
  dim.reduce((n, at) => n * shapeOf(x).at(at)!, 1);

export const fftOps = defineOps({
  "fft_fft(self, n, dim, norm)": fftOf(true),
  "fft_ifft(self, n, dim, norm)": fftOf(false),
  "fft_rfft(self, n, dim, norm)": rfft,
  "fft_irfft(self, n, dim, norm)": irfft,
  "fft_hfft(self, n, dim, norm)": hfft,
  "fft_ihfft(self, n, dim, norm)": ihfft,
  ...overloads("fft", complexToComplex(true)),
  ...overloads("ifft", complexToComplex(false)),
  ...overloads("rfft", halving(rfft, true)),
  ...overloads("irfft", doubling(irfft, false)),
  ...overloads("hfft", doubling(hfft, true)),
  ...overloads("ihfft", halving(ihfft, false)),
  "fft_fftshift(self, dim)": (self: Given, dim: Sizes | null = null) => shift(self, dim, false),
  "fft_ifftshift(self, dim)": (self: Given, dim: Sizes | null = null) => shift(self, dim, true),
  "fft_fftfreq(n, d, dtype)": (n: number, d = 1) => frequencies(n, d, false),
  "fft_rfftfreq(n, d, dtype)": (n: number, d = 1) => frequencies(n, d, true),
  "_fft_r2c(self, dim, normalization, onesided)": (
    self: tf.Tensor,
    dim: Sizes,
    normalization: number,
    onesided: boolean,
  ) => {
    const dims = dim.map((at) => dimOf("_fft_r2c", self, at));
    const half = r2c(self, dims.at(-1)!, onesided, factorOf(normalization, sizeAlong(self, dims)));
    return dims.slice(0, -1).reduce<Complex>((z, at) => c2c(z, at, true, 1), half);
  },
  "_fft_c2c(self, dim, normalization, forward)": (
    self: Given,
    dim: Sizes,
    normalization: number,
    forward: boolean,
  ) => {
    const factor = factorOf(normalization, sizeAlong(self, dim));
    const z = dim.reduce<Complex>(
      (y, at) => c2c(y, dimOf("_fft_c2c", y.re, at), forward, 1),
      complexOf(self),
    );
    return factor === 1 ? z : both(z, (x) => tf.mul(x, factor));
  },
  "_fft_c2r(self, dim, normalization, last_dim_size)": (
    self: Given,
    dim: Sizes,
    normalization: number,
    lastSize: number,
  ) => {
    const z = complexOf(self);
    const dims = dim.map((at) => dimOf("_fft_c2r", z.re, at));
    const whole = dims.slice(0, -1).reduce((n, at) => n * z.re.shape[at]!, lastSize);
    const inner = dims.slice(0, -1).reduce<Complex>((y, at) => c2c(y, at, false, 1), z);
    return c2r(inner, dims.at(-1)!, lastSize, factorOf(normalization, whole));
  },
  "view_as_complex|view_as_complex_copy(self)": pairToComplex,
});

export { c2c, c2r, conj, fit, r2c };
