import type { ProgramSource } from "../program.js";

/**
 * Copies a strided view into a layout: permuted, sliced, repeated or reshaped tensors.
 *
 * The view has up to six dimensions, in the order in which the output lies; `stride_i` says how far
 * apart the elements are in the input when no padding is counted, and `from` where it begins.
 */
export const COPY_DIMS = 6;

const DIMS = Array.from({ length: COPY_DIMS }, (_, d) => d);

/** Where the first channel of a row of the output lies in the input. */
const START = `int start(int row) {
  int i = from;
  ${DIMS.slice(1, -1)
    .toReversed()
    .map((d) => `i += (row % size_${d}) * stride_${d}; row /= size_${d};`)
    .join("\n  ")}
  return i + row * stride_0;
}
`;

/** `aligned`: four channels of the output are one texel of the input. */
export function copyProgram(aligned: boolean, masked: boolean): ProgramSource {
  const body = aligned
    ? `
    int i = start(row + r) + (group << 2);
    int q = i / inChannels;
    y[r] = at(x, q, (i - q * inChannels) >> 2);`
    : `
    int first = start(row + r);
    for (int c = 0; c < 4; c++) {
      int channel = (group << 2) + c;
      if (channel >= outChannels) break;
      int i = first + channel * stride_${COPY_DIMS - 1};
      int q = i / inChannels;
      int d = i - q * inChannels;
      y[r][c] = at(x, q, d >> 2)[d & 3];
    }`;
  return {
    tensors: ["x"],
    ints: ["from", "inChannels", ...DIMS.flatMap((d) => [`size_${d}`, `stride_${d}`])],
    head: START,
    masked,
    body: `
  for (int r = 0; r < 4; r++) {
    y[r] = vec4(0);
    if (row + r >= outRows) continue;
    ${body}
  }`,
  };
}

/** Textures that one draw can read. */
export const MOST_PARTS = 8;

/**
 * Tensors one after the other. Along the rows: `begin_i` and `length_i` say which of the axis'
 * places part i has, `inner` how many rows a place is. Along the channels: the same in texels.
 */
export function concatProgram(parts: number, along: "rows" | "channels"): ProgramSource {
  const names = Array.from({ length: parts }, (_, i) => `x${i}`);
  const cases = names.map((name, i) => {
    const condition = i === parts - 1 ? "" : `if (place_ < begin_${i + 1}) `;
    const read =
      along === "channels"
        ? `at(${name}, row + r, group - begin_${i})`
        : `at(${name}, (outer * length_${i} + place_ - begin_${i}) * inner + rest, group)`;
    return `${condition}y[r] = ${read};`;
  });
  const where =
    along === "channels"
      ? "int place_ = group;"
      : `int line = (row + r) / inner;
    int rest = row + r - line * inner;
    int outer = line / size;
    int place_ = line - outer * size;`;
  return {
    tensors: names,
    ints: ["size", "inner", ...names.flatMap((_, i) => [`begin_${i}`, `length_${i}`])],
    body: `
  for (int r = 0; r < 4; r++) {
    ${where}
    ${cases.join("\n    else ")}
  }`,
  };
}

/** Rows of a table: `(*)` of indices, row-major, → `(*, D)`. */
export function embeddingProgram(): ProgramSource {
  return {
    tensors: ["ids"],
    weights: ["table"],
    ints: ["idChannels"],
    body: `
  for (int r = 0; r < 4; r++) {
    int p = min(row + r, outRows - 1);
    int q = p / idChannels;
    int c = p - q * idChannels;
    int id = int(at(ids, q, c >> 2)[c & 3]);
    y[r] = weight(table, id * outWidth + group);
  }`,
  };
}

/** Matrix products of two tensors, a matrix of each for each of `batch`: `a` is M × K. */
export function batchMatmulProgram(transposeB: boolean, masked: boolean): ProgramSource {
  const product = transposeB
    ? `
    int b0 = batch_b + (group << 2);
    int last = batch_b + b_rows - 1;
    for (int k = 0; k < a_width; k++) {
      vec4 v = at(a, p, k);
      y[r] += vec4(dot(v, at(b, min(b0, last), k)), dot(v, at(b, min(b0 + 1, last), k)),
        dot(v, at(b, min(b0 + 2, last), k)), dot(v, at(b, min(b0 + 3, last), k)));
    }`
    : `
    for (int k = 0; k < a_width; k++) {
      vec4 v = at(a, p, k);
      int b0 = batch_b + (k << 2);
      int left = b_rows - (k << 2);
      y[r] += v.x * at(b, b0, group);
      if (left > 1) y[r] += v.y * at(b, b0 + 1, group);
      if (left > 2) y[r] += v.z * at(b, b0 + 2, group);
      if (left > 3) y[r] += v.w * at(b, b0 + 3, group);
    }`;
  return {
    tensors: ["a", "b"],
    ints: ["a_rows", "b_rows", "one_b"],
    masked,
    body: `
  for (int r = 0; r < 4; r++) {
    y[r] = vec4(0);
    int p = row + r;
    if (p >= outRows) continue;
    int batch_b = (one_b == 1 ? 0 : p / a_rows) * b_rows;
    ${product}
  }`,
  };
}
