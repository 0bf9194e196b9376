import { eachRow, type ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";

/** What is applied to a product before it is stored: `activation(y + residual)`. */
export interface EpilogueOptions {
  bias: boolean;
  residual: boolean;
  /** A GLSL statement on `y[r]`, or nothing. */
  activation: string;
  masked: boolean;
  /** Whether there is only one row, so that nothing is computed for the other three. */
  single?: boolean;
}

export const epilogue = ({ residual, activation, single }: EpilogueOptions): string =>
  eachRow((r) =>
    single && r > 0
      ? `y[${r}] = y[0];`
      : `
    ${residual ? `y[${r}] += at(residual, row + ${r}, group);` : ""}
    ${activation.replaceAll("y[r]", `y[${r}]`)}`,
  );

/**
 * `y = activation(x Wᵀ + b + residual)` with x of rows × K, and W in the layout of `packMatrix`.
 *
 * All weights of one output are adjacent in W, so that the loop reads both operands sequentially.
 */
export function matmulProgram(options: EpilogueOptions): ProgramSource {
  const { bias, residual, masked, single } = options;
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: ["w", ...(bias ? ["b"] : [])],
    head: options.activation ? HELPERS : "",
    even: true,
    masked,
    body: `
  y[0] = ${bias ? "weight(b, group)" : "vec4(0)"};
  y[1] = y[0]; y[2] = y[0]; y[3] = y[0];
  int from = (row >> 2) * x_width;
  int from_w = (group * x_width) << 2;
  for (int end = from + x_width; from < end; from++) {
    mat4 m = block(w, from_w);
    from_w += 4;
    ${eachRow((r) => (single && r > 0 ? "" : `y[${r}] += m * texel(x, from, ${r});`))}
  }
  ${epilogue(options)}`,
  };
}

/** The sizes of a weight (outputs, taps of a window and inputs), and its strides. */
export interface MatrixSizes {
  outputs: number;
  inputs: number;
  taps?: number;
  /** Strides over outputs, taps and inputs, in elements. Default: `(out, taps, in)`. */
  strides?: readonly [output: number, tap: number, input: number];
}

/** Packs a weight into blocks of 4 inputs × 4 outputs: `[out / 4][taps][in / 4]`. */
export function packMatrix(values: ArrayLike<number>, sizes: MatrixSizes): Float32Array {
  const { outputs, inputs, taps = 1 } = sizes;
  const [byOutput, byTap, byInput] = sizes.strides ?? [taps * inputs, inputs, 1];
  const groups = Math.ceil(inputs / 4);
  const packed = new Float32Array(Math.ceil(outputs / 4) * taps * groups * 16);
  for (let output = 0; output < outputs; output += 1) {
    for (let tap = 0; tap < taps; tap += 1) {
      let from = output * byOutput + tap * byTap;
      let to = ((output >> 2) * taps + tap) * groups * 16 + (output & 3);
      // The inputs of a block are four apart, and blocks follow one another.
      for (let input = 0; input < inputs; input += 1) {
        packed[to] = values[from]!;
        from += byInput;
        to += 4;
      }
    }
  }
  return packed;
}
