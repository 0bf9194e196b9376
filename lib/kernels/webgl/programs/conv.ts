import type { ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";
import { BLOCK, epilogue, type EpilogueOptions } from "./matmul.js";

/** Numbers of every program that slides a window over pictures `(N, H, W, C)`. */
export const WINDOW_INTS = [
  ...["inH", "inW", "outH", "outW", "kernelH", "kernelW"],
  ...["strideH", "strideW", "padH", "padW", "dilationH", "dilationW"],
] as const;

export type WindowNumbers = Record<(typeof WINDOW_INTS)[number], number>;

/** Where the windows of this run's four pixels begin, and in which picture. */
const CORNERS = `
  ivec3 corner[4];
  for (int r = 0; r < 4; r++) {
    int p = row + r;
    int line = p / outW;
    int n = line / outH;
    corner[r] = ivec3(n * inH, (line - n * outH) * strideH - padH, (p - line * outW) * strideW - padW);
  }`;

/** The row of a tap in the input; -1 outside of the picture, and for pixels past the last. */
const TAP = `int tap(ivec3 corner, int i, int j) {
  int h = corner.y + i * dilationH, w = corner.z + j * dilationW;
  return h < 0 || h >= inH || w < 0 || w >= inW ? -1 : (corner.x + h) * inW + w;
}
`;

/**
 * Convolution of any kernel, stride, padding and dilation, in groups of a multiple of 4 channels:
 * `groupIn` texels of input and `groupOut` of output a group.
 */
export function convProgram(options: EpilogueOptions): ProgramSource {
  const { bias, residual, masked } = options;
  const line = (r: number): string => `
        if (q[${r}] >= 0) {
          int i = (q[${r}] >> 2) * x_width + offset + k;
          y[${r}] += m * texelFetch(x, ivec3(place(i, x_shift), q[${r}] & 3), 0);
        }`;
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: ["w", ...(bias ? ["b"] : [])],
    ints: [...WINDOW_INTS, "groupIn", "groupOut"],
    head: (options.activation ? HELPERS : "") + BLOCK + TAP,
    masked,
    body: `${CORNERS}
  for (int r = 0; r < 4; r++) y[r] = ${bias ? "weight(b, group)" : "vec4(0)"};
  int offset = (group / groupOut) * groupIn;
  int at_w = group * kernelH * kernelW * groupIn;
  for (int i = 0; i < kernelH; i++) {
    for (int j = 0; j < kernelW; j++) {
      ivec4 q = ivec4(tap(corner[0], i, j), tap(corner[1], i, j), tap(corner[2], i, j), tap(corner[3], i, j));
      for (int k = 0; k < groupIn; k++) {
        mat4 m = block(w, (at_w + k) << 2, w_shift);
${[0, 1, 2, 3].map(line).join("")}
      }
      at_w += groupIn;
    }
  }
  ${epilogue(options)}`,
  };
}

/** Each channel by itself: weights are `[C / 4][taps]` texels. */
export function depthwiseProgram(options: EpilogueOptions): ProgramSource {
  const { bias, residual, masked } = options;
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: ["w", ...(bias ? ["b"] : [])],
    ints: WINDOW_INTS,
    head: (options.activation ? HELPERS : "") + TAP,
    masked,
    body: `${CORNERS}
  for (int r = 0; r < 4; r++) y[r] = ${bias ? "weight(b, group)" : "vec4(0)"};
  int at_w = group * kernelH * kernelW;
  for (int i = 0; i < kernelH; i++) {
    for (int j = 0; j < kernelW; j++) {
      vec4 m = weight(w, at_w);
      at_w++;
      for (int r = 0; r < 4; r++) {
        int q = tap(corner[r], i, j);
        if (q >= 0) y[r] += m * at(x, q, group);
      }
    }
  }
  ${epilogue(options)}`,
  };
}

/** Largest values, or means. `divisor` 0: of what lies in the picture; else a fixed number. */
export function poolProgram(kind: "max" | "avg", masked: boolean): ProgramSource {
  const isMax = kind === "max";
  return {
    tensors: ["x"],
    ints: [...WINDOW_INTS, "divisor"],
    head: HELPERS + TAP,
    masked,
    body: `${CORNERS}
  for (int r = 0; r < 4; r++) {
    y[r] = vec4(${isMax ? "-1.0 / 0.0" : "0"});
    int count = 0;
    for (int i = 0; i < kernelH; i++) {
      for (int j = 0; j < kernelW; j++) {
        int q = tap(corner[r], i, j);
        if (q < 0) continue;
        count++;
        y[r] = ${isMax ? "most(at(x, q, group), y[r])" : "y[r] + at(x, q, group)"};
      }
    }
    ${isMax ? "" : "y[r] /= float(divisor > 0 ? divisor : count);"}
  }`,
  };
}

/** Means over windows that PyTorch's adaptive pooling chooses; output 1 × 1 is the global mean. */
export function adaptiveAvgPoolProgram(masked: boolean): ProgramSource {
  return {
    tensors: ["x"],
    ints: ["inH", "inW", "outH", "outW"],
    masked,
    body: `
  for (int r = 0; r < 4; r++) {
    int p = row + r;
    int line = p / outW;
    int n = line / outH;
    int oh = line - n * outH, ow = p - line * outW;
    int h0 = oh * inH / outH, h1 = ((oh + 1) * inH + outH - 1) / outH;
    int w0 = ow * inW / outW, w1 = ((ow + 1) * inW + outW - 1) / outW;
    y[r] = vec4(0);
    if (p >= outRows) continue;
    for (int h = h0; h < h1; h++) {
      for (int w = w0; w < w1; w++) y[r] += at(x, (n * inH + h) * inW + w, group);
    }
    y[r] /= float((h1 - h0) * (w1 - w0));
  }`,
  };
}
