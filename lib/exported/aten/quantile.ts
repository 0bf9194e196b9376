import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { numberText, valuesOf } from "./support/host.js";
import { around, dimOf, resized } from "./support/shape.js";

/** Rounds to the nearest integer, ties to even. */
function nearest(x: number): number {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x);
}

/** The indices that a quantile is between, and the weight of the second. */
function placeOf(at: number, how: string): [low: number, high: number, weight: number] {
  if (how === "lower") return [Math.floor(at), Math.floor(at), 0];
  if (how === "higher") return [Math.ceil(at), Math.ceil(at), 0];
  if (how === "nearest") return [nearest(at), nearest(at), 0];
  const weight = how === "midpoint" && at % 1 !== 0 ? 0.5 : at % 1;
  return [Math.floor(at), Math.ceil(at), weight];
}

function quantileOf(numbers: Float32Array, q: number, how: string): number {
  if (numbers.length === 0) return NaN;
  const [low, high, weight] = placeOf(Math.fround(Math.fround(q) * (numbers.length - 1)), how);
  const [a, b] = [numbers[low]!, numbers[high]!];
  return weight < 0.5 ? a + weight * (b - a) : b - (b - a) * (1 - weight);
}

const isQuantile = (one: number): boolean => one >= 0 && one <= 1;

/** Shapes: `(…, n, …)` and quantiles `(q)` → `(q, …, 1, …)`. */
const quantiles = /* @__PURE__ */ op(
  "quantile",
  (self: tf.Tensor, q: tf.Tensor, dim: number, how: string, ignoresNaN: boolean): tf.Tensor => {
    const [before, size, behind] = around(self, dim);
    const [values, wanted] = [valuesOf(toFloat(self)), valuesOf(q)];
    if (!wanted.every(isQuantile)) {
      throw new RangeError("quantile() q values must be in the range [0, 1]");
    }
    const result = new Float32Array(wanted.length * before * behind);
    for (let i = 0; i < before * behind; i += 1) {
      const start = Math.floor(i / behind) * size * behind + (i % behind);
      const row = Float32Array.from({ length: size }, (_, k) => values[start + k * behind]!);
      const numbers = row.filter((value) => !Number.isNaN(value)).sort();
      const isKnown = ignoresNaN || numbers.length === size;
      wanted.forEach((one: number, k: number) => {
        result[k * before * behind + i] = isKnown ? quantileOf(numbers, one, how) : NaN;
      });
    }
    return tf.tensor(result, [wanted.length, ...resized(self, dim, 1)]);
  },
);

const INTERPOLATIONS = ["linear", "lower", "higher", "midpoint", "nearest"];

function checkQuantiles(self: tf.Tensor, q: tf.Tensor | number, how: string): void {
  if (self.size === 0) throw new RangeError("quantile() input tensor must be non-empty");
  if (!INTERPOLATIONS.includes(how)) {
    throw new TypeError(
      "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, " +
        `but got ${how}`,
    );
  }
  if (typeof q === "number" && !isQuantile(q)) {
    throw new RangeError(`quantile() q must be in the range [0, 1] but got ${numberText(q)}`);
  }
}

const quantile =
  (ignoresNaN: boolean) =>
  (
    self: tf.Tensor,
    given: tf.Tensor | number,
    dim: number | null = null,
    keepdim = false,
    interpolation = "linear",
  ): tf.Tensor => {
    checkQuantiles(self, given, interpolation);
    const q = given instanceof tf.Tensor ? given : tf.scalar(given);
    const isScalar = self.rank === 0 && dim !== null;
    const x = dim === null || isScalar ? tf.reshape(self, [-1]) : self;
    const at = dim === null || isScalar ? 0 : dimOf("quantile", self, dim);
    const found = quantiles(x, tf.reshape(q, [-1]), at, interpolation, ignoresNaN);
    const kept = dim === null ? self.shape.map(() => 1) : resized(self, at, 1);
    const shape = keepdim ? kept : dim === null ? [] : kept.filter((_, i) => i !== at);
    return tf.reshape(found, [...q.shape, ...shape]);
  };

export const quantileOps = defineOps({
  "quantile|quantile.scalar(self, q, dim, keepdim, interpolation)": quantile(false),
  "nanquantile|nanquantile.scalar(self, q, dim, keepdim, interpolation)": quantile(true),
});
