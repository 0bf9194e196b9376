import { eachRow, type ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";

export type RecurrentKind = "lstm" | "gru" | "rnn_tanh" | "rnn_relu";

export const GATES: Readonly<Record<RecurrentKind, number>> = {
  ...{ lstm: 4, gru: 3 },
  ...{ rnn_tanh: 1, rnn_relu: 1 },
};

/**
 * Computes `g0` to `gN`: what a state adds to the gates of unit `u`, `h W_hhᵀ`, for each of
 * `entries`.
 */
function gates(count: number, entries: readonly string[]): string {
  const sums = entries.flatMap((_, e) => Array.from({ length: count }, (_one, j) => `g${e}_${j}`));
  const add = (j: number): string => `{
      mat4 m = block(w, ((${j} * units + u) * units + k) << 2);
      ${entries.map((_, e) => `g${e}_${j} += m * v${e};`).join(" ")}
    }`;
  return `
  int units = w_units;
  int u = group;
  vec4 ${sums.map((name) => `${name} = vec4(0)`).join(", ")};
  for (int k = 0; k < units; k++) {
    ${entries.map((row, e) => `vec4 v${e} = at(h, ${row}, k);`).join("\n    ")}
    ${Array.from({ length: count }, (_, j) => add(j)).join("\n    ")}
  }`;
}

/**
 * One step of an LSTM: the inputs' part of the gates `(rows, 4H)` from row `x_first` on, and the
 * last h and c → `(2N, H)`: for each batch entry its h, then its c. `h_first` and `h_step` tell in
 * which rows of its tensor the last h of each entry is, `c_first` and `c_step` likewise for c.
 *
 * @param one whether there is only one entry, so that nothing is computed for a second.
 *
 * @param masked whether the last texel has lanes without a unit: for infinite inputs they would
 *   become NaN, and so would the next step's sums.
 */
export function lstmProgram(one: boolean, masked: boolean): ProgramSource {
  const entries = one ? [0] : [0, 1];
  const place = (name: string, e: number): string =>
    `${name}_first + min(n + ${e}, last) * ${name}_step`;
  const finish = (e: number): string => `{
    int q = x_first + min(n + ${e}, last);
    vec4 input_ = sigmoid4(g${e}_0 + at(x, q, u));
    vec4 forget = sigmoid4(g${e}_1 + at(x, q, units + u));
    vec4 cell = tanh4(g${e}_2 + at(x, q, 2 * units + u));
    vec4 next = forget * at(c, ${place("c", e)}, u) + input_ * cell;
    y[${2 * e}] = sigmoid4(g${e}_3 + at(x, q, 3 * units + u)) * tanh4(next);
    y[${2 * e + 1}] = next;
  }`;
  return {
    tensors: ["x", "h", "c"],
    weights: ["w"],
    ints: ["x_first", "h_first", "h_step", "c_first", "c_step", "w_units"],
    head: HELPERS,
    masked,
    even: true,
    body: `
  int n = row >> 1, last = (outRows >> 1) - 1;
  ${gates(
    4,
    entries.map((e) => place("h", e)),
  )}
  ${entries.map(finish).join("\n  ")}
  ${one ? "y[2] = y[0]; y[3] = y[1];" : ""}`,
  };
}

/** One step of a GRU or a plain RNN: the inputs' part from row `x_first` on, and the last h → h. */
export function gruProgram(
  kind: Exclude<RecurrentKind, "lstm">,
  one: boolean,
  masked: boolean,
): ProgramSource {
  const entries = one ? [0] : [0, 1, 2, 3];
  const gru = (e: number): string => `
    vec4 reset = sigmoid4(g${e}_0 + weight(b, u) + at(x, q, u));
    vec4 update = sigmoid4(g${e}_1 + weight(b, units + u) + at(x, q, units + u));
    vec4 fresh = tanh4(at(x, q, 2 * units + u) + reset * (g${e}_2 + weight(b, 2 * units + u)));
    y[${e}] = (1.0 - update) * fresh + update * at(h, h_first + min(row + ${e}, outRows - 1), u);`;
  const plain = (e: number): string =>
    `y[${e}] = ${kind === "rnn_relu" ? "relu4" : "tanh4"}(g${e}_0 + weight(b, u) + at(x, q, u));`;
  return {
    tensors: ["x", "h"],
    weights: ["w", "b"],
    ints: ["x_first", "h_first", "w_units"],
    head: HELPERS,
    masked,
    even: true,
    body: `${gates(
      GATES[kind],
      entries.map((e) => `h_first + min(row + ${e}, outRows - 1)`),
    )}
  ${entries
    .map(
      (e) => `{
    int q = x_first + min(row + ${e}, outRows - 1);
    ${(kind === "gru" ? gru : plain)(e)}
  }`,
    )
    .join("\n  ")}
  ${one ? eachRow((r) => (r === 0 ? "" : `y[${r}] = y[0];`)) : ""}`,
  };
}
