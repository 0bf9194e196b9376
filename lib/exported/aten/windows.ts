/** Window functions for spectra. */
import * as tf from "@tensorflow/tfjs-core";
import { type Body, defineOps } from "./support/define.js";
import { scaledBesselI } from "./support/special.js";

/** @param at the value at a position from -1 (the first) to 1 (the last of `length`). */
function windowOf(length: number, periodic: boolean, at: (place: number) => number): tf.Tensor {
  const last = periodic ? length : length - 1;
  const values = Array.from({ length }, (_, i) => (length === 1 ? 1 : at((2 * i) / last - 1)));
  return tf.tensor1d(values);
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

const WINDOWS = {
  hann: /* @__PURE__ */ cosines([0.5, 0.5]),
  hamming: /* @__PURE__ */ cosines([0.54, 0.46]),
  blackman: /* @__PURE__ */ cosines([0.42, 0.5, 0.08]),
  bartlett: (place: number): number => 1 - Math.abs(place),
  kaiser: /* @__PURE__ */ kaiser(12),
};

const plainWindows = Object.entries(WINDOWS).flatMap(([name, at]): [string, Body][] => [
  [`${name}_window(window_length, dtype)`, (length: number) => windowOf(length, true, at)],
  [
    `${name}_window.periodic(window_length, periodic, dtype)`,
    (length: number, periodic: boolean) => windowOf(length, periodic, at),
  ],
]);

export const windowOps = defineOps({
  ...Object.fromEntries(plainWindows),
  "hamming_window.periodic_alpha(window_length, periodic, alpha, dtype)": (
    length: number,
    periodic: boolean,
    alpha: number,
  ) => windowOf(length, periodic, cosines([alpha, 0.46])),
  "hamming_window.periodic_alpha_beta(window_length, periodic, alpha, beta, dtype)": (
    length: number,
    periodic: boolean,
    alpha: number,
    beta: number,
  ) => windowOf(length, periodic, cosines([alpha, beta])),
  "kaiser_window.beta(window_length, periodic, beta, dtype)": (
    length: number,
    periodic: boolean,
    beta: number,
  ) => windowOf(length, periodic, kaiser(beta)),
});
