/** Linear, convolutions and products of matrices. */
import {
  packMatrix,
  matmulProgram,
  type EpilogueOptions,
} from "../../../kernels/webgl/programs/matmul.js";
import { activationStatement } from "../../../kernels/webgl/programs/expressions.js";
import { batchMatmulProgram } from "../../../kernels/webgl/programs/copy.js";
import {
  convProgram,
  depthwiseProgram,
  type WindowNumbers,
} from "../../../kernels/webgl/programs/conv.js";
import type { Node } from "../../../graph/index.js";
import { isMasked, type Builder, type Read, type Weight } from "../builder.js";
import type { Value } from "../value.js";
import { type Lowering, type Reader, shapeOf, sizesOf } from "./common.js";

interface Tail {
  residual?: Node | null;
  activation?: readonly (readonly [string, ...unknown[]])[];
}

/** An op's epilogue as a program takes it; `null` if a function in it has no expression. */
function readTail(
  b: Builder,
  read: Reader,
  node: Node,
  {
    shape,
    order,
    bias,
  }: { shape: readonly number[]; order: readonly number[]; bias: Weight | null },
): { options: EpilogueOptions; residual: Read[]; weights: Weight[] } | null {
  const { residual = null, activation = [] } = (node.args[3] ?? {}) as unknown as Tail;
  const statement = activationStatement(activation);
  if (statement === null) return null;
  const masked = isMasked(shape[order.at(-1)!]!);
  return {
    options: { bias: bias !== null, residual: residual !== null, activation: statement, masked },
    residual: residual === null ? [] : [b.read(read(residual), order)],
    weights: bias === null ? [] : [bias],
  };
}

const naturalOf = (shape: readonly number[]): number[] => shape.map((_, axis) => axis);

/** The constant bias of an op; `undefined` if it is there but changes. */
function biasOf(b: Builder, node: Node): Weight | null | undefined {
  const { bias } = (node.args[2] ?? {}) as { bias?: Node | null };
  if (!bias) return null;
  return b.vector(bias) ?? undefined;
}

export const linear: Lowering = (b, node, read) => {
  const [x, weight] = node.args as [Node, Node];
  const [outputs, inputs] = shapeOf(weight) as [number, number];
  const w = b.packed(weight, "matrix", (values) => packMatrix(values, { outputs, inputs }));
  const bias = biasOf(b, node);
  if (w === null || bias === undefined) return null;
  const shape = shapeOf(node);
  const order = naturalOf(shape);
  const tail = readTail(b, read, node, { shape, order, bias });
  if (tail === null) return null;
  const input = b.read(read(x));
  return b.draw(matmulProgram({ ...tail.options, single: input.layout.rows === 1 }), shape, {
    inputs: [input, ...tail.residual],
    weights: [w, ...tail.weights],
  });
};

/** Padding before each side, and whether it is the same after: any other is padded beforehand. */
function readPadding(
  padding: unknown,
  dims: { kernel: number[]; dilation: number[] },
): number[] | null {
  const n = dims.kernel.length;
  if (padding === "valid") return dims.kernel.map(() => 0);
  if (padding !== "same") return sizesOf(padding as number | number[], n);
  const total = dims.kernel.map((size, i) => dims.dilation[i]! * (size - 1));
  // Only the size before matters: what comes after follows from the size of the output.
  return total.map((size) => Math.floor(size / 2));
}

/** Zeros above and left of a picture. */
function borderOf(pad: Node): [top: number, left: number] {
  const [left = 0, , top = 0] = pad.args[1] as number[];
  return [top, left];
}

/** Whether nothing but convolutions reads a border of zeros: then they can do without it. */
export function isAbsorbed(node: Node, users: ReadonlySet<Node>): boolean {
  if (node.target !== "pad" || shapeOf(node).length !== 4) return false;
  const sizes = node.args[1] as number[];
  const { mode = "constant", value = 0 } = (node.args[2] ?? {}) as {
    mode?: string;
    value?: number;
  };
  const isZero = mode === "constant" && !value && sizes.length <= 4 && sizes.every((n) => n >= 0);
  return isZero && [...users].every((user) => isConv2d(user) && user.args[0] === node);
}

const isConv2d = ({ target, args }: Node): boolean => {
  const { padding = 0 } = (args[2] ?? {}) as { padding?: unknown };
  return /^(prim\.)?conv2d$/.test(target) && typeof padding !== "string";
};

