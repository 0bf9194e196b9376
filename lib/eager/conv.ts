import type * as tf from "@tensorflow/tfjs-core";
import type { ConvPlan } from "../functional/conv.js";
import type { ConvTransposePlan } from "../functional/conv-transpose.js";
import {
  conv,
  type ConvAlgorithm,
  type ConvSpec,
  convTranspose,
  depthwise,
  fastestConv,
  packConv,
  packConvTranspose,
  packedConvBytes,
  packedConvTransposeBytes,
} from "../kernels/cpu/index.js";
import { isFloats } from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Memory } from "./memory.js";
import { isFinite } from "./rows.js";

/** The sums of the squares of weights, by their data, which never changes. */
const energies = new WeakMap<object, number>();

function energyOf(memory: Memory, weight: tf.TensorInfo): number {
  let known = energies.get(weight.dataId);
  if (known === undefined) {
    known = memory.values(weight).reduce((sum, value) => sum + value * value, 0);
    energies.set(weight.dataId, known);
  }
  return known;
}

/**
 * The squares of a layer's filter sum to about 0.3 initially, and to somewhat more after training.
 */
const LARGE = 16;

/** Takes the arguments that the op's body has checked. */
const lowerConv: EagerKernel = (memory, [x, weight, given]) => {
  if (!isFloats(x) || !isFloats(weight)) return null;
  const plan = given as ConvPlan;
  const { bias, groups, pads, outShape } = plan;
  const [batch, outChannels] = outShape as [number, number];
  const [, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  const size = x.shape.slice(-kernel.length);
  const spec: ConvSpec = {
    ...{ ...plan, batch, inChannels: perGroup * groups, outChannels, size, kernel },
    ...{ padding: pads.map(([before]) => before), paddingAfter: pads.map(([, after]) => after) },
  };
  return runConv(memory, spec, x, weight, bias, outShape.slice(-x.rank));
};

/** The fastest algorithm; Winograd's only for finite weights, since it spreads NaN and infinity. */
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
  // An op may be called with any filter: for large ones, the larger tiles would round results near
  // 12 by 2e-5.
  return energy > LARGE * spec.outChannels ? fastestConv(spec, 2) : algorithm;
}

/** Runs a convolution whose sizes have been checked. */
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

/**
 * By a matrix product whose results are added where windows overlap, without zeros between pixels.
 */
const lowerConvTranspose: EagerKernel = (memory, [x, weight, given]) => {
  const plan = given as ConvTransposePlan;
  const { bias, groups, outShape } = plan;
  if (!isFloats(x) || !isFloats(weight) || (bias !== null && !isFloats(bias))) return null;
  const [batch, outChannels] = outShape as [number, number];
  const inChannels = weight.shape[0];
  const sizes = { ...plan, batch, inChannels, outChannels, size: plan.count };
  const { heap } = memory;
  const bytes = packedConvTransposeBytes(sizes);
  const packed = memory.pack(weight, `transposed/${groups}`, bytes, (from, to) =>
    packConvTranspose(heap, sizes, from, to),
  );
  const run = convTranspose(heap, sizes);
  return memory.run(run, { x, weight: packed, bias }, outShape.slice(-x.rank));
};

export const CONV: Readonly<Record<string, EagerKernel>> = {
  conv: lowerConv,
  conv_transpose: lowerConvTranspose,
};
