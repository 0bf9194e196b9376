import type { ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";

export type Reduction = "Sum" | "Mean" | "Max" | "Min";

const STEP: Readonly<Record<Reduction, { start: string; step: (v: string) => string }>> = {
  Sum: { start: "0", step: (v) => `all_ + ${v}` },
  Mean: { start: "0", step: (v) => `all_ + ${v}` },
  Max: { start: "-1.0 / 0.0", step: (v) => `most(${v}, all_)` },
  Min: { start: "1.0 / 0.0", step: (v) => `least(${v}, all_)` },
};

/** Reduces the channels of each row to a single channel. */
export function reduceChannelsProgram(kind: Reduction): ProgramSource {
  const { start, step } = STEP[kind];
  return {
    tensors: ["x"],
    ints: ["channels"],
    head: HELPERS,
    even: true,
    body: `
  for (int r = 0; r < 4; r++) {
    vec4 all_ = vec4(${start});
    for (int k = 0; k < x_width; k++) {
      bvec4 past = greaterThanEqual(ivec4(0, 1, 2, 3) + (k << 2), ivec4(channels));
      all_ = ${step(`mix(at(x, row + r, k), vec4(${start}), past)`)};
    }
    vec4 v = all_.yzwx;
    all_ = ${step("v")};
    v = all_.zwxy;
    all_ = ${step("v")};
    y[r] = vec4(all_.x${kind === "Mean" ? " / float(channels)" : ""}, 0, 0, 0);
  }`,
  };
}

/** Reduces `count` rows that are `inner` rows apart to one; channels stay. */
export function reduceRowsProgram(kind: Reduction, masked: boolean): ProgramSource {
  const { start, step } = STEP[kind];
  return {
    tensors: ["x"],
    ints: ["count", "inner"],
    head: HELPERS,
    even: true,
    masked,
    body: `
  for (int r = 0; r < 4; r++) {
    vec4 all_ = vec4(${start});
    int p = min(row + r, outRows - 1);
    int outer = p / inner;
    int q = outer * count * inner + p - outer * inner;
    for (int k = 0; k < count; k++) {
      vec4 v = at(x, q + k * inner, group);
      all_ = ${step("v")};
    }
    y[r] = all_${kind === "Mean" ? " / float(count)" : ""};
  }`,
  };
}

/**
 * Which of `size` rows has the maximum, for each channel; NaN counts as larger than all numbers.
 */
export function argumentProgram(kind: "max" | "min", masked: boolean): ProgramSource {
  const better = kind === "max" ? "greaterThan" : "lessThan";
  return {
    tensors: ["x"],
    ints: ["size"],
    masked,
    body: `
  for (int r = 0; r < 4; r++) {
    int from = min(row + r, outRows - 1) * size;
    vec4 best = at(x, from, group), index_ = vec4(0);
    for (int k = 1; k < size; k++) {
      vec4 v = at(x, from + k, group);
      vec4 wins = max(vec4(${better}(v, best)), vec4(isnan(v))) * (1.0 - vec4(isnan(best)));
      best = mix(best, v, notEqual(wins, vec4(0)));
      index_ = mix(index_, vec4(k), wins);
    }
    y[r] = index_;
  }`,
  };
}
