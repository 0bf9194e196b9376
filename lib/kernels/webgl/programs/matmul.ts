import type { ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";

/** What is done with a product before it is stored: `activation(y + residual)`. */
export interface EpilogueOptions {
  bias: boolean;
  residual: boolean;
  /** A statement on `y[r]`, or nothing. */
  activation: string;
  masked: boolean;
}

export const epilogue = ({ residual, activation }: EpilogueOptions): string => `
  for (int r = 0; r < 4; r++) {
    ${residual ? "y[r] += at(residual, row + r, group);" : ""}
    ${activation}
  }`;

/** The four texels of a block of weights: of each of four inputs, what it gives four outputs. */
export const BLOCK = `mat4 block(highp sampler2D w, int i, int shift) {
  ivec2 p = place(i, shift); // a block never crosses a line of the texture
  return mat4(texelFetch(w, p, 0), texelFetch(w, p + ivec2(1, 0), 0),
    texelFetch(w, p + ivec2(2, 0), 0), texelFetch(w, p + ivec2(3, 0), 0));
}
`;

/**
 * `y = activation(x Wᵀ + b + residual)`: x of rows × K, W as `packMatrix` lays it.
 *
 * All inputs of one output stand side by side in W, so a run of the loop reads both in order.
 */
export function matmulProgram(options: EpilogueOptions): ProgramSource {
  const { bias, residual, masked } = options;
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: ["w", ...(bias ? ["b"] : [])],
    head: (options.activation ? HELPERS : "") + BLOCK,
    masked,
    body: `
  vec4 y0 = ${bias ? "weight(b, group)" : "vec4(0)"};
  vec4 y1 = y0, y2 = y0, y3 = y0;
  int from = (row >> 2) * x_width;
  int from_w = group * x_width;
  for (int k = 0; k < x_width; k++) {
    ivec2 p = place(from + k, x_shift);
    mat4 m = block(w, (from_w + k) << 2, w_shift);
    y0 += m * texelFetch(x, ivec3(p, 0), 0);
    y1 += m * texelFetch(x, ivec3(p, 1), 0);
    y2 += m * texelFetch(x, ivec3(p, 2), 0);
    y3 += m * texelFetch(x, ivec3(p, 3), 0);
  }
  y[0] = y0; y[1] = y1; y[2] = y2; y[3] = y3;
  ${epilogue(options)}`,
  };
}

/** Weights `(out, taps, in)` as blocks of 4 inputs × 4 outputs: `[out / 4][taps][in / 4]`. */
export function packMatrix(
  values: ArrayLike<number>,
  { outputs, inputs, taps = 1 }: { outputs: number; inputs: number; taps?: number },
  /** Where the weight of an output, tap and input stands; default: `(out, taps, in)`. */
  at = (output: number, tap: number, input: number): number =>
    (output * taps + tap) * inputs + input,
): Float32Array {
  const groups = Math.ceil(inputs / 4);
  const packed = new Float32Array(Math.ceil(outputs / 4) * taps * groups * 16);
  for (let output = 0; output < outputs; output += 1) {
    for (let tap = 0; tap < taps; tap += 1) {
      const block = ((output >> 2) * taps + tap) * groups;
      for (let input = 0; input < inputs; input += 1) {
        const to = (block + (input >> 2)) * 16 + (input & 3) * 4 + (output & 3);
        packed[to] = values[at(output, tap, input)]!;
      }
    }
  }
  return packed;
}
