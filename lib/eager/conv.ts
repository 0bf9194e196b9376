import type * as tf from "@tensorflow/tfjs-core";
import {
  conv,
  type ConvAlgorithm,
  type ConvSpec,
  depthwise,
  fastestConv,
  packConv,
  packedConvBytes,
  samePadding,
  windowsOf,
} from "../kernels/cpu/index.js";
import { isFloats, options, product, sizes, vector } from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Memory } from "./memory.js";
import { isFinite } from "./rows.js";

/** Sums of the squares of weights, by their data, which never change. */
const energies = new WeakMap<object, number>();

function energyOf(memory: Memory, weight: tf.TensorInfo): number {
  let known = energies.get(weight.dataId);
  if (known === undefined) {
    known = memory.values(weight).reduce((sum, value) => sum + value * value, 0);
    energies.set(weight.dataId, known);
  }
  return known;
}

/** The squares of a layer's filter sum to 0.3 at first, and to some more when it is trained. */
const LARGE = 16;

function paddingOf(
  given: unknown,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): { padding: number[]; paddingAfter: number[] } | null {
  if (given === "same") {
    return stride.some((step) => step !== 1) ? null : samePadding(kernel, dilation);
  }
  const padding = sizes(given === "valid" ? 0 : given, kernel.length, 0, 0);
  return padding && { padding, paddingAfter: padding };
}

const lowerConv =
  (dims: number): EagerKernel =>
  (memory, [x, weight, given]) => {
    const read = options(given, "bias stride padding dilation groups");
    if (read === null || !isFloats(x) || !isFloats(weight)) return null;
    if (weight.rank !== dims + 2 || (x.rank !== dims + 1 && x.rank !== dims + 2)) return null;
    const [outChannels, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
    const stride = sizes(read.stride, dims, 1, 1);
    const dilation = sizes(read.dilation, dims, 1, 1);
    const bias = vector(read.bias, outChannels);
    const groups = (read.groups ?? 1) as number;
    if (stride === null || dilation === null || bias === undefined) return null;
    const padding = paddingOf(read.padding, kernel, stride, dilation);
    const batched = x.rank === dims + 2;
    const inChannels = x.shape[batched ? 1 : 0]!;
    const isDivided = Number.isInteger(groups) && groups > 0 && outChannels % groups === 0;
    if (padding === null || !isDivided || inChannels !== perGroup * groups) return null;
    const spec: ConvSpec = {
      ...{ batch: batched ? x.shape[0] : 1, inChannels, outChannels, groups, kernel },
      ...{ size: x.shape.slice(-dims), stride, dilation, ...padding },
    };
    const out = windowsOf(spec).out.slice(-dims);
    const lead = batched ? [spec.batch!, outChannels] : [outChannels];
    return product(out) === 0 ? null : runConv(memory, spec, x, weight, bias, [...lead, ...out]);
  };

/** The fastest one; Winograd's where there is nothing that it would spread. */
export function algorithmOf(
  memory: Memory,
  spec: ConvSpec,
  x: tf.TensorInfo,
  weight: tf.TensorInfo,
): ConvAlgorithm {
  const algorithm = fastestConv(spec);
  if (algorithm === "direct") return algorithm;
  const energy = energyOf(memory, weight);
  if (!Number.isFinite(energy) || !isFinite(memory, x)) return "direct";
  // Ops take filters of any kind: of large ones, larger tiles would round results near 12 by 2e-5.
  return energy > LARGE * spec.outChannels ? fastestConv(spec, 2) : algorithm;
}

/** A convolution whose sizes are right. */
export function runConv(
  memory: Memory,
  spec: ConvSpec,
  x: tf.TensorInfo,
  weight: tf.TensorInfo,
  bias: tf.TensorInfo | null,
  shape: readonly number[],
): tf.TensorInfo | null {
  const { heap } = memory;
  const { inChannels, outChannels, groups = 1, kernel } = spec;
  if (groups === inChannels && groups > 1 && kernel.length < 3) {
    const run = depthwise(heap, { ...spec, channels: groups, multiplier: outChannels / groups });
    return memory.run(run, { x, weight, bias }, shape);
  }
  const algorithm = algorithmOf(memory, spec, x, weight);
  const parts = { inChannels, outChannels, groups, kernel, algorithm } as const;
  const name = `conv/${groups}/${kernel.join("x")}/${algorithm}`;
  const packed = memory.pack(weight, name, packedConvBytes(parts), (from, to) =>
    packConv(heap, parts, from, to),
  );
  const run = conv(heap, { ...spec, algorithm });
  return memory.run(run, { x, weight: packed, bias }, shape);
}

export const CONV: Readonly<Record<string, EagerKernel>> = {
  conv1d: lowerConv(1),
  conv2d: lowerConv(2),
  conv3d: lowerConv(3),
};
