import { eachRow, type ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";

/** Rows of a table: indices `(*)`, row-major, → `(*, D)`. */
export function embeddingProgram(): ProgramSource {
  return {
    tensors: ["ids"],
    weights: ["table"],
    ints: ["idChannels"],
    body: eachRow(
      (r) => `
  {
    int p = min(row + ${r}, outRows - 1);
    int q = p / idChannels;
    int c = p - q * idChannels;
    int id = int(at(ids, q, c >> 2)[c & 3]);
    y[${r}] = weight(table, id * outWidth + group);
  }`,
    ),
  };
}

/** How the rows of a bag are combined. */
export type BagMode = "sum" | "mean" | "max";

/**
 * Combines rows of a table bag by bag: indices `(B, n)`, or a list of indices with the offset of
 * each bag, → `(B, D)`. `width` is n, `total` the number of indices, `padding` the index that does
 * not count.
 */
export function embeddingBagProgram(
  mode: BagMode,
  { hasOffsets, isWeighted, masked }: { hasOffsets: boolean; isWeighted: boolean; masked: boolean },
): ProgramSource {
  const part = (name: string, i: string): string => `${name}_part(${i})`;
  const names = ["ids", ...(hasOffsets ? ["offsets"] : []), ...(isWeighted ? ["shares"] : [])];
  // The n-th number of a tensor, whatever its shape.
  const reader = (name: string): string =>
    `float ${name}_part(int i) { int q = i / ${name}Channels; int c = i - q * ${name}Channels; return at(${name}, q, c >> 2)[c & 3]; }`;
  const step = isWeighted ? `all_ + v * ${part("shares", "i")}` : mode === "max" ? "most(v, all_)" : "all_ + v"; // prettier-ignore
  const result = { sum: "all_", mean: "all_ / float(max(count, 1))", max: "count == 0 ? vec4(0) : all_" }; // prettier-ignore
  return {
    tensors: names,
    weights: ["table"],
    ints: [...names.map((name) => `${name}Channels`), "width", "total", "bounds", "padding"],
    head: `${HELPERS}${names.map(reader).join("\n")}\n`,
    masked,
    body: eachRow(
      (r) => `
  {
    int p = min(row + ${r}, outRows - 1);
    int from = ${hasOffsets ? `int(${part("offsets", "p")})` : "p * width"};
    int to = ${hasOffsets ? `p + 1 < bounds ? int(${part("offsets", "p + 1")}) : total` : "from + width"};
    vec4 all_ = vec4(${mode === "max" ? "-1.0 / 0.0" : "0"});
    int count = 0;
    for (int i = from; i < to; i++) {
      int id = int(${part("ids", "i")});
      if (id == padding) continue;
      vec4 v = weight(table, id * outWidth + group);
      all_ = ${step};
      count++;
    }
    y[${r}] = ${result[mode]};
  }`,
    ),
  };
}
