import { expandSteps } from "../arguments.js";
import { formatTuple, init, type Parameter } from "../module/index.js";

/** The constructor's checks that all convolutions share. */
export function checkChannels(inChannels: number, outChannels: number, groups: number): void {
  if (groups <= 0) throw new Error(`groups must be a positive integer, got ${groups}`);
  if (inChannels % groups !== 0) {
    throw new Error(`in_channels must be divisible by groups, got ${inChannels} and ${groups}`);
  }
  if (outChannels % groups !== 0) {
    throw new Error(`out_channels must be divisible by groups, got ${outChannels} and ${groups}`);
  }
}

/** Weight and bias start as U(-k, k), k = 1 / √fanIn. */
export function resetConv(weight: Parameter, bias: Parameter | null): void {
  init.kaimingUniform_(weight, { a: Math.sqrt(5) });
  const [fanIn] = init.calculateFanInAndFanOut(weight.shape);
  if (bias && fanIn !== 0)
    init.uniform_(bias, { a: -1 / Math.sqrt(fanIn), b: 1 / Math.sqrt(fanIn) });
}

/**
 * Checks a stride, a padding or a dilation; a list of one stays as it is, as PyTorch keeps and prints
 * it.
 */
export function keepSteps(
  where: string,
  value: number | readonly number[],
  dims: number,
): readonly number[] {
  const steps = expandSteps(where, value, dims);
  return Array.isArray(value) ? [...(value as readonly number[])] : steps;
}

/** What convolutions of both directions print: what differs from the defaults. */
export function convText(layer: {
  inChannels: number;
  outChannels: number;
  kernelSize: readonly number[];
  stride: readonly number[];
  padding: readonly number[] | string;
  dilation: readonly number[];
  outputPadding?: readonly number[];
  groups: number;
  bias: Parameter | null;
  paddingMode?: string;
}): string {
  const { padding, dilation, outputPadding = [], groups, bias, paddingMode = "zeros" } = layer;
  let text =
    `${layer.inChannels}, ${layer.outChannels}, kernel_size=${formatTuple(layer.kernelSize)}, ` +
    `stride=${formatTuple(layer.stride)}`;
  if (typeof padding === "string") text += `, padding=${padding}`;
  else if (!isZero(padding)) text += `, padding=${formatTuple(padding)}`;
  if (!isOne(dilation)) text += `, dilation=${formatTuple(dilation)}`;
  if (!isZero(outputPadding)) text += `, output_padding=${formatTuple(outputPadding)}`;
  if (groups !== 1) text += `, groups=${groups}`;
  if (bias === null) text += ", bias=False";
  if (paddingMode !== "zeros") text += `, padding_mode=${paddingMode}`;
  return text;
}

const isZero = (values: readonly number[]): boolean => values.every((value) => value === 0);
export const isOne = (values: readonly number[]): boolean => values.every((value) => value === 1);
