/**
 * Winograd convolution for 3 × 3 kernels of stride 1: three draws with less than half of the
 * multiplications.
 */
import {
  packWinograd,
  tileProductsProgram,
  tilesProgram,
  untileProgram,
} from "../../../kernels/webgl/programs/winograd.js";
import type { Node } from "../../../graph/index.js";
import { DECLINED } from "../../declined.js";
import { areFinite } from "../../passes/finite.js";
import { type Builder, type Read, type Weight } from "../builder.js";
import type { Value } from "../value.js";
import type { readTail } from "./products.js";

/** With fewer channels, the transforms into tiles and back cost more than the products save. */
const LEAST_CHANNELS = 32;

/** The most elements that a tensor of tiles may have, to limit memory. */
const MOST_NUMBERS = 1 << 22;

const tilesOf = (shape: readonly number[]): [high: number, wide: number, all: number] => {
  const [high, wide] = [Math.ceil(shape[2]! / 2), Math.ceil(shape[3]! / 2)];
  return [high, wide, Math.ceil((shape[0]! * high * wide) / 4) * 4];
};

/** Whether Winograd's way pays for a 3 × 3 convolution with result shape `(N, C, H, W)`. */
export function suitsTiles(inputs: number, shape: readonly number[]): boolean {
  const outputs = shape[1]!;
  const [, , tiles] = tilesOf(shape);
  return (
    Math.min(inputs, outputs) >= LEAST_CHANNELS &&
    16 * tiles * Math.max(inputs, outputs) <= MOST_NUMBERS
  );
}

export function winogradWeight(b: Builder, weight: Node): Weight | null {
  const [outputs, inputs] = (weight.meta.value as { shape: readonly number[] }).shape;
  return b.packed(weight, "winograd", (values) => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a sign: eager can, without tiles
    if (!areFinite(values)) throw DECLINED;
    return packWinograd(values, outputs!, inputs!);
  });
}

/** Adds the three draws for an input that is stored channels-last. */
export function winograd(
  b: Builder,
  {
    input,
    size: [inH, inW],
    padding: [padH, padW],
    shape,
    order,
    weight,
    tail,
    flops,
  }: {
    input: Read;
    size: readonly number[];
    padding: readonly number[];
    shape: readonly number[];
    order: readonly number[];
    weight: Weight;
    tail: NonNullable<ReturnType<typeof readTail>>;
    /**
     * The operations of a direct convolution, so that counts are comparable with the other
     * programs.
     */
    flops: number;
  },
): Value {
  const [tilesH, tilesW, tiles] = tilesOf(shape);
  const ints = { tilesH, tilesW, tiles };
  const whole = ({ tensor }: Value): Read => ({ tensor, layout: tensor.layout });
  const apart = b.draw(tilesProgram(), [16 * tiles, input.layout.channels], {
    inputs: [input],
    ints: { ...ints, inH: inH!, inW: inW!, padH: padH!, padW: padW! },
  });
  const products = b.draw(tileProductsProgram(), [16 * tiles, shape[1]!], {
    inputs: [whole(apart)],
    weights: [weight],
    ints: { tiles },
    flops,
  });
  return b.draw(untileProgram(tail.options), shape, {
    order,
    inputs: [whole(products), ...tail.residual],
    weights: tail.weights,
    ints: { ...ints, outH: shape[2]!, outW: shape[3]! },
  });
}
