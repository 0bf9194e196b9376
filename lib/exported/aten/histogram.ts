/** Histograms of values, of points and of integers, computed in JavaScript. */
import * as tf from "@tensorflow/tfjs-core";
import { listText } from "../../functional/check.js";
import { op } from "../../functional/op.js";
import { defineOps } from "./support/define.js";
import { INT, toKind } from "./support/dtype.js";
import { extentOf, numberText, valuesOf } from "./support/host.js";

type Weight = tf.Tensor | null;

/** Refuses an invalid number of bins. */
function checkBins(bins: number, dim: number): void {
  if (bins > 0) return;
  throw new RangeError(`torch.histogram(): bins must be > 0, but got ${bins} for dimension ${dim}`);
}

/** Refuses a range that cannot be divided into bins: NaN, infinite, or reversed. */
function checkRange(low: number, high: number, dim: number): void {
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new RangeError(
      `torch.histogramdd: dimension ${dim}'s range [${numberText(low)}, ${numberText(high)}] is not finite`,
    );
  }
  if (low <= high) return;
  throw new RangeError(
    `torch.histogramdd: min should not exceed max, but got min ${low} max ${high} for dimension ${dim}`,
  );
}

/** Refuses bin edges that are not increasing. */
function checkEdges(edges: tf.Tensor, dim: number): void {
  if (edges.rank !== 1) {
    throw new RangeError(
      "torch.histogramdd: bins tensor should have one dimension, " +
        `but got ${edges.rank} dimensions in the bins tensor for dimension ${dim}`,
    );
  }
  if (edges.size === 0) {
    throw new RangeError(
      "torch.histogramdd: bins tensor should have at least 1 element, " +
        `but got 0 elements in the bins tensor for dimension ${dim}`,
    );
  }
  checkBins(edges.size - 1, dim);
}

/** Refuses weights unless there is one for each point. */
function checkWeight(weight: Weight, points: readonly number[]): void {
  if (weight === null || String(weight.shape) === String(points.slice(0, -1))) return;
  throw new RangeError(
    "torch.histogramdd: if weight tensor is provided it should have the same shape as the input " +
      `tensor excluding its innermost dimension, but got input with shape ${listText(points)} ` +
      `and weight with shape ${listText(weight.shape)}`,
  );
}

/** Counts values in bins with the given edges; `place` returns the bin of a value, if any. */
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

/** The counts of bins of equal width, and their edges. */
const histogram = /* @__PURE__ */ op(
  "histogram",
  (
    self: tf.Tensor,
    bins: number,
    range: readonly number[] | null,
    weight: Weight,
    density: boolean,
  ): tf.Tensor[] => {
    checkBins(bins, 0);
    checkWeight(weight && tf.reshape(weight, [-1]), [self.size, 1]);
    const values = valuesOf(self);
    let [low, high] = range ?? extentOf(values);
    if (self.size === 0 && range === null) [low, high] = [0, 1];
    checkRange(low!, high!, 0);
    [low, high] = apart(low!, high!);
    const edges = dividing(low, high, bins);
    const width = (high - low) / bins;
    return counted(self, edges, (value) => Math.floor((value - low) / width), weight, density);
  },
);

/** The counts of bins with the given edges, in ascending order. */
const histogramOf = /* @__PURE__ */ op(
  "histogram_bins",
  (self: tf.Tensor, bins: tf.Tensor, weight: Weight, density: boolean): tf.Tensor[] => {
    checkEdges(bins, 0);
    checkWeight(weight && tf.reshape(weight, [-1]), [self.size, 1]);
    const edges = valuesOf(bins);
    const place = (value: number): number => edges.findLastIndex((edge) => edge <= value);
    return counted(self, edges, place, weight, density);
  },
);

/** Widens a range that has no width. */
const apart = (low: number, high: number): [low: number, high: number] =>
  low === high ? [low - 0.5, high + 0.5] : [low, high];

/** The edges of bins of equal width. */
const dividing = (low: number, high: number, bins: number): number[] =>
  Array.from({ length: bins + 1 }, (_, i) => low + i * ((high - low) / bins));

/** The edges in float32, with which values are compared. */
const edgesOf = (low: number, high: number, bins: number): number[] =>
  dividing(...apart(low, high), bins).map(Math.fround);

/** Counts points `(N, D)` in boxes; returns also the edges along each dimension. */
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
    if (bins.length !== d) {
      throw new RangeError(
        "histogramdd: The size of bins must be equal to the innermost dimension of the input.",
      );
    }
    if (range !== null && range.length !== 2 * d) {
      throw new RangeError(
        `torch.histogramdd: for a ${d}-dimensional histogram range should have ${2 * d} elements, but got ${range.length}`,
      );
    }
    checkWeight(weight, self.shape);
    const points = valuesOf(self);
    const count = d === 0 ? 0 : points.length / d;
    const weights = weight && valuesOf(weight);
    const edges = Array.from({ length: d }, (_, k) => {
      const bin = bins[k]!;
      if (typeof bin !== "number") {
        checkEdges(bin, k);
        return [...valuesOf(bin)];
      }
      checkBins(bin, k);
      const along = Array.from({ length: count }, (_row, i) => points[i * d + k]!);
      const given = range && ([range[2 * k]!, range[2 * k + 1]!] as const);
      const [low, high] = given ?? (count === 0 ? [0, 1] : extentOf(along));
      checkRange(low, high, k);
      return edgesOf(low, high, bin);
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

const bincount = /* @__PURE__ */ op(
  "bincount",
  (self: tf.Tensor, weights: tf.Tensor | null, minlength: number): tf.Tensor => {
    const values = Array.from(valuesOf(self));
    if (minlength < 0) throw new RangeError("minlength should be >= 0");
    if (self.size > 0 && (self.rank !== 1 || values.some((value) => value < 0))) {
      throw new RangeError("bincount only supports 1-d non-negative integral inputs.");
    }
    if (weights !== null && (weights.rank !== 1 || weights.size !== self.size)) {
      throw new RangeError("weights should be 1-d and have the same length as input");
    }
    const length = values.reduce((a, b) => Math.max(a, b + 1), minlength);
    const counts = new Float32Array(length);
    const given = weights === null ? null : valuesOf(weights);
    values.forEach((value, i) => (counts[value]! += given === null ? 1 : given[i]!));
    return given === null ? toKind(tf.tensor1d(counts), INT) : tf.tensor1d(counts);
  },
);

const histc = /* @__PURE__ */ op(
  "histc",
  (self: tf.Tensor, bins: number, min: number, max: number): tf.Tensor => {
    checkBins(bins, 0);
    const values = valuesOf(self);
    let [low, high] = min === max && values.length > 0 ? extentOf(values) : [min, max];
    if (!Number.isFinite(low) || !Number.isFinite(high)) {
      const range = [low, high].map(numberText).join(", ");
      throw new RangeError(`torch.histc: range of [${range}] is not finite`);
    }
    if (low > high) throw new RangeError("torch.histc: max must be larger than min");
    if (low === high) [low, high] = [low - 1, high + 1];
    const counts = new Float32Array(bins);
    values.forEach((value) => {
      if (value >= low && value <= high)
        counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]! += 1;
    });
    return tf.tensor1d(counts);
  },
);

export const histogramOps = defineOps({
  "bincount(self, weights, minlength)": (
    self: tf.Tensor,
    weights: tf.Tensor | null = null,
    minlength = 0,
  ) => bincount(self, weights, minlength),
  "histc(self, bins, min, max)": (self: tf.Tensor, bins = 100, min = 0, max = 0) =>
    histc(self, bins, min, max),
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
