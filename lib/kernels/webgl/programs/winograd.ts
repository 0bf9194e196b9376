/**
 * Convolution of 3 × 3 and stride 1 by Winograd's algorithm F(2 × 2, 3 × 3): 16 products where the
 * sum over taps takes 36. Images are cut into tiles of 2 × 2 output pixels. Each tile, with the 4 ×
 * 4 pixels that it reads, becomes 16 numbers per channel, stored as rows `(16, tiles)` with `tiles`
 * rounded up to a multiple of 4. Then follow 16 matrix products and the transformation back.
 */
import { eachRow, type ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";
import { epilogue, type EpilogueOptions } from "./matmul.js";

/** The number of tiles side by side, one above the other, and in all. */
export const TILE_INTS = ["tilesH", "tilesW", "tiles"] as const;

/** Bᵀ d B: every row of Bᵀ is one number of four plus or minus another. */
export function tilesProgram(): ProgramSource {
  const read = (r: number, i: string, j: string): string =>
    `mix(at(x, max(q${r}_${i}${j}, 0), group), vec4(0), bvec4(q${r}_${i}${j} < 0))`;
  const place = (r: number, i: number, j: number): string =>
    `int q${r}_${i}${j} = (line${i}[${r}] + left${j}[${r}]) | ((past${i}[${r}] | left${j}[${r}] | (inW - 1 - left${j}[${r}])) >> 31);`;
  return {
    tensors: ["x"],
    ints: [...TILE_INTS, "inH", "inW", "padH", "padW"],
    even: true,
    body: `
  int place_ = row / tiles;
  int u = place_ >> 2, v = place_ & 3;
  ivec4 tile = ivec4(0, 1, 2, 3) + row - place_ * tiles;
  ivec4 above = tile / tilesW;
  ivec4 picture = above / tilesH;
  ivec4 tops = (above - picture * tilesH) * 2 - padH, lefts = (tile - above * tilesW) * 2 - padW;
  ivec2 first = ivec2(u == 0 ? 0 : u == 2 ? 2 : 1, v == 0 ? 0 : v == 2 ? 2 : 1);
  ivec2 second = ivec2(u == 2 ? 1 : u == 3 ? 3 : 2, v == 2 ? 1 : v == 3 ? 3 : 2);
  vec2 by = vec2(u == 1 ? 1.0 : -1.0, v == 1 ? 1.0 : -1.0);
  ivec4 top0 = tops + first.x, top1 = tops + second.x;
  ivec4 left0 = lefts + first.y, left1 = lefts + second.y;
  ivec4 past0 = top0 | (inH - 1 - top0), past1 = top1 | (inH - 1 - top1);
  ivec4 line0 = (picture * inH + top0) * inW, line1 = (picture * inH + top1) * inW;
  ${eachRow((r) => [0, 1].flatMap((i) => [0, 1].map((j) => place(r, i, j))).join("\n  "))}
  ${eachRow(
    (r) =>
      `y[${r}] = ${read(r, "0", "0")} + by.y * ${read(r, "0", "1")} + by.x * (${read(r, "1", "0")} + by.y * ${read(r, "1", "1")});`,
  )}`,
  };
}

/** For each of the 16 elements, the product with its own weight matrix. */
export function tileProductsProgram(): ProgramSource {
  return {
    tensors: ["x"],
    weights: ["w"],
    ints: ["tiles"],
    even: true,
    body: `
  y[0] = vec4(0); y[1] = y[0]; y[2] = y[0]; y[3] = y[0];
  int from = (row >> 2) * x_width;
  int from_w = ((row / tiles * outWidth + group) * x_width) << 2;
  for (int end = from + x_width; from < end; from++) {
    mat4 m = block(w, from_w);
    from_w += 4;
    ${eachRow((r) => `y[${r}] += m * texel(x, from, ${r});`)}
  }`,
  };
}

/** Aᵀ m A for each tile, with bias, residual and activation. */
export function untileProgram(options: EpilogueOptions): ProgramSource {
  const { bias, residual, masked } = options;
  const line = (r: number, u: number): string => {
    const read = (v: number): string =>
      `at(x, ((odd_h[${r}] + ${u}) * 4 + odd_w[${r}] + ${v}) * tiles + tile[${r}], group)`;
    return `(${read(0)} + sign_w[${r}] * (${read(1)} + ${read(2)}))`;
  };
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: bias ? ["b"] : [],
    ints: [...TILE_INTS, "outH", "outW"],
    head: options.activation ? HELPERS : "",
    even: true,
    masked,
    body: `
  ivec4 pixels = min(ivec4(0, 1, 2, 3) + row, ivec4(outRows - 1));
  ivec4 lines = pixels / outW;
  ivec4 pictures = lines / outH;
  ivec4 h = lines - pictures * outH, left = pixels - lines * outW;
  ivec4 odd_h = h & 1, odd_w = left & 1;
  ivec4 tile = (pictures * tilesH + (h >> 1)) * tilesW + (left >> 1);
  vec4 sign_h = vec4(1 - 2 * odd_h), sign_w = vec4(1 - 2 * odd_w);
  ${eachRow((r) => `y[${r}] = ${bias ? "weight(b, group) + " : ""}${line(r, 0)} + sign_h[${r}] * (${line(r, 1)} + ${line(r, 2)});`)}
  ${epilogue(options)}`,
  };
}

/**
 * G g Gᵀ for weights `(out, in, 3, 3)`: for each of the 16 elements, blocks in the layout of
 * `packMatrix`.
 */
export function* packWinograd(
  values: Float32Array,
  outputs: number,
  inputs: number,
): Generator<void, Float32Array> {
  const [groups, outGroups] = [Math.ceil(inputs / 4), Math.ceil(outputs / 4)];
  const place = outGroups * groups * 16;
  const packed = new Float32Array(16 * place);
  const half = new Float32Array(12);
  for (let o = 0; o < outputs; o += 1) {
    if (o % 16 === 15) yield;
    for (let i = 0; i < inputs; i += 1) {
      const from = (o * inputs + i) * 9;
      for (let c = 0; c < 3; c += 1) {
        const [a, b, d] = [values[from + c]!, values[from + 3 + c]!, values[from + 6 + c]!];
        half[c] = a;
        half[3 + c] = (a + b + d) / 2;
        half[6 + c] = (a - b + d) / 2;
        half[9 + c] = d;
      }
      let to = ((o >> 2) * groups + (i >> 2)) * 16 + (i & 3) * 4 + (o & 3);
      for (let u = 0; u < 12; u += 3) {
        const [a, b, d] = [half[u]!, half[u + 1]!, half[u + 2]!];
        packed[to] = a;
        packed[to + place] = (a + b + d) / 2;
        packed[to + 2 * place] = (a - b + d) / 2;
        packed[to + 3 * place] = d;
        to += 4 * place;
      }
    }
  }
  return packed;
}
