/** Convolutions of 3 × 3 and stride 1 in three draws, with less than half of the multiplications. */
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

/** Fewer channels do not pay for the way into tiles and back. */
const LEAST_CHANNELS = 32;

/** Numbers of a tensor of tiles: larger pictures would take much memory. */
const MOST_NUMBERS = 1 << 22;

const tilesOf = (shape: readonly number[]): [high: number, wide: number, all: number] => {
  const [high, wide] = [Math.ceil(shape[2]! / 2), Math.ceil(shape[3]! / 2)];
  return [high, wide, Math.ceil((shape[0]! * high * wide) / 4) * 4];
};

/** Whether a plain convolution `(N, C, H, W)` of 3 × 3 is better done so. */
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

/** `(N, C, H, W)` with its channels last → the same of the output. */
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
    /** What it takes tap by tap, as the other ways of convolving are counted. */
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
