/** Convolutions of one to three dimensions, plain and transposed. */
import {
  convProgram,
  depthwiseProgram,
  type WindowNumbers,
} from "../../../kernels/webgl/programs/conv.js";
import { matmulProgram, packMatrix } from "../../../kernels/webgl/programs/matmul.js";
import type { Node } from "../../../graph/index.js";
import type { Weight, Builder } from "../builder.js";
import { reshaped } from "../value.js";
import { count, type Lowering, shapeOf, sizesOf } from "./common.js";
import { biasOf, readTail } from "./products.js";
import { suitsTiles, winograd, winogradWeight } from "./winograd.js";

/** The padding before each axis. The padding after it follows from the size of the output. */
function readPadding(padding: unknown, dims: { kernel: number[]; dilation: number[] }): number[] {
  const n = dims.kernel.length;
  if (padding === "valid") return dims.kernel.map(() => 0);
  if (padding !== "same") return sizesOf(padding as number | number[], n);
  const total = dims.kernel.map((size, i) => dims.dilation[i]! * (size - 1));
  return total.map((size) => Math.floor(size / 2));
}

/**
 * Rows of zeros above and columns of zeros left of the picture that an absorbed `pad` node adds.
 */
function borderOf(pad: Node): [top: number, left: number] {
  const [left = 0, , top = 0] = pad.args[1] as number[];
  return [top, left];
}

/** Sizes and options of a convolution node. */
interface Convolution {
  n: number;
  groups: number;
  outputs: number;
  /** Input channels per group. */
  perGroup: number;
  kernel: number[];
  stride: number[];
  dilation: number[];
  isTransposed: boolean;
}

function readConvolution(node: Node): Convolution {
  const weight = shapeOf(node.args[1] as Node);
  const options = (node.args[2] ?? {}) as Record<string, unknown>;
  const n = weight.length - 2;
  const isTransposed = node.target.includes("transpose");
  const groups = (options.groups as number | undefined) ?? 1;
  const [first, second] = weight as [number, number];
  return {
    ...{ n, groups, isTransposed },
    outputs: isTransposed ? second * groups : first,
    perGroup: isTransposed ? first / groups : second,
    kernel: weight.slice(2),
    stride: sizesOf((options.stride ?? 1) as number, n),
    dilation: sizesOf((options.dilation ?? 1) as number, n),
  };
}

/**
 * Packs the weights as a matrix. Where groups are not whole texels (`isDense`), the groups become
 * one with zeros between them.
 */
function packWeight(b: Builder, weight: Node, conv: Convolution, isDense: boolean): Weight | null {
  const { outputs, perGroup, groups, isTransposed } = conv;
  const taps = conv.kernel.reduce((product, size) => product * size, 1);
  const perOutput = outputs / groups;
  const inputs = isDense ? perGroup * groups : perGroup;
  // PyTorch stores weights as (out, in, taps), and transposed ones as (in, out, taps) with the taps
  // in reverse order.
  const pack = (values: Float32Array): Float32Array => {
    const plain = !isTransposed && !(isDense && groups > 1);
    if (plain) return packMatrix(values, { outputs, inputs, taps, strides: [perGroup * taps, 1, taps] }); // prettier-ignore
    const whole = new Float32Array(outputs * taps * inputs);
    for (let o = 0; o < outputs; o += 1) {
      const group = Math.floor(o / perOutput);
      for (let i = 0; i < perGroup; i += 1) {
        const row = isTransposed
          ? (group * perGroup + i) * perOutput + (o % perOutput)
          : o * perGroup + i;
        const to = isDense ? group * perGroup + i : i;
        for (let t = 0; t < taps; t += 1) {
          const tap = isTransposed ? taps - 1 - t : t;
          whole[(o * taps + t) * inputs + to] = values[row * taps + tap]!;
        }
      }
    }
    return packMatrix(whole, { outputs, inputs, taps });
  };
  return b.packed(weight, `matrix ${isTransposed} ${isDense ? groups : 1}`, pack);
}

/**
 * The largest number of elements up to which grouped weights are filled up with zeros to one group.
 */
const MOST_DENSE = 1 << 20;

