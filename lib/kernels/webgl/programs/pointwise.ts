import { eachRow, type ProgramSource } from "../program.js";
import { expression, HELPERS, literal, type Options } from "./expressions.js";

/** How an input of a chain broadcasts: its row and channel for those of the output. */
export interface Broadcast {
  /**
   * `same`: the output's row; `one`: the only row; `mixed`: computed from `sizes` and `strides`.
   */
  row: "same" | "one" | "mixed";
  channel: "same" | "one";
}

/** `[target, ...operands]`: `x0` is the first input, `t0` the first step's result. */
export type Step = readonly [target: string, ...operands: unknown[]];

/** How many dimensions of rows a mixed broadcast may have. */
export const MIXED_DIMS = 4;

/** A chain of elementwise ops in one draw; `null` if one of them has no expression. */
export function pointwiseProgram(
  inputs: readonly Broadcast[],
  steps: readonly Step[],
  masked: boolean,
): ProgramSource | null {
  const lines: string[] = [];
  for (const [i, [target, ...operands]] of steps.entries()) {
    const options = operands.find((one) => typeof one === "object" && one !== null) ?? {};
    const names = operands
      .filter((one) => typeof one === "string" || typeof one === "number")
      .map((one) => (typeof one === "number" ? `vec4(${literal(one)})` : one));
    const code = expression(target, names, options as Options);
    if (code === null) return null;
    lines.push(`    vec4 t${i} = ${code};`);
  }
  const mixed = inputs.some(({ row }) => row === "mixed");
  const reads = (r: number): string[] =>
    inputs.map(({ row, channel }, i) => {
      const from = { same: `row + ${r}`, one: "0", mixed: `mixed(row + ${r}, ${i})` }[row];
      return `    vec4 x${i} = at(in${i}, ${from}, ${channel === "same" ? "group" : "0"})${channel === "same" ? "" : ".xxxx"};`;
    });
  const dims = Array.from({ length: MIXED_DIMS }, (_, d) => d);
  const sizes = dims.map((d) => `size_${d}`);
  const strides = inputs.flatMap(({ row }, i) =>
    row === "mixed" ? dims.map((d) => `stride_${i}_${d}`) : [],
  );
  const cases = inputs.map(({ row }, i) =>
    row === "mixed"
      ? `if (input_ == ${i}) return ${dims.map((d) => `d${d} * stride_${i}_${d}`).join(" + ")};`
      : "",
  );
  const walk = `int mixed(int row, int input_) {
  int d3 = row % size_3; row /= size_3;
  int d2 = row % size_2; row /= size_2;
  int d1 = row % size_1; row /= size_1;
  int d0 = row;
  ${cases.join("\n  ")}
  return 0;
}
`;
  return {
    tensors: inputs.map((_, i) => `in${i}`),
    ints: mixed ? [...sizes, ...strides] : [],
    head: HELPERS + (mixed ? walk : ""),
    even: true,
    masked,
    body: eachRow(
      (r) => `
  {
${reads(r).join("\n")}
${lines.join("\n")}
    y[${r}] = t${steps.length - 1};
  }`,
    ),
  };
}
