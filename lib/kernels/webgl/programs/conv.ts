import { eachRow, type ProgramSource } from "../program.js";
import { HELPERS } from "./expressions.js";
import { epilogue, type EpilogueOptions } from "./matmul.js";

/** The uniforms of every program that slides a window over images `(N, H, W, C)`. */
export const WINDOW_INTS = [
  ...["inH", "inW", "outH", "outW", "kernelH", "kernelW"],
  ...["strideH", "strideW", "padH", "padW", "dilationH", "dilationW"],
] as const;

export type WindowNumbers = Record<(typeof WINDOW_INTS)[number], number>;

/** The uniforms for the third dimension of volumes. */
export const VOLUME_INTS = [...["inD", "outD", "kernelD", "strideD", "padD", "dilationD"]] as const;

export interface WindowKind {
  /** Volumes `(N, D, H, W, C)`. */
  volume?: boolean;
  /** A transposed convolution: strides spread the input, with zeros between its elements. */
  transposed?: boolean;
  /**
   * Whether the input's channels fit into one texel, as those of a photo, so that there is no loop
   * over them.
   */
  thin?: boolean;
}

/** Where the windows of the fragment's four pixels begin, and in which image. */
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

/** Negative where a position is outside of an image of that size, else not. */
const outside = (at: string, size: string): string => `(${at} | (${size} - 1 - ${at}))`;

/**
 * The position of the element at a position among the zeros; outside of the image if there is a
 * zero.
 */
const SPREAD = `ivec4 spread(ivec4 at_, int stride) {
  ivec4 i = at_ / stride;
  return ivec4(equal(i * stride, at_)) * (i + 1) - 1;
}
`;

/**
 * A loop over the taps of a window. `q` are the rows of the four pixels in the input, negative
 * outside of the image. The loops are the same for all fragments.
 */
function eachTap({ volume, transposed }: WindowKind, body: string): string {
  const spread = (at: string, size: string): string =>
    transposed ? `${at} = spread(${at}, stride${size});` : "";
  const plane = `for (int i = 0; i < kernelH; i++) {
    ivec4 top = tops + i * dilationH;
    ${spread("top", "H")}
    ivec4 line = (pictures + top) * inW, out_ = ${outside("top", "inH")}${volume ? " | beyond" : ""};
    for (int j = 0; j < kernelW; j++) {
      ivec4 left = lefts + j * dilationW;
      ${spread("left", "W")}
      ivec4 q = (line + left) | ((out_ | ${outside("left", "inW")}) >> 31);
      ${body}
    }
  }`;
  if (!volume) return plane;
  return `for (int l = 0; l < kernelD; l++) {
    ivec4 front = fronts + l * dilationD;
    ${spread("front", "D")}
    ivec4 beyond = ${outside("front", "inD")};
    ivec4 pictures = (volumes * inD + front) * inH;
    ${plane}
  }`;
}

/** The value at a tap, or zeros outside of the image, where an arbitrary texel is read. */
const inside = (r: number, value: string, zero = "vec4(0)"): string =>
  `mix(${value}, ${zero}, bvec4(q[${r}] < 0))`;

/**
 * Convolution with any kernel size, stride, padding and dilation, in groups of a multiple of 4
 * channels: each group has `groupIn` texels of input and `groupOut` of output.
 */
export function convProgram(options: EpilogueOptions, kind: WindowKind = {}): ProgramSource {
  const { bias, residual, masked } = options;
  const add = (r: number, i: string): string => {
    const value = `texel(x, ${i}, q[${r}] & 3)`;
    // Zeros between the input's elements are left out of the sums, as in PyTorch: a weight may be
    // infinite.
    return `y[${r}] += ${kind.transposed ? inside(r, `m * ${value}`) : `m * ${inside(r, value)}`};`;
  };
  const channels = kind.thin
    ? `mat4 m = block(w, at_w);
      at_w += 4;
      ${eachRow((r) => add(r, `max(q[${r}], 0) >> 2`))}`
    : `ivec4 at_x = (max(q, 0) >> 2) * x_width + offset;
      for (int k = 0; k < groupIn; k++) {
        mat4 m = block(w, at_w);
        at_w += 4;
        ${eachRow((r) => add(r, `at_x[${r}] + k`))}
      }`;
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: ["w", ...(bias ? ["b"] : [])],
    ints: [...WINDOW_INTS, "groupIn", "groupOut", ...(kind.volume ? VOLUME_INTS : [])],
    head: (options.activation ? HELPERS : "") + (kind.transposed ? SPREAD : ""),
    even: true,
    masked,
    body: `${corners(kind)}
  y[0] = ${bias ? "weight(b, group)" : "vec4(0)"};
  y[1] = y[0]; y[2] = y[0]; y[3] = y[0];
  int offset = (group / groupOut) * groupIn;
  int at_w = (group * ${kind.volume ? "kernelD * " : ""}kernelH * kernelW * groupIn) << 2;
  ${eachTap(kind, channels)}
  ${epilogue(options)}`,
  };
}

/** Depthwise convolution; weights are `[C / 4][taps]` texels. */
export function depthwiseProgram(options: EpilogueOptions): ProgramSource {
  const { bias, residual, masked } = options;
  return {
    tensors: ["x", ...(residual ? ["residual"] : [])],
    weights: ["w", ...(bias ? ["b"] : [])],
    ints: WINDOW_INTS,
    head: options.activation ? HELPERS : "",
    even: true,
    masked,
    body: `${corners()}
  y[0] = ${bias ? "weight(b, group)" : "vec4(0)"};
  y[1] = y[0]; y[2] = y[0]; y[3] = y[0];
  int at_w = group * kernelH * kernelW;
  ${eachTap(
    {},
    `vec4 m = weight(w, at_w);
      at_w++;
      ${eachRow((r) => `y[${r}] += m * ${inside(r, `at(x, max(q[${r}], 0), group)`)};`)}`,
  )}
  ${epilogue(options)}`,
  };
}

/**
 * Maxima or means of windows. `divisor` 0: means over the elements inside of the image; else a
 * fixed divisor.
 */
export function poolProgram(kind: "max" | "avg", masked: boolean): ProgramSource {
  const isMax = kind === "max";
  return {
    tensors: ["x"],
    ints: [...WINDOW_INTS, "divisor"],
    head: HELPERS,
    even: true,
    masked,
    body: `${corners()}
  ${eachRow((r) => `y[${r}] = vec4(${isMax ? "-1.0 / 0.0" : "0"});`)}
  ivec4 count = ivec4(0);
  ${eachTap(
    {},
    eachRow((r) => {
      const value = `at(x, max(q[${r}], 0), group)`;
      if (isMax) return `y[${r}] = most(${inside(r, value, "vec4(-1.0 / 0.0)")}, y[${r}]);`;
      return `y[${r}] += ${inside(r, value)}; count[${r}] += 1 + (q[${r}] >> 31);`;
    }),
  )}
  ${isMax ? "" : eachRow((r) => `y[${r}] /= float(divisor > 0 ? divisor : count[${r}]);`)}`,
  };
}

/**
 * Means over the windows of PyTorch's adaptive pooling; for an output of 1 × 1, the global mean.
 */
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
