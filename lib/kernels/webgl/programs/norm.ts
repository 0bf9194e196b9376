import { eachRow, type ProgramSource } from "../program.js";

/** Sums over a row's channels, ignoring the lanes past the last channel. */
const LANES = `bvec4 past(int texel, int count) {
  return greaterThanEqual(ivec4(0, 1, 2, 3) + (texel << 2), ivec4(count));
}
`;

/** For each row the mean and `1 / √(variance + eps)`; the variance is computed from deviations. */
export function momentsProgram(kind: "layer" | "rms"): ProgramSource {
  const mean = `
    float mean = 0.0;
    for (int k = 0; k < x_width; k++) mean += dot(at(x, row + r, k), vec4(1));
    mean /= float(channels);`;
  return {
    tensors: ["x"],
    ints: ["channels"],
    floats: ["eps"],
    head: LANES,
    even: true,
    body: `
  for (int r = 0; r < 4; r++) {
    ${kind === "layer" ? mean : "float mean = 0.0;"}
    float square = 0.0;
    for (int k = 0; k < x_width; k++) {
      vec4 v = mix(at(x, row + r, k) - mean, vec4(0), past(k, channels));
      square += dot(v, v);
    }
    y[r] = vec4(mean, inversesqrt(square / float(channels) + eps), 0, 0);
  }`,
  };
}

/** `(x - mean) · scale · weight + bias`, with mean and scale from `momentsProgram`. */
export function normalizeProgram(options: {
  weight: boolean;
  bias: boolean;
  masked: boolean;
}): ProgramSource {
  const { weight, bias, masked } = options;
  return {
    tensors: ["x", "moments"],
    weights: [...(weight ? ["w"] : []), ...(bias ? ["b"] : [])],
    even: true,
    masked,
    body: eachRow(
      (r) => `
  {
    vec2 m = at(moments, row + ${r}, 0).xy;
    y[${r}] = (at(x, row + ${r}, group) - m.x) * m.y${weight ? " * weight(w, group)" : ""}${bias ? " + weight(b, group)" : ""};
  }`,
    ),
  };
}

/**
 * For each row the maximum and `1 / Σ exp(x - maximum)`. A row of nothing but -∞ gives NaN, or 0
 * and 0 if `safe`.
 */
export function softmaxMomentsProgram(safe: boolean): ProgramSource {
  // NaN is tested for, because GLSL does not define exp and log of it.
  return {
    tensors: ["x"],
    ints: ["channels"],
    head: LANES,
    even: true,
    body: `
  const float low = -1.0 / 0.0;
  for (int r = 0; r < 4; r++) {
    float top = low;
    bool odd = false;
    for (int k = 0; k < x_width; k++) {
      vec4 v = mix(at(x, row + r, k), vec4(low), past(k, channels));
      top = max(top, max(max(v.x, v.y), max(v.z, v.w)));
      odd = odd || any(isnan(v));
    }
    float sum = 0.0;
    for (int k = 0; k < x_width; k++) {
      vec4 v = at(x, row + r, k) - top;
      sum += dot(mix(mix(exp(v), v, isnan(v)), vec4(0), past(k, channels)), vec4(1));
    }
    y[r] = ${safe ? "top == low && !odd ? vec4(0) : " : ""}vec4(top, 1.0 / sum, isnan(sum) ? sum : log(sum), 0);
  }`,
  };
}

export function softmaxProgram(log: boolean, masked: boolean): ProgramSource {
  return {
    tensors: ["x", "moments"],
    even: true,
    masked,
    body: eachRow(
      (r) => `
  {
    vec3 m = at(moments, row + ${r}, 0).xyz;
    vec4 v = at(x, row + ${r}, group) - m.x;
    y[${r}] = ${log ? "v - m.z" : "exp(v) * m.y"};
  }`,
    ),
  };
}
