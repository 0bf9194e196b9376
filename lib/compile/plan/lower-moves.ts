import * as tf from "@tensorflow/tfjs-core";
import type { Argument, Node } from "../../graph/index.js";
import { everySoMany, shapeOf } from "../passes/facts.js";
import { type Builder, Decline, type Lowered } from "./builder.js";
import { type Lower, type Lowerings, ofFloats } from "./lower-basic.js";
import { padConstant } from "./lower-borders.js";
import { count, reshapeValue, type Value } from "./value.js";

/** The input and attributes of a raw tfjs kernel. */
const read = (b: Builder, node: Node): { x: Value; attrs: Record<string, Argument> } => {
  const [inputs, attrs] = node.args as [Record<string, Node>, Record<string, Argument>];
  return { x: b.read(inputs.x!), attrs };
};

/** Views each repeated dimension as two, of which the first has stride 0. */
const tile: Lower = (b, node): Lowered => {
  const { x, attrs } = read(b, node);
  const reps = attrs.reps as number[];
  const shape = shapeOf(node);
  if (count(shape) === 0) return new Decline("an empty tensor");
  const view = {
    ...x,
    shape: x.shape.flatMap((size, i) => [reps[i]!, size]),
    strides: x.strides.flatMap((stride) => [0, stride]),
  };
  return reshapeValue(b.contiguous(view), shape)!;
};

/** Copied, because kernels that expect contiguous rows could not read negative strides. */
const reverse: Lower = (b, node): Lowered => {
  const { x, attrs } = read(b, node);
  if (count(x.shape) === 0) return new Decline("an empty tensor");
  const dims = tf.util.parseAxisParam(attrs.dims as number[], [...x.shape]);
  const last = dims.reduce((sum, dim) => sum + (x.shape[dim]! - 1) * x.strides[dim]!, 0);
  const strides = x.strides.map((stride, dim) => (dims.includes(dim) ? -stride : stride));
  return b.contiguous({ ...x, offset: x.offset + last, strides });
};

const stridedSlice: Lower = (b, node): Lowered => {
  const { x, attrs } = read(b, node);
  return everySoMany(x, attrs, shapeOf(node)) ?? new Decline("masks, or steps back");
};

const pad: Lower = (b, node): Lowered => {
  const { x, attrs } = read(b, node);
  const paddings = attrs.paddings as number[][];
  return padConstant(b, x, paddings.toReversed().flat(), attrs.constantValue as number);
};

export const MOVES: Lowerings = {
  "tfjs.Tile": tile,
  "tfjs.Reverse": reverse,
  "tfjs.StridedSlice": stridedSlice,
  ...ofFloats({ "tfjs.PadV2": pad }),
};
