import { eachRow, type ProgramSource } from "../program.js";
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
  ivec4 pixels = ivec4(0, 1, 2, 3) + row;
  ivec4 lines = pixels / outW;
  ivec4 pictures = lines / outH;
  ivec4 tops = (lines - pictures * outH) * strideH - padH;
  ivec4 lefts = (pixels - lines * outW) * strideW - padW;
  pictures *= inH;`;

/** The four pixels' rows of a tap in the input; -1 outside of the picture. */
const TAPS = `ivec4 taps(ivec4 pictures, ivec4 h, ivec4 w) {
  bvec4 out_ = notEqual(uvec4(lessThan(h, ivec4(0))) + uvec4(greaterThanEqual(h, ivec4(inH))) +
    uvec4(lessThan(w, ivec4(0))) + uvec4(greaterThanEqual(w, ivec4(inW))), uvec4(0));
  ivec4 q = (pictures + h) * inW + w;
  return ivec4(out_.x ? -1 : q.x, out_.y ? -1 : q.y, out_.z ? -1 : q.z, out_.w ? -1 : q.w);
}
`;

const TAP_AT = "taps(pictures, tops + i * dilationH, lefts + j * dilationW)";

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
    head: (options.activation ? HELPERS : "") + BLOCK + TAPS,
    masked,
    body: `${CORNERS}
  y[0] = ${bias ? "weight(b, group)" : "vec4(0)"};
  y[1] = y[0]; y[2] = y[0]; y[3] = y[0];
  int offset = (group / groupOut) * groupIn;
  int at_w = group * kernelH * kernelW * groupIn;
  for (int i = 0; i < kernelH; i++) {
    for (int j = 0; j < kernelW; j++) {
      ivec4 q = ${TAP_AT};
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
    head: (options.activation ? HELPERS : "") + TAPS,
    masked,
    body: `${CORNERS}
  y[0] = ${bias ? "weight(b, group)" : "vec4(0)"};
  y[1] = y[0]; y[2] = y[0]; y[3] = y[0];
  int at_w = group * kernelH * kernelW;
  for (int i = 0; i < kernelH; i++) {
    for (int j = 0; j < kernelW; j++) {
      vec4 m = weight(w, at_w);
      at_w++;
      ivec4 q = ${TAP_AT};
      ${eachRow((r) => `if (q[${r}] >= 0) y[${r}] += m * at(x, q[${r}], group);`)}
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
    head: HELPERS + TAPS,
    masked,
    body: `${CORNERS}
  ${eachRow((r) => `y[${r}] = vec4(${isMax ? "-1.0 / 0.0" : "0"});`)}
  ivec4 count = ivec4(0);
  for (int i = 0; i < kernelH; i++) {
    for (int j = 0; j < kernelW; j++) {
      ivec4 q = ${TAP_AT};
      ${eachRow((r) => {
        const value = `at(x, q[${r}], group)`;
        const next = isMax ? `most(${value}, y[${r}])` : `y[${r}] + ${value}`;
        return `if (q[${r}] >= 0) { y[${r}] = ${next};${isMax ? "" : ` count[${r}]++;`} }`;
      })}
    }
  }
  ${isMax ? "" : eachRow((r) => `y[${r}] /= float(divisor > 0 ? divisor : count[${r}]);`)}`,
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
    vec4 sum = vec4(0);
    if (p >= outRows) h1 = h0;
    for (int h = h0; h < h1; h++) {
      for (int w = w0; w < w1; w++) sum += at(x, (n * inH + h) * inW + w, group);
    }
    y[r] = sum / float((h1 - h0) * (w1 - w0));
  }`,
  };
}
