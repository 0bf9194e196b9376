import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { valuesOf } from "./support/host.js";
import { around, dimOf, resized } from "./support/shape.js";

/** Rounds halves to even. */
function nearest(x: number): number {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x);
}

/** Between which places a quantile lies, and how far from the first. */
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

/** Shapes: `(…, n, …)` and quantiles `(q)` → `(q, …, 1, …)`. */
const quantiles = /* @__PURE__ */ op(
  "quantile",
  (self: tf.Tensor, q: tf.Tensor, dim: number, how: string, ignoresNaN: boolean): tf.Tensor => {
    const [before, size, behind] = around(self, dim);
    const [values, wanted] = [valuesOf(toFloat(self)), valuesOf(q)];
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

const quantile =
  (ignoresNaN: boolean) =>
  (
    self: tf.Tensor,
    given: tf.Tensor | number,
    dim: number | null = null,
    keepdim = false,
    interpolation = "linear",
  ): tf.Tensor => {
    const q = given instanceof tf.Tensor ? given : tf.scalar(given);
    const isScalar = self.rank === 0 && dim !== null;
    const x = dim === null || isScalar ? tf.reshape(self, [-1]) : self;
    const at = dim === null || isScalar ? 0 : dimOf("quantile", self, dim);
    const found = quantiles(x, tf.reshape(q, [-1]), at, interpolation, ignoresNaN);
    const kept = dim === null ? self.shape.map(() => 1) : resized(self, at, 1);
    const shape = keepdim ? kept : dim === null ? [] : kept.filter((_, i) => i !== at);
    return tf.reshape(found, [...q.shape, ...shape]);
  };

type Weight = tf.Tensor | null;

/** Counts in bins whose edges are given; `place` says in which a value is, if it is in any. */
function counted(
  self: tf.Tensor,
  edges: ArrayLike<number>,
  place: (value: number) => number,
  weight: Weight,
  density: boolean,
): tf.Tensor[] {
  const weights = weight && valuesOf(weight);
  const [low, high] = [edges[0]!, edges[edges.length - 1]!];
  const counts = new Float32Array(edges.length - 1);
  valuesOf(self).forEach((value: number, i: number) => {
    if (value >= low && value <= high) {
      counts[Math.min(counts.length - 1, place(value))]! += weights?.[i] ?? 1;
    }
  });
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = counts.map((count, i) => count / (total * (edges[i + 1]! - edges[i]!)));
  return [tf.tensor1d(density ? shares : counts), tf.tensor1d(Float32Array.from(edges))];
}

/** Counts of equally wide bins, and their edges. */
const histogram = /* @__PURE__ */ op(
  "histogram",
  (
    self: tf.Tensor,
    bins: number,
    range: readonly number[] | null,
    weight: Weight,
    density: boolean,
  ): tf.Tensor[] => {
    const values = valuesOf(self);
    let [low, high] = range ?? extentOf(values);
    if (self.size === 0 && range === null) [low, high] = [0, 0];
    [low, high] = apart(low!, high!);
    const edges = dividing(low, high, bins);
    const width = (high - low) / bins;
    return counted(self, edges, (value) => Math.floor((value - low) / width), weight, density);
  },
);

/** Counts of bins whose edges are given, in ascending order. */
const histogramOf = /* @__PURE__ */ op(
  "histogram_bins",
  (self: tf.Tensor, bins: tf.Tensor, weight: Weight, density: boolean): tf.Tensor[] => {
    const edges = valuesOf(bins);
    const place = (value: number): number => edges.findLastIndex((edge) => edge <= value);
    return counted(self, edges, place, weight, density);
  },
);

/** The least and the largest, of more than fit in the arguments of a call. */
function extentOf(values: ArrayLike<number>): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 1) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return [low, high];
}

/** A range that has some width. */
const apart = (low: number, high: number): [low: number, high: number] =>
  low === high ? [low - 0.5, high + 0.5] : [low, high];

/** Edges of equally wide bins. */
const dividing = (low: number, high: number, bins: number): number[] =>
  Array.from({ length: bins + 1 }, (_, i) => low + i * ((high - low) / bins));

/** The same as float32: what is counted is compared with these. */
const edgesOf = (low: number, high: number, bins: number): number[] =>
  dividing(...apart(low, high), bins).map(Math.fround);

