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

/** Of what the op's body has read and checked. */
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

/** By a product that is added up where windows overlap: there are no zeros between pixels. */
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
