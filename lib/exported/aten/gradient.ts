import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { valuesOf } from "./support/host.js";
import { around, dimOf } from "./support/shape.js";

type Spacing = tf.Tensor | number;

/** The positions and weights of the values from which the slope at some position is computed. */
type Stencil = readonly (readonly [place: number, weight: number])[];

/**
 * At the ends one-sided differences of first or second order; inside, differences to both sides.
 * `x`: the coordinates.
 */
function stencilOf(x: (i: number) => number, i: number, n: number, edgeOrder: number): Stencil {
  if (i > 0 && i < n - 1) {
    const [a, b] = [x(i) - x(i - 1), x(i + 1) - x(i)];
    return [
      [i - 1, -b / (a * (a + b))],
      [i, (b - a) / (a * b)],
      [i + 1, a / (b * (a + b))],
    ];
  }
  const step = i === 0 ? 1 : -1;
  const a = x(i + step) - x(i);
  if (edgeOrder === 1) return [[i, -1 / a], [i + step, 1 / a]]; // prettier-ignore
  const b = x(i + 2 * step) - x(i + step);
  return [
    [i, -(2 * a + b) / (a * (a + b))],
    [i + step, (a + b) / (a * b)],
    [i + 2 * step, -a / (b * (a + b))],
  ];
}

const slopes = /* @__PURE__ */ op(
  "gradient",
  (self: tf.Tensor, dim: number, spacing: Spacing, edgeOrder: number): tf.Tensor => {
    const [before, n, behind] = around(self, dim);
    const values = valuesOf(toFloat(self));
    const places = spacing instanceof tf.Tensor ? valuesOf(spacing) : null;
    const x = (i: number): number => (places === null ? i * (spacing as number) : places[i]!);
    const stencils = Array.from({ length: n }, (_, i) => stencilOf(x, i, n, edgeOrder));
    const result = new Float32Array(self.size);
    for (let i = 0; i < before * behind; i += 1) {
      const start = Math.floor(i / behind) * n * behind + (i % behind);
      stencils.forEach((stencil, k) => {
        let sum = 0;
        for (const [place, weight] of stencil) sum += weight * values[start + place * behind]!;
        result[start + k * behind] = sum;
      });
    }
    return tf.tensor(result, self.shape);
  },
);

function gradient(
  self: tf.Tensor,
  spacing: Spacing | readonly Spacing[] | null = 1,
  dim: number | readonly number[] | null = null,
  edgeOrder = 1,
): tf.Tensor[] {
  const dims = dim === null ? self.shape.map((_, i) => i) : [dim].flat();
  return dims.map((at, i) => {
    const own = Array.isArray(spacing) ? (spacing as Spacing[])[i]! : (spacing as Spacing | null);
    return slopes(self, dimOf("gradient", self, at), own ?? 1, edgeOrder);
  });
}

export const gradientOps = defineOps({
  "gradient.scalarint|gradient.scalararray|gradient.scalarrayint|gradient.scalarrayarray|gradient.tensorarrayint|gradient.tensorarray(self, spacing, dim, edge_order)":
    gradient,
  "gradient.array(self, dim, edge_order)": (
    self: tf.Tensor,
    dim: readonly number[],
    edgeOrder?: number,
  ) => gradient(self, 1, dim, edgeOrder),
});