/** Counts of points `(N, D)` in boxes, and the edges of these along each dimension. */
const histogramOfPoints = /* @__PURE__ */ op(
  "histogramdd",
  (
    self: tf.Tensor,
    bins: readonly (number | tf.Tensor)[],
    range: readonly number[] | null,
    weight: Weight,
    density: boolean,
  ): tf.Tensor[] => {
    const d = self.shape.at(-1)!;
    const points = valuesOf(self);
    const count = d === 0 ? 0 : points.length / d;
    const weights = weight && valuesOf(weight);
    const edges = Array.from({ length: d }, (_, k) => {
      const bin = bins[k]!;
      if (typeof bin !== "number") return [...valuesOf(bin)];
      if (range !== null) return edgesOf(range[2 * k]!, range[2 * k + 1]!, bin);
      const along = Array.from({ length: count }, (_row, i) => points[i * d + k]!);
      return count === 0 ? edgesOf(0, 1, bin) : edgesOf(...extentOf(along), bin);
    });
    const shape = edges.map(({ length }) => length - 1);
    const counts = new Float32Array(tf.util.sizeFromShape(shape));
    for (let i = 0; i < count; i += 1) {
      let place = 0;
      for (const [k, edge] of edges.entries()) {
        const value = points[i * d + k]!;
        const isInside = value >= edge[0]! && value <= edge.at(-1)!;
        const at = Math.min(
          edge.findLastIndex((one) => one <= value),
          shape[k]! - 1,
        );
        place = isInside && place >= 0 ? place * shape[k]! + at : -1;
      }
      if (place >= 0) counts[place]! += weights?.[i] ?? 1;
    }
    if (density) {
      const total = counts.reduce((sum, one) => sum + one, 0);
      counts.forEach((one, i) => {
        let [rest, size] = [i, total];
        for (const [k, edge] of [...edges.entries()].reverse()) {
          const at = rest % shape[k]!;
          rest = (rest - at) / shape[k]!;
          size *= edge[at + 1]! - edge[at]!;
        }
        counts[i] = one / size;
      });
    }
    return [tf.tensor(counts, shape), ...edges.map((edge) => tf.tensor1d(edge))];
  },
);

const pointsIn =
  (take: (all: tf.Tensor[]) => unknown) =>
  (
    self: tf.Tensor,
    bins: number | readonly (number | tf.Tensor)[],
    range: readonly number[] | null = null,
    weight: Weight = null,
    density = false,
  ): unknown => {
    const x = tf.reshape(self, [-1, self.shape.at(-1)!]);
    const each = typeof bins === "number" ? new Array<number>(x.shape[1]!).fill(bins) : bins;
    const flat = weight && tf.reshape(weight, [-1]);
    return take(histogramOfPoints(x, each, range, flat, density));
  };

export const quantileOps = defineOps({
  "quantile|quantile.scalar(self, q, dim, keepdim, interpolation)": quantile(false),
  "nanquantile|nanquantile.scalar(self, q, dim, keepdim, interpolation)": quantile(true),
  "histogramdd|histogramdd.int_bins|histogramdd.TensorList_bins(self, bins, range, weight, density)":
    pointsIn(([counts, ...edges]) => [counts, edges]),
  "_histogramdd_bin_edges(self, bins, range, weight, density)": pointsIn(([, ...edges]) => edges),
  "_histogramdd_from_bin_cts(self, bins, range, weight, density)": pointsIn(([counts]) => counts),
  "_histogramdd_from_bin_tensors(self, bins, weight, density)": (
    self: tf.Tensor,
    bins: readonly tf.Tensor[],
    weight: Weight = null,
    density = false,
  ) => pointsIn(([counts]) => counts)(self, bins, null, weight, density),
  "histogram.bin_ct(self, bins, range, weight, density)": (
    self: tf.Tensor,
    bins: number,
    range: readonly number[] | null = null,
    weight: Weight = null,
    density = false,
  ) => histogram(self, bins, range, weight, density),
  "histogram.bins_tensor(self, bins, weight, density)": (
    self: tf.Tensor,
    bins: tf.Tensor,
    weight: Weight = null,
    density = false,
  ) => histogramOf(self, bins, weight, density),
});
