import { eachRow, type ProgramSource } from "../program.js";

/**
 * Copies a strided view into a layout: permuted, sliced, repeated or reshaped tensors.
 *
 * The view has up to six dimensions, in the order of the output's layout; `stride_i` are their
 * strides in the input in elements, padding not counted, and `from` is the offset of the first
 * element.
 */
export const COPY_DIMS = 6;

const DIMS = Array.from({ length: COPY_DIMS }, (_, d) => d);

/** The offset in the input of the first channel of an output row. */
const START = `int start(int row) {
  int i = from;
  ${DIMS.slice(1, -1)
    .toReversed()
    .map((d) => `i += (row % size_${d}) * stride_${d}; row /= size_${d};`)
    .join("\n  ")}
  return i + row * stride_0;
}
`;

/** `aligned`: four channels of the output are exactly one texel of the input. */
export function copyProgram(aligned: boolean, masked: boolean): ProgramSource {
  const lane = (r: number, c: number): string =>
    `if (channels[${c}] < outChannels) y[${r}][${c}] = at(x, q[${c}], d[${c}] >> 2)[d[${c}] & 3];`;
  const body = (r: number): string =>
    aligned
      ? `
    int i = start(row + ${r}) + (group << 2);
    int q = i / inChannels;
    y[${r}] = at(x, q, (i - q * inChannels) >> 2);`
      : `
    ivec4 channels = ivec4(0, 1, 2, 3) + (group << 2);
    ivec4 i = start(row + ${r}) + channels * stride_${COPY_DIMS - 1};
    ivec4 q = i / inChannels;
    ivec4 d = i - q * inChannels;
    ${[0, 1, 2, 3].map((c) => lane(r, c)).join("\n    ")}`;
  return {
    tensors: ["x"],
    ints: ["from", "inChannels", ...DIMS.flatMap((d) => [`size_${d}`, `stride_${d}`])],
    head: START,
    masked,
    body: eachRow(
      (r) => `
  y[${r}] = vec4(0);
  if (row + ${r} < outRows) {${body(r)}
  }`,
    ),
  };
}

/** How many textures one draw can read. */
export const MOST_PARTS = 16;

/**
 * Concatenates tensors. Along the rows: part i has `length_i` positions of the axis, from `begin_i`
 * on, each of `inner` rows; its rows are `step_i` apart, from `first_i` on. Along the channels: the
 * same in texels.
 */
export function concatProgram(parts: number, along: "rows" | "channels"): ProgramSource {
  const names = Array.from({ length: parts }, (_, i) => `x${i}`);
  const cases = names.map((name, i) => {
    const condition = i === parts - 1 ? "" : `if (place_ < begin_${i + 1}) `;
    const read =
      along === "channels"
        ? `at(${name}, row + r, group - begin_${i})`
        : `at(${name}, first_${i} + step_${i} * ((outer * length_${i} + place_ - begin_${i}) * inner + rest), group)`;
    return `${condition}y[r] = ${read};`;
  });
  const where =
    along === "channels"
      ? "int place_ = group;"
      : `int line = (row + r) / inner;
    int rest = row + r - line * inner;
    int outer = line / size;
    int place_ = line - outer * size;`;
  // A loop, because unrolled code would take four times as long to compile.
  return {
    tensors: names,
    ints: [
      ...["size", "inner"],
      ...names.flatMap((_, i) => [`begin_${i}`, `length_${i}`, `first_${i}`, `step_${i}`]),
    ],
    body: `
  for (int r = 0; r < 4; r++) {
    ${where}
    ${cases.join("\n    else ")}
  }`,
  };
}

/**
 * Concatenates tensors along channels that do not fill whole texels: part i begins at channel
 * `begin_i`.
 */
export function joinProgram(parts: number): ProgramSource {
  const names = Array.from({ length: parts }, (_, i) => `x${i}`);
  const read = (name: string, i: number): string =>
    `${i === parts - 1 ? "" : `if (channel < begin_${i + 1}) `}{ int d = channel - begin_${i}; return at(${name}, row, d >> 2)[d & 3]; }`;
  return {
    tensors: names,
    ints: names.map((_, i) => `begin_${i}`),
    head: `float join(int row, int channel) {
  ${names.map(read).join("\n  ")}
}
`,
    masked: true,
    body: `
  for (int r = 0; r < 4; r++) {
    for (int c = 0; c < 4; c++) y[r][c] = join(row + r, (group << 2) + c);
  }`,
  };
}

/** Products of two tensors of matrices, one for each index of `batch`: `a` is M × K. */
export function batchMatmulProgram(transposeB: boolean, masked: boolean): ProgramSource {
  const block = (batch: string): string =>
    transposeB
      ? `transpose(mat4(at(b, ${batch} + s[0], k), at(b, ${batch} + s[1], k), at(b, ${batch} + s[2], k), at(b, ${batch} + s[3], k)))`
      : `mat4(${[0, 1, 2, 3].map((c) => `${c === 0 ? "" : "k4 + " + c + " >= b_rows ? vec4(0) : "}at(b, ${batch} + s[${c}], group)`).join(", ")})`;
  const places = `min(ivec4(0, 1, 2, 3) + (${transposeB ? "group" : "k"} << 2), ivec4(b_rows - 1))`;
  return {
    tensors: ["a", "b"],
    ints: ["a_rows", "b_rows", "one_b"],
    masked,
    body: `
  ivec4 p = min(ivec4(0, 1, 2, 3) + row, ivec4(outRows - 1));
  ivec4 batch = (one_b == 1 ? ivec4(0) : p / a_rows) * b_rows;
  ${eachRow((r) => `y[${r}] = vec4(0);`)}
  if (batch[0] == batch[3]) {
    for (int k = 0; k < a_width; k++) {
      int k4 = k << 2;
      ivec4 s = ${places};
      mat4 m = ${block("batch[0]")};
      ${eachRow((r) => `y[${r}] += m * at(a, p[${r}], k);`)}
    }
  } else {
    for (int k = 0; k < a_width; k++) {
      int k4 = k << 2;
      ivec4 s = ${places};
      ${eachRow((r) => `y[${r}] += ${block(`batch[${r}]`)} * at(a, p[${r}], k);`)}
    }
  }`,
  };
}
