import { adaptiveAvgPoolProgram, poolProgram } from "../../../kernels/webgl/programs/conv.js";
import type { Node } from "../../../graph/index.js";
import { isMasked } from "../builder.js";
import {
  count,
  type Lowering,
  shapeOf,
  type Size,
  type WindowOptions,
  windowOf,
} from "./common.js";
import { windowNumbers } from "./convolutions.js";

interface PoolOptions extends WindowOptions {
  ceilMode?: boolean;
  returnIndices?: boolean;
  countIncludePad?: boolean;
  divisorOverride?: number | null;
}

/** The axes of `(N, C, H, W)` or `(N, C, L)` with the channels last. */
const orderOf = (rank: number): number[] => [
  0,
  ...Array.from({ length: rank - 2 }, (_, i) => i + 2),
  1,
];

export const pool: Lowering = (b, node, read) => {
  const n = node.target.endsWith("1d") ? 1 : 2;
  const value = read(node.args[0] as Node);
  const options = (node.args[2] ?? {}) as PoolOptions;
  if (value.shape.length !== n + 2 || options.returnIndices) return null;
  const isMax = node.target.startsWith("max");
  const { kernel, stride, padding, dilation } = windowOf(n, node.args[1] as Size, options);
  const pads = padding.some((one) => one > 0);
  // In ceil mode the last windows of an average divide by fewer elements. `separatePool` does that.
  if (!isMax && options.ceilMode) return null;
  const includes = options.countIncludePad ?? true;
  const all = count(kernel);
  const divisor = options.divisorOverride ?? (includes || !pads ? all : 0);
  const shape = shapeOf(node);
  const order = orderOf(shape.length);
  return b.draw(poolProgram(isMax ? "max" : "avg", isMax && isMasked(shape[1]!)), shape, {
    order,
    inputs: [b.read(value, order)],
    ints: {
      ...windowNumbers({ input: value.shape, output: shape, kernel, stride, padding, dilation }),
      divisor,
    },
    flops: count(shape) * all,
  });
};

export const adaptiveAvgPool: Lowering = (b, node, read) => {
  const value = read(node.args[0] as Node);
  const shape = shapeOf(node);
  const n = node.target.endsWith("1d") ? 1 : 2;
  if (value.shape.length !== n + 2) return null;
  const order = orderOf(shape.length);
  const none = new Array<number>(n).fill(1);
  const numbers = windowNumbers({
    ...{ input: value.shape, output: shape, kernel: none, stride: none },
    ...{ padding: none, dilation: none },
  });
  const { inH, inW, outH, outW } = numbers;
  return b.draw(adaptiveAvgPoolProgram(false), shape, {
    order,
    inputs: [b.read(value, order)],
    ints: { inH, inW, outH, outW },
    flops: count(value.shape),
  });
};
