import type { ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";
import { BLOCK } from "./matmul.js";

/** What a step adds to each gate of unit `u`: `h W_hhᵀ`, the gates side by side in W. */
const gates = (count: number): string => `
  int units = w_units;
  int u = group % units;
  vec4 g[${count * 4}];
  for (int i = 0; i < ${count * 4}; i++) g[i] = vec4(0);
  for (int k = 0; k < units; k++) {
    vec4 v[4];
    for (int r = 0; r < 4; r++) v[r] = at(h, row + r, k);
    for (int j = 0; j < ${count}; j++) {
      mat4 m = block(w, ((j * units + u) * units + k) << 2, w_shift);
      for (int r = 0; r < 4; r++) g[j * 4 + r] += m * v[r];
    }
  }`;

/**
 * A step of an LSTM: the inputs' part of the gates `(rows, 4H)` from row `x_first` on, the last h
 * and c → h and c side by side, `(N, 2H)`. `c_first` is where c begins in its tensor, in texels.
 */
export const lstmProgram: ProgramSource = {
  tensors: ["x", "h", "c"],
  weights: ["w"],
  ints: ["x_first", "c_first", "w_units"],
  head: HELPERS + BLOCK,
  body: `${gates(4)}
  for (int r = 0; r < 4; r++) {
    int q = x_first + min(row + r, outRows - 1);
    vec4 input_ = sigmoid4(g[r] + at(x, q, u));
    vec4 forget = sigmoid4(g[4 + r] + at(x, q, units + u));
    vec4 cell = tanh4(g[8 + r] + at(x, q, 2 * units + u));
    vec4 next = forget * at(c, row + r, c_first + u) + input_ * cell;
    y[r] = group < units ? sigmoid4(g[12 + r] + at(x, q, 3 * units + u)) * tanh4(next) : next;
  }`,
};

/** A step of a GRU: the inputs' part `(rows, 3H)` from row `x_first` on, and the last h → h. */
export const gruProgram: ProgramSource = {
  tensors: ["x", "h"],
  weights: ["w", "b"],
  ints: ["x_first", "w_units"],
  head: HELPERS + BLOCK,
  body: `${gates(3)}
  for (int r = 0; r < 4; r++) {
    int q = x_first + min(row + r, outRows - 1);
    vec4 reset = sigmoid4(g[r] + weight(b, u) + at(x, q, u));
    vec4 update = sigmoid4(g[4 + r] + weight(b, units + u) + at(x, q, units + u));
    vec4 fresh = tanh4(at(x, q, 2 * units + u) + reset * (g[8 + r] + weight(b, 2 * units + u)));
    y[r] = (1.0 - update) * fresh + update * at(h, row + r, u);
  }`,
};
