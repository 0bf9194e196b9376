/** Windows for spectra. */
import * as tf from "@tensorflow/tfjs-core";
import { defineOps } from "./support/define.js";
import { withDtype } from "./support/dtype.js";
import { scaledBesselI } from "./support/special.js";

/** @param at what stands at a place, given from -1 at the first to 1 at the last of `length`. */
function windowOf(
  length: number,
  periodic: boolean,
  at: (place: number) => number,
  dtype: unknown,
): tf.Tensor {
  const last = periodic ? length : length - 1;
  const values = Array.from({ length }, (_, i) => (length === 1 ? 1 : at((2 * i) / last - 1)));
  return withDtype(tf.tensor1d(values), dtype);
}

/** `Σ aₖ cos(πkt)`, which is `Σ (-1)ᵏ aₖ cos(2πkn / N)`. */
const cosines =
  (terms: readonly number[]) =>
  (place: number): number =>
    terms.reduce((sum, a, k) => sum + a * Math.cos(Math.PI * k * place), 0);

/** `I₀(β √(1 - t²)) / I₀(β)`. */
const kaiser =
  (beta: number) =>
  (place: number): number => {
    const inside = beta * Math.sqrt(Math.max(0, 1 - place * place));
    const scale = Math.exp(inside - Math.abs(beta));
    return (scaledBesselI(0, inside) * scale) / scaledBesselI(0, beta);
  };

const bartlett = (place: number): number => 1 - Math.abs(place);

const window =
  (at: (place: number) => number) =>
  (length: number, dtype?: unknown): tf.Tensor =>
    windowOf(length, true, at, dtype);

const periodicWindow =
  (at: (place: number) => number) =>
  (length: number, periodic: boolean, dtype?: unknown): tf.Tensor =>
    windowOf(length, periodic, at, dtype);

const HANN = /* @__PURE__ */ cosines([0.5, 0.5]);
const HAMMING = /* @__PURE__ */ cosines([0.54, 0.46]);
const BLACKMAN = /* @__PURE__ */ cosines([0.42, 0.5, 0.08]);
const KAISER = /* @__PURE__ */ kaiser(12);

export const windowOps = defineOps({
  "hann_window(window_length, dtype)": window(HANN),
  "hann_window.periodic(window_length, periodic, dtype)": periodicWindow(HANN),
  "hamming_window(window_length, dtype)": window(HAMMING),
  "hamming_window.periodic(window_length, periodic, dtype)": periodicWindow(HAMMING),
  "hamming_window.periodic_alpha(window_length, periodic, alpha, dtype)": (
    length: number,
    periodic: boolean,
    alpha: number,
    dtype?: unknown,
  ) => windowOf(length, periodic, cosines([alpha, 0.46]), dtype),
  "hamming_window.periodic_alpha_beta(window_length, periodic, alpha, beta, dtype)": (
    length: number,
    periodic: boolean,
    alpha: number,
    beta: number,
    dtype?: unknown,
  ) => windowOf(length, periodic, cosines([alpha, beta]), dtype),
  "blackman_window(window_length, dtype)": window(BLACKMAN),
  "blackman_window.periodic(window_length, periodic, dtype)": periodicWindow(BLACKMAN),
  "bartlett_window(window_length, dtype)": window(bartlett),
  "bartlett_window.periodic(window_length, periodic, dtype)": periodicWindow(bartlett),
  "kaiser_window(window_length, dtype)": window(KAISER),
  "kaiser_window.periodic(window_length, periodic, dtype)": periodicWindow(KAISER),
  "kaiser_window.beta(window_length, periodic, beta, dtype)": (
    length: number,
    periodic: boolean,
    beta: number,
    dtype?: unknown,
  ) => windowOf(length, periodic, kaiser(beta), dtype),
});
