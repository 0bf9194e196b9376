import {
  conv,
  type ConvAlgorithm,
  type ConvSpec,
  convTranspose,
  depthwise,
  expand,
  fastestConv,
  packConv,
  packConvTranspose,
  packedConvBytes,
  packedConvTransposeBytes,
  samePadding,
} from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { type Builder, type Step, Decline, type Lowered } from "./builder.js";
import { activationOf } from "./chain.js";
import { addFiniteCheck, hasFiniteNumbers, isFiniteNode } from "./finite.js";
import { inDimensions, type Lowerings, optionsOf, sizes } from "./lower-basic.js";
import { type Tail, optional } from "./lower-linear.js";
import { inPieces } from "./rows.js";
import { count, type Value } from "./value.js";

function paddingOf(
  padding: Argument,
  kernel: readonly number[],
  dilation: readonly number[],
): { padding: number[]; paddingAfter: number[] } {
  if (padding === "same") return samePadding(kernel, dilation);
  const all = sizes(padding === "valid" ? 0 : padding, kernel.length, 0);
  return { padding: all, paddingAfter: all };
}

/**
 * Adds the border of a `pad` (`[left, right, top, bottom]`, or fewer) to a convolution's padding.
 */
function withBorder<T extends { padding: number[]; paddingAfter: number[] }>(
  { padding, paddingAfter }: T,
  border: readonly number[],
): { padding: number[]; paddingAfter: number[] } {
  const at = (i: number): number => 2 * (padding.length - 1 - i);
  return {
    padding: padding.map((size, i) => size + (border[at(i)] ?? 0)),
    paddingAfter: paddingAfter.map((size, i) => size + (border[at(i) + 1] ?? 0)),
  };
}

function lowerConv(b: Builder, node: Node, dims: number, tail: Tail): Lowered {
  const [input, weight, given] = node.args as [Node, Node, Argument];
  const options = optionsOf(given);
  const shape = shapeOf(node);
  // A border of zeros becomes padding of the convolution, see `isAbsorbed`.
  const bordered = b.isAbsorbed(input) && !b.values.has(input);
  const source = bordered ? (input.args[0] as Node) : input;
  const inputShape = shapeOf(source);
  if (!b.isStatic(weight)) return new Decline("its weights depend on the input");
  if (count(inputShape) === 0) return new Decline("an empty tensor");
  const activation = activationOf(tail.activation ?? []);
  if (activation === null) return new Decline("no kernel for its activation");
  const [outChannels, , ...kernel] = shapeOf(weight) as [number, number, ...number[]];
  const dilation = sizes(options.dilation, dims, 1);
  const batched = inputShape.length === dims + 2;
  const spec: ConvSpec = {
    batch: batched ? inputShape[0]! : 1,
    inChannels: inputShape[batched ? 1 : 0]!,
    outChannels,
    groups: (options.groups as number | undefined) ?? 1,
    size: inputShape.slice(-dims),
    kernel,
    stride: sizes(options.stride, dims, 1),
    dilation,
    ...withBorder(
      paddingOf(options.padding, kernel, dilation),
      bordered ? (input.args[1] as number[]) : [],
    ),
    activation,
  };
  const x = b.contiguous(b.read(source));
  const bias = optional(b, options.bias);
  const residual = optional(b, tail.residual);
  const { inChannels, groups } = spec;
  const isDepthwise = groups === inChannels && groups > 1 && dims < 3;
  if (isDepthwise && residual === null) {
    const isOnlyReader = [input, source].every((one) => b.users.get(one)!.size === 1);
    const before = isOnlyReader ? b.steps.find((step) => step.node === source) : undefined;
    return lowerDepthwise(b, node, spec, { x, bias, before });
  }
  const weightType = b.weightType(weight);
  const algorithm = weightType === "f32" ? algorithmOf(b, spec, weight) : "direct";
  const parts = { inChannels, outChannels, groups, kernel, algorithm, weightType };
  const packed = b.pack(
    `conv/${groups}/${algorithm}/${weightType}`,
    [weight],
    packedConvBytes(parts),
    (to, statics) => {
      const row = count(shapeOf(weight)) / outChannels;
      const grain = groups === 1 ? 4 : outChannels;
      inPieces(b.heap, statics, weight, { rows: outChannels, row, grain }, (piece, first, some) => {
        packConv(b.heap, parts, piece, to, groups === 1 ? { first, count: some } : undefined);
      });
    },
  );
  const run = conv(b.heap, { ...spec, algorithm, weightType });
  if (algorithm !== "direct") {
    b.spreadsNaN = true;
    if (!isFiniteNode(b, source)) addFiniteCheck(b, x.block);
  }
  const out = b.make(shape);
  const reads = { x, weight: packed, bias };
  b.call(
    `conv ${kernel.join("×")}`,
    run,
    { ...reads, residual },
    { out },
    {
      over: [residual],
      flops: (2 * count(shape) * count(shapeOf(weight))) / outChannels,
      convolution: residual ? undefined : { spec: { ...spec, weightType }, ...reads },
    },
  );
  return out;
}

