import { eachRow, type ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";
import { BLOCK, epilogue, type EpilogueOptions } from "./matmul.js";

/** Numbers of every program that slides a window over pictures `(N, H, W, C)`. */
export const WINDOW_INTS = [
  ...["inH", "inW", "outH", "outW", "kernelH", "kernelW"],
  ...["strideH", "strideW", "padH", "padW", "dilationH", "dilationW"],
] as const;

export type WindowNumbers = Record<(typeof WINDOW_INTS)[number], number>;

/** The same of the third dimension, where there is one. */
export const VOLUME_INTS = [...["inD", "outD", "kernelD", "strideD", "padD", "dilationD"]] as const;

export interface WindowKind {
  /** Volumes `(N, D, H, W, C)`. */
  volume?: boolean;
  /** Strides are those of the input: between its elements lie zeros. */
  transposed?: boolean;
}

/** Where the windows of this run's four pixels begin, and in which picture. */
function corners({ volume = false, transposed = false }: WindowKind = {}): string {
  const step = (size: string): string => (transposed ? "" : ` * stride${size}`);
  return `
  ivec4 pixels = ivec4(0, 1, 2, 3) + row;
  ivec4 lines = pixels / outW;
  ivec4 pictures = lines / outH;
  ivec4 tops = (lines - pictures * outH)${step("H")} - padH;
  ivec4 lefts = (pixels - lines * outW)${step("W")} - padW;
  ${
    volume
      ? `ivec4 volumes = pictures / outD;
  ivec4 fronts = (pictures - volumes * outD)${step("D")} - padD;`
      : "pictures *= inH;"
  }`;
}

const outside = (at: string, size: string): string =>
  `uvec4(lessThan(${at}, ivec4(0))) + uvec4(greaterThanEqual(${at}, ivec4(${size})))`;

/** Where between the zeros an element lies; outside of the picture, if it is a zero. */
const SPREAD = `ivec4 spread(ivec4 at_, int stride) {
  ivec4 i = at_ / stride;
  return ivec4(equal(i * stride, at_)) * (i + 1) - 1;
}
`;

/** The four pixels' rows of a tap in the input; -1 outside of the picture. */
const taps = ({ transposed = false }: WindowKind = {}): string => `${transposed ? SPREAD : ""}
ivec4 taps(ivec4 pictures, ivec4 h, ivec4 w) {
  ${transposed ? "h = spread(h, strideH); w = spread(w, strideW);" : ""}
  bvec4 out_ = notEqual(${outside("h", "inH")} + ${outside("w", "inW")}, uvec4(0));
  ivec4 q = (pictures + h) * inW + w;
  return ivec4(out_.x ? -1 : q.x, out_.y ? -1 : q.y, out_.z ? -1 : q.z, out_.w ? -1 : q.w);
}
`;

const TAP_AT = "taps(pictures, tops + i * dilationH, lefts + j * dilationW)";

/** A loop over the planes of a window; those outside of the volume have no pixels. */
const planes = ({ volume, transposed }: WindowKind, body: string): string =>
  !volume
    ? body
    : `
  ivec4 first = tops;
  for (int l = 0; l < kernelD; l++) {
    ivec4 d = fronts + l * dilationD;
    ${transposed ? "d = spread(d, strideD);" : ""}
    bvec4 out_ = notEqual(${outside("d", "inD")}, uvec4(0));
    pictures = (volumes * inD + d) * inH;
    tops = first - ivec4(out_) * 0x100000; // above every picture
    ${body}
  }`;

/**
 * Convolution of any kernel, stride, padding and dilation, in groups of a multiple of 4 channels:
 * `groupIn` texels of input and `groupOut` of output a group.
 */
export function convProgram(options: EpilogueOptions, kind: WindowKind = {}): ProgramSource {
  const { bias, residual, masked } = options;
  const line = (r: number): string => `
        if (q[${r}] >= 0) {
          int i = (q[${r}] >> 2) * x_width + offset + k;
          y[${r}] += m * texelFetch(x, ivec3(place(i, x_shift), q[${r}] & 3), 0);
        }`;
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: ["w", ...(bias ? ["b"] : [])],
    ints: [...WINDOW_INTS, "groupIn", "groupOut", ...(kind.volume ? VOLUME_INTS : [])],
    head: (options.activation ? HELPERS : "") + BLOCK + taps(kind),
    masked,
    body: `${corners(kind)}
  y[0] = ${bias ? "weight(b, group)" : "vec4(0)"};
  y[1] = y[0]; y[2] = y[0]; y[3] = y[0];
  int offset = (group / groupOut) * groupIn;
  int at_w = group * ${kind.volume ? "kernelD * " : ""}kernelH * kernelW * groupIn;
  ${planes(
    kind,
    `for (int i = 0; i < kernelH; i++) {
    for (int j = 0; j < kernelW; j++) {
      ivec4 q = ${TAP_AT};
      for (int k = 0; k < groupIn; k++) {
        mat4 m = block(w, (at_w + k) << 2, w_shift);
${[0, 1, 2, 3].map(line).join("")}
      }
      at_w += groupIn;
    }
  }`,
  )}
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
    head: (options.activation ? HELPERS : "") + taps(),
    masked,
    body: `${corners()}
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
    head: HELPERS + taps(),
    masked,
    body: `${corners()}
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
