/** `im2col` and `col2im`: windows of a picture as columns, and back. */
import type { Node } from "../../../graph/index.js";
import { padProgram } from "../../../kernels/webgl/programs/pad.js";
import type { Builder } from "../builder.js";
import { permuted, reshaped, type Value, wholeOf } from "../value.js";
import { dtypeOf, type Lowering, shapeOf, type Size, type WindowOptions, windowOf } from "./common.js"; // prettier-ignore
import { along, type Table } from "./windows.js";

/** The window options, and the number of windows along each axis of a picture of `size`. */
function readWindows(
  size: readonly number[],
  kernelSize: Size,
  options: WindowOptions,
): ReturnType<typeof windowOf> & { count: number[] } {
  const window = windowOf(2, kernelSize, { stride: 1, ...options });
  const { kernel, dilation, padding, stride } = window;
  const count = size.map((one, d) => Math.floor((one + 2 * padding[d]! - dilation[d]! * (kernel[d]! - 1) - 1) / stride[d]!) + 1); // prettier-ignore
  return { ...window, count };
}

/** Pads `(N, C, H, W)` with zeros on all four sides. */
function surround(b: Builder, value: Value, [top, left]: readonly number[]): Value {
  if (top === 0 && left === 0) return value;
  const [n, c, inH, inW] = value.shape as [number, number, number, number];
  const [outH, outW] = [inH + 2 * top!, inW + 2 * left!];
  const order = [0, 2, 3, 1];
  return b.draw(padProgram("constant", false), [n, c, outH, outW], {
    order,
    inputs: [b.read(value, order)],
    ints: { inH, inW, outH, outW, top: top!, left: left! },
    floats: { value: 0 },
  });
}

/** `im2col(x, kernel, options)`: a copy of a strided view of the (padded) picture. */
export const unfold: Lowering = (b, node, read) => {
  const [x, kernelSize, options = {}] = node.args as unknown as [Node, Size, WindowOptions | undefined]; // prettier-ignore
  const given = read(x);
  if (dtypeOf(node) === "bool" || given.shape.includes(0)) return null;
  const [batch, channels, ...size] = given.shape.length === 3 ? [1, ...given.shape] : given.shape;
  const { kernel, dilation, padding, stride, count } = readWindows(size, kernelSize, options);
  const value = surround(b, reshaped(given, [batch!, channels!, ...size])!, padding);
  const [n, c, h, w] = value.strides as [number, number, number, number];
  const windows = {
    ...value,
    shape: [batch!, channels!, ...kernel, ...count],
    strides: [n, c, h * dilation[0]!, w * dilation[1]!, h * stride[0]!, w * stride[1]!],
  };
  return reshaped(b.copy(windows, [0, 1, 2, 3, 4, 5]), shapeOf(node));
};

/** `col2im(x, outputSize, kernel, options)`: sums along the height first, then along the width. */
export const fold: Lowering = (b, node, read) => {
  const [x, , kernelSize, options = {}] = node.args as unknown as [Node, Size, Size, WindowOptions | undefined]; // prettier-ignore
  const shape = shapeOf(node);
  const [batch, channels, ...size] = shape.length === 3 ? [1, ...shape] : shape;
  const { kernel, dilation, padding, stride, count } = readWindows(size, kernelSize, options);
  const given = read(x);
  if (given.shape.includes(0)) return null;
  const sizes = [batch!, channels!, ...kernel, ...count];
  const value = reshaped(given, sizes) ?? reshaped(wholeOf(b.read(given).tensor), sizes)!;
  // (N, KH, OH, KW, OW, C): each kernel axis directly before the window axis of the same dimension,
  // so that the two can be merged into one.
  const beside = b.copy(permuted(value, [0, 2, 4, 3, 5, 1]), [0, 1, 2, 3, 4, 5]);
  const joined = [0, 1].map((d) => kernel[d]! * count[d]!);
  const kernelPlaces = kernel.map((one) => [...new Array<number>(one).keys()]);
  const table = (d: number): Table =>
    Array.from({ length: size[d]! }, (_, at) =>
      kernelPlaces[d]!.flatMap((k) => {
        const window = (at + padding[d]! - k * dilation[d]!) / stride[d]!;
        const isOne = Number.isInteger(window) && window >= 0 && window < count[d]!;
        return isOne ? [[k * count[d]! + window, 1] as const] : [];
      }),
    );
  let y = reshaped(beside, [batch!, ...joined, channels!])!;
  for (const d of [0, 1]) y = along(b, y, d + 1, table(d), "sum");
  return reshaped(permuted(y, [0, 3, 1, 2]), shape);
};