export const conv: Lowering = (b, node, read) => {
  const [x, weight] = node.args as [Node, Node];
  const conv = readConvolution(node);
  const { n, groups, outputs, perGroup, kernel, stride, dilation, isTransposed } = conv;
  const options = (node.args[2] ?? {}) as Record<string, unknown>;
  const batched = shapeOf(node).length === n + 2;
  const withBatch = (shape: readonly number[]): number[] => (batched ? [...shape] : [1, ...shape]);
  const shape = withBatch(shapeOf(node));
  // A window reads zeros outside of the picture, so that a border of zeros needs no draw of its
  // own.
  const border = b.absorbed.has(x) ? borderOf(x) : [0, 0];
  const given = read(b.absorbed.has(x) ? (x.args[0] as Node) : x);
  const input = reshaped(given, withBatch(given.shape))!;
  if (shape.includes(0) || input.shape.includes(0)) return null;
  const before = readPadding(options.padding ?? 0, { kernel, dilation });
  const padding = before.map((size, i) =>
    isTransposed ? dilation[i]! * (kernel[i]! - 1) - size : size + (border[i + 2 - n] ?? 0),
  );
  const bias = biasOf(b, node);
  if (bias === undefined) return null;

  const isDepthwise = perGroup === 1 && groups === outputs && groups > 1 && n < 3 && !isTransposed;
  const fits = groups === 1 || (perGroup % 4 === 0 && (outputs / groups) % 4 === 0);
  const taps = count(kernel);
  const isDense = !fits && !isDepthwise;
  if (isDense && outputs * perGroup * groups * taps > MOST_DENSE) return null;
  const order = [0, ...kernel.map((_, i) => i + 2), 1];
  const tail = readTail(b, read, node, { shape, order, bias });
  const isSquare = n === 2 && kernel.every((size) => size === 3);
  const isPlain = [...stride, ...dilation, groups].every((one) => one === 1) && !isTransposed;
  const inTiles =
    isSquare && isPlain && suitsTiles(perGroup, shape) && b.isPrecise && b.givesFinite(x);
  // The zeros between groups would turn an infinity in one group into NaN in all others.
  const isFilled = isDense && groups > 1;
  if (isFilled && !b.givesFinite(x)) return null;
  // In Winograd tiles, a NaN or an infinity also reaches pixels whose windows do not hold it. This
  // flag makes the plan check its inputs.
  b.spreadsNaN ||= inTiles || isFilled;
  const w = inTiles
    ? winogradWeight(b, weight)
    : isDepthwise
      ? b.packed(weight, "depthwise", (values) => packDepthwise(values, outputs, taps))
      : packWeight(b, weight, conv, isDense);
  if (tail === null || w === null) return null;
  const inputs = [b.read(input, order), ...tail.residual];
  const products = isTransposed ? (count(input.shape) * outputs) / groups : count(shape) * perGroup;
  const flops = 2 * products * taps;
  if (inTiles) {
    const size = input.shape.slice(2);
    const numbers = { size, padding, shape, order, flops };
    const y = winograd(b, { input: inputs[0]!, weight: w, tail, ...numbers });
    return reshaped(y, shapeOf(node));
  }
  const weights = [w, ...tail.weights];
  const isPoint =
    taps === 1 && groups === 1 && stride.every((one) => one === 1) && padding.every((one) => one === 0); // prettier-ignore
  if (isPoint) {
    const single = inputs[0]!.layout.rows === 1;
    const source = matmulProgram({ ...tail.options, single });
    return reshaped(b.draw(source, shape, { order, inputs, weights, flops }), shapeOf(node));
  }
  const sizes = { input: input.shape, output: shape, kernel, stride, padding, dilation };
  const ints: Record<string, number> = {
    ...windowNumbers(sizes),
    ...(n === 3 ? depthNumbers(sizes) : {}),
    groupIn: Math.ceil((isDense ? perGroup * groups : perGroup) / 4),
    groupOut: Math.ceil((isDense ? outputs : outputs / groups) / 4),
  };
  const thin = groups === 1 && perGroup <= 4;
  const kind = { volume: n === 3, transposed: isTransposed, thin };
  const source = isDepthwise ? depthwiseProgram(tail.options) : convProgram(tail.options, kind);
  return reshaped(b.draw(source, shape, { order, inputs, weights, ints, flops }), shapeOf(node));
};

function packDepthwise(values: Float32Array, channels: number, taps: number): Float32Array {
  const packed = new Float32Array(Math.ceil(channels / 4) * taps * 4);
  for (let c = 0; c < channels; c += 1) {
    for (let t = 0; t < taps; t += 1)
      packed[((c >> 2) * taps + t) * 4 + (c & 3)] = values[c * taps + t]!;
  }
  return packed;
}

interface WindowSizes {
  input: readonly number[];
  output: readonly number[];
  kernel: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
}

function depthNumbers(sizes: WindowSizes): Record<string, number> {
  return {
    ...{ inD: sizes.input[2]!, outD: sizes.output[2]!, kernelD: sizes.kernel[0]! },
    ...{ strideD: sizes.stride[0]!, padD: sizes.padding[0]!, dilationD: sizes.dilation[0]! },
  };
}

/**
 * The numbers for the last two dimensions, as a program takes them. One-dimensional inputs get
 * height 1.
 */
export function windowNumbers(sizes: WindowSizes): WindowNumbers {
  const plane = (list: readonly number[], one: number): [number, number] =>
    list.length === 1 ? [one, list[0]!] : [list.at(-2)!, list.at(-1)!];
  const [inH, inW] = plane(sizes.input.slice(2), 1);
  const [outH, outW] = plane(sizes.output.slice(2), 1);
  const [kernelH, kernelW] = plane(sizes.kernel, 1);
  const [strideH, strideW] = plane(sizes.stride, 1);
  const [padH, padW] = plane(sizes.padding, 0);
  const [dilationH, dilationW] = plane(sizes.dilation, 1);
  return {
    ...{ inH, inW, outH, outW, kernelH, kernelW, strideH, strideW },
    ...{ padH, padW, dilationH, dilationW },
  };
}