export const conv: Lowering = (b, node, read) => {
  const [x, weight] = node.args as [Node, Node];
  const options = (node.args[2] ?? {}) as Record<string, unknown>;
  const weightShape = shapeOf(weight);
  const n = weightShape.length - 2;
  const shape = shapeOf(node);
  // A border of zeros is what a window finds outside of the picture anyway.
  const border = b.absorbed.has(x) ? borderOf(x) : [0, 0];
  const input = read(b.absorbed.has(x) ? (x.args[0] as Node) : x);
  if (n > 2 || shape.length !== n + 2) return null;
  const groups = (options.groups as number | undefined) ?? 1;
  const [outputs, perGroup] = weightShape as [number, number];
  const kernel = weightShape.slice(2);
  const stride = sizesOf((options.stride ?? 1) as number, n);
  const dilation = sizesOf((options.dilation ?? 1) as number, n);
  const padding = readPadding(options.padding ?? 0, { kernel, dilation })?.map(
    (size, i) => size + border[i + 2 - n]!,
  );
  const bias = biasOf(b, node);
  if (padding === undefined || bias === undefined) return null;

  const isDepthwise = perGroup === 1 && groups === outputs && groups > 1;
  const fits = groups === 1 || (perGroup % 4 === 0 && (outputs / groups) % 4 === 0);
  if (!isDepthwise && !fits) return null;
  const order = [0, ...kernel.map((_, i) => i + 2), 1];
  const tail = readTail(b, read, node, { shape, order, bias });
  if (tail === null) return null;
  const inputs = [b.read(input, order), ...tail.residual];
  const taps = kernel.reduce((product, size) => product * size, 1);
  const isPoint = taps === 1 && groups === 1 && [...stride].every((one) => one === 1) && padding.every((one) => one === 0); // prettier-ignore
  // PyTorch's weights are (out, in, taps).
  const w = isDepthwise
    ? b.packed(weight, "depthwise", (values) => packDepthwise(values, outputs, taps))
    : b.packed(weight, "matrix", (values) =>
        packMatrix(values, {
          outputs,
          inputs: perGroup,
          taps,
          strides: [perGroup * taps, 1, taps],
        }),
      );
  if (w === null) return null;
  const weights = [w, ...tail.weights];
  if (isPoint) {
    const single = inputs[0]!.layout.rows === 1;
    return b.draw(matmulProgram({ ...tail.options, single }), shape, { order, inputs, weights });
  }

  const ints: Record<string, number> = {
    ...windowNumbers({ input: input.shape, output: shape, kernel, stride, padding, dilation }),
    groupIn: Math.ceil(perGroup / 4),
    groupOut: Math.ceil(outputs / groups / 4),
  };
  const program = isDepthwise ? depthwiseProgram(tail.options) : convProgram(tail.options);
  return b.draw(program, shape, { order, inputs, weights, ints });
};

function packDepthwise(values: Float32Array, channels: number, taps: number): Float32Array {
  const packed = new Float32Array(Math.ceil(channels / 4) * taps * 4);
  for (let c = 0; c < channels; c += 1) {
    for (let t = 0; t < taps; t += 1)
      packed[((c >> 2) * taps + t) * 4 + (c & 3)] = values[c * taps + t]!;
  }
  return packed;
}

/** Lines of pictures are of height 1. */
export function windowNumbers(sizes: {
  input: readonly number[];
  output: readonly number[];
  kernel: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
}): WindowNumbers {
  const plane = (list: readonly number[], one: number): [number, number] =>
    list.length === 1 ? [one, list[0]!] : [list[0]!, list[1]!];
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

/** `prim.matmul(a, b, transposeA, transposeB)` of two tensors that change. */
export const matmul: Lowering = (b, node, read) => {
  const [left, right, transposeA, transposeB] = node.args as [Node, Node, boolean, boolean];
  if (transposeA) return null;
  const shape = shapeOf(node);
  const [one, two] = [read(left), read(right)];
  if (one.shape.length !== two.shape.length) return null;
  const [a, c] = [b.read(one), b.read(two)];
  const batch = (value: Value): number => value.shape.slice(0, -2).reduce((x, y) => x * y, 1);
  const isShared = batch(two) === 1;
  const sameBatch = one.shape.slice(0, -2).every((size, i) => size === two.shape[i]);
  if (!isShared && !sameBatch) return null;
  const masked = isMasked(shape.at(-1)!);
  return b.draw(batchMatmulProgram(Boolean(transposeB), masked), shape, {
    inputs: [a, c],
    ints: { a_rows: one.shape.at(-2)!, b_rows: two.shape.at(-2)!, one_b: isShared ? 1 : 0 },
  });
};
