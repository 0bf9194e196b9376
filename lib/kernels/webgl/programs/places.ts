/** Maxima of windows with their indices, and the inverse; for volumes `(N, D, H, W, C)`. */
import { eachRow, type ProgramSource } from "../program.js";

const AXES = ["D", "H", "W"] as const;
const named = (...names: string[]): string[] =>
  names.flatMap((name) => AXES.map((axis) => `${name}${axis}`));

/** The position of output row `p` in each axis, and the volume it belongs to. */
const PLACE = `
    int line = p / outW;
    int ow = p - line * outW;
    int slab = line / outH;
    int oh = line - slab * outH;
    int n = slab / outD;
    int od = slab - n * outD;`;

/** Beginning, end and step of a sliding window along an axis. */
const sliding = (axis: string, o: string): string =>
  `int from${axis} = ${o} * stride${axis} - pad${axis};
    int to${axis} = min(from${axis} + (kernel${axis} - 1) * step${axis} + 1, in${axis});
    if (from${axis} < 0) from${axis} += (-from${axis} + step${axis} - 1) / step${axis} * step${axis};`;

/** Beginning, end and step of a window of PyTorch's adaptive pooling. */
const adaptive = (axis: string, o: string): string =>
  `int from${axis} = ${o} * in${axis} / out${axis};
    int to${axis} = ((${o} + 1) * in${axis} + out${axis} - 1) / out${axis};`;

/**
 * For each window the maximum, or its index in the volume: of equal ones the first, of NaN the
 * last.
 */
export function largestProgram(
  wants: "values" | "indices",
  { isAdaptive, masked }: { isAdaptive: boolean; masked: boolean },
): ProgramSource {
  const window = isAdaptive ? adaptive : sliding;
  return {
    tensors: ["x"],
    ints: [...named("in", "out", "step"), ...(isAdaptive ? [] : named("kernel", "stride", "pad"))],
    masked,
    body: eachRow(
      (r) => `
  {
    int p = min(row + ${r}, outRows - 1);${PLACE}
    ${window("D", "od")}
    ${window("H", "oh")}
    ${window("W", "ow")}
    vec4 best = vec4(-1.0 / 0.0);
    vec4 index_ = vec4((fromD * inH + fromH) * inW + fromW);
    for (int d = fromD; d < toD; d += stepD)
      for (int h = fromH; h < toH; h += stepH)
        for (int w = fromW; w < toW; w += stepW) {
          int q = (d * inH + h) * inW + w;
          vec4 v = at(x, n * inD * inH * inW + q, group);
          bvec4 isNan = isnan(v);
          bvec4 wins = greaterThan(v, best);
          wins = bvec4(
            ${"xyzw"
              .split("")
              .map((c) => `isNan.${c} || (wins.${c} && !isnan(best.${c}))`)
              .join(", ")});
          best = mix(best, v, wins);
          index_ = mix(index_, vec4(q), wins);
        }
    y[${r}] = ${wants === "values" ? "best" : "index_"};
  }`,
    ),
  };
}

/**
 * The inverse of pooling: writes values to the indices that came with them, which are positions in
 * the volume `pooled`. Only windows that contain a position are searched for it; of two values for
 * one position the later counts.
 */
export function unpoolProgram(masked: boolean): ProgramSource {
  const windows = AXES.map(
    (axis) =>
      `int from${axis} = max((at${axis} + pad${axis} - kernel${axis} + stride${axis}) / stride${axis}, 0);
    int to${axis} = min((at${axis} + pad${axis}) / stride${axis} + 1, in${axis});`,
  );
  return {
    tensors: ["x", "indices"],
    ints: [...named("in", "kernel", "stride", "pad"), "pooledH", "pooledW", "volume"],
    masked,
    body: eachRow(
      (r) => `
  {
    int p = min(row + ${r}, outRows - 1);
    int n = p / volume;
    int place_ = p - n * volume;
    int line = place_ / pooledW;
    int atW = place_ - line * pooledW;
    int atD = line / pooledH;
    int atH = line - atD * pooledH;
    ${windows.join("\n    ")}
    y[${r}] = vec4(0);
    for (int d = fromD; d < toD; d++)
      for (int h = fromH; h < toH; h++)
        for (int w = fromW; w < toW; w++) {
          int q = ((n * inD + d) * inH + h) * inW + w;
          y[${r}] = mix(y[${r}], at(x, q, group), equal(at(indices, q, group), vec4(place_)));
        }
  }`,
    ),
  };
}