/** The fastest algorithm. Winograd's spreads NaN and infinity, so only for finite weights. */
function algorithmOf(b: Builder, spec: ConvSpec, weight: Node): ConvAlgorithm {
  const algorithm = fastestConv(spec);
  return algorithm !== "direct" && hasFiniteNumbers(b, weight) ? algorithm : "direct";
}

/**
 * Depthwise convolution: each plane by itself, with the weight as it is. Where it pays, a 1 × 1
 * convolution that is read by nothing else is computed in the same step.
 */
function lowerDepthwise(
  b: Builder,
  node: Node,
  spec: ConvSpec,
  { x, bias, before }: { x: Value; bias: Value | null; before: Step | undefined },
): Lowered {
  const { inChannels: channels, outChannels, kernel } = spec;
  const one = { ...spec, channels, multiplier: outChannels / channels };
  const weight = b.read(node.args[1] as Node);
  b.keepsWeight(node.args[1] as Node, "a depthwise convolution's");
  const out = b.make(shapeOf(node));
  const convolution = before?.convolution;
  const fused = convolution && expand(b.heap, convolution.spec, one);
  const name = `depthwise ${kernel.join("×")}`;
  const flops = 2 * count(out.shape) * count(kernel);
  if (fused) {
    const { x: wide, weight: firstWeight, bias: firstBias } = convolution;
    b.steps.splice(b.steps.indexOf(before), 1);
    const reads = { x: wide, firstWeight, firstBias, weight, bias };
    b.call(`${before.kernel}, ${name}`, fused, reads, { out }, { flops: flops + before.flops! });
  } else b.call(name, depthwise(b.heap, one), { x, weight, bias }, { out }, { flops });
  return out;
}

function lowerConvTranspose(b: Builder, node: Node, dims: number): Lowered {
  const [input, weight, given] = node.args as [Node, Node, Argument];
  const options = optionsOf(given);
  const shape = shapeOf(node);
  const x = b.contiguous(b.read(input));
  if (!b.isStatic(weight)) return new Decline("its weights depend on the input");
  const [inChannels, perGroup, ...kernel] = shapeOf(weight) as [number, number, ...number[]];
  const groups = (options.groups as number | undefined) ?? 1;
  const parts = { inChannels, outChannels: perGroup * groups, groups, kernel };
  const run = convTranspose(b.heap, {
    ...parts,
    batch: x.shape.length === dims + 2 ? x.shape[0]! : 1,
    size: x.shape.slice(-dims),
    stride: sizes(options.stride, dims, 1),
    padding: sizes(options.padding, dims, 0),
    outputPadding: sizes(options.outputPadding, dims, 0),
    dilation: sizes(options.dilation, dims, 1),
  });
  b.keepsWeight(weight, "a transposed convolution's");
  const bytes = packedConvTransposeBytes(parts);
  const packed = b.pack(`transposed/${groups}`, [weight], bytes, (to, statics) => {
    const raw = b.heap.put(statics.of(weight).values);
    packConvTranspose(b.heap, parts, raw, to);
    b.heap.free(raw);
  });
  const bias = optional(b, options.bias);
  const out = b.make(shape);
  const flops = 2 * count(x.shape) * perGroup * count(kernel);
  const name = `transposed conv ${kernel.join("×")}`;
  b.call(name, run, { x, weight: packed, bias }, { out }, { flops });
  return out;
}

export const CONV: Lowerings = inDimensions((dims) => ({
  [`conv${dims}d`]: (b, node) => lowerConv(b, node, dims, {}),
  [`conv_transpose${dims}d`]: (b, node) => lowerConvTranspose(b, node, dims),
  [`prim.conv${dims}d`]: (b, node) => lowerConv(b, node, dims, node.args[3] as unknown as Tail),
}));
