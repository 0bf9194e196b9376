/**
 * What PyTorch refuses before it computes, with its messages: by the name of an op, with or without
 * overload.
 */
import type * as tf from "@tensorflow/tfjs-core";
import { isComplex } from "../support/complex.js";
import { MATRIX_REFUSALS } from "./matrices.js";
import { MOVING_REFUSALS } from "./moving.js";
import { checkElements, checkFlat, checkIndices, checkRows, checkSource } from "./places.js";
import { SHAPE_REFUSALS } from "./shapes.js";
import { VALUE_REFUSALS } from "./values.js";

/** Called with the positional arguments; throws, or does nothing. */
export type Refusal = (...args: readonly unknown[]) => void;

const rows =
  (name: string, isWrapped = false) =>
  (self: tf.Tensor, dim: number, index: tf.Tensor): void =>
    checkRows(name, self, dim, index, isWrapped);

const sourced =
  (name: string) =>
  (self: tf.Tensor, dim: number, index: tf.Tensor, source: tf.Tensor): void => {
    checkRows(name, self, dim, index);
    checkSource(name, self, dim, index, source);
  };

const elements =
  (name: string) =>
  (self: tf.Tensor, dim: number, index: tf.Tensor, src?: unknown): void =>
    checkElements(name, self, dim, index, src);

const PLACE_REFUSALS = {
  gather: elements("gather"),
  scatter: elements("scatter"),
  scatter_add: elements("scatter_add"),
  scatter_reduce: elements("scatter_reduce"),
  index_select: rows("index_select"),
  index_fill: rows("index_fill", true),
  index_add: sourced("index_add"),
  index_copy: sourced("index_copy"),
  index_reduce: sourced("index_reduce"),
  index: checkIndices,
  index_put: checkIndices,
  _index_put_impl: checkIndices,
  take: checkFlat,
};

const REFUSALS: Readonly<Record<string, unknown>> = {
  ...MATRIX_REFUSALS,
  ...SHAPE_REFUSALS,
  ...MOVING_REFUSALS,
  ...PLACE_REFUSALS,
  ...VALUE_REFUSALS,
  put: (self: tf.Tensor, index: tf.Tensor, source: tf.Tensor): void => {
    SHAPE_REFUSALS.put(self, index, source);
    checkFlat(self, index);
  },
};

/** Ops with the same checks as another op. */
const ALIASES: Readonly<Record<string, string>> = {
  unsqueeze_copy: "unsqueeze",
  unfold_copy: "unfold",
};

/** The checks of an op, such as `"aten.max.dim"`. */
export function refusalOf(target: string): Refusal | undefined {
  const [space, packet, overload] = target.split(".");
  if (space !== "aten") return undefined;
  const names = [`${packet}.${overload}`, packet!, ALIASES[packet!] ?? packet!];
  const key = names.find((one) => Object.hasOwn(REFUSALS, one));
  if (key === undefined) return undefined;
  const refusal = REFUSALS[key] as Refusal;
  const isOfShapes = Object.hasOwn(MATRIX_REFUSALS, key);
  return (...args) => {
    const given = args.map((one) => (isOfShapes && isComplex(one) ? one.re : one));
    if (!given.flat().some(isComplex)) refusal(...given);
  };
}
