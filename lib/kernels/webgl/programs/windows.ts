import { eachRow, type ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";

/**
 * Rebuilds a tensor along one axis: each output is a sum, or the maximum, of some inputs. This
 * resamples, pads, repeats, gathers and pools, one axis after the other.
 *
 * The table has one texel for each of the `taps` of each output position: the input position, a
 * factor and a summand; with a factor of 0 nothing is read. Rows are `(outer, position, inner)`.
 */
export function windowsProgram(kind: "sum" | "max", masked: boolean): ProgramSource {
  const isMax = kind === "max";
  const add = (r: number): string =>
    isMax
      ? `y[${r}] = most(at(x, q, group), y[${r}]);`
      : `y[${r}] += t.y == 0.0 ? vec4(t.z) : t.y * at(x, q, group) + t.z;`;
  return {
    tensors: ["x"],
    weights: ["table"],
    ints: ["size", "count", "inner", "taps"],
    head: HELPERS,
    masked,
    body: eachRow(
      (r) => `
  {
    int p = min(row + ${r}, outRows - 1);
    int line = p / inner;
    int outer = line / count;
    int from = (line - outer * count) * taps;
    int rest = p - line * inner;
    y[${r}] = vec4(${isMax ? "-1.0 / 0.0" : "0"});
    for (int k = 0; k < taps; k++) {
      vec4 t = weight(table, from + k);
      int q = (outer * size + int(t.x)) * inner + rest;
      ${add(r)}
    }
  }`,
    ),
  };
}
