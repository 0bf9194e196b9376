/** Writes through views: the value of a tensor after a view of it has got new values. */
import * as tf from "@tensorflow/tfjs-core";
import {
  type Complex,
  complexOf,
  isComplex,
  packed,
  pairToComplex,
} from "../aten/support/complex.js";
import { scatterInto } from "../aten/support/scatter.js";
import type { AtenContext, AtenOp } from "../op-table.js";

/**
 * `base` with the values of its view replaced:
 * `[base, value, target of the view, its further arguments, its keyword arguments, the index of its output]`.
 */
export const scatterView =
  (lookUp: (target: string) => AtenOp | undefined): AtenOp =>
  (given, _kwargs, context) => {
    const [base, value, target, args, kwargs, output] = given;
    if (isComplex(base) || isComplex(value)) {
      return scatterComplex(scatterView(lookUp), given, context);
    }
    const view: View = {
      base: base as tf.Tensor,
      value: tf.cast(value as tf.Tensor, (base as tf.Tensor).dtype),
      target: target as string,
      args: args as readonly unknown[],
      kwargs: kwargs as Readonly<Record<string, unknown>>,
      output: output as number | null,
    };
    const packet = view.target.split(".")[1]!.replace(/_$/, "");
    const rule = Object.hasOwn(RULES, packet) ? RULES[packet] : undefined;
    return rule?.(view) ?? byIndex(view, lookUp(view.target), context);
  };

const CONJUGATES = new Set(["_conj", "conj", "mH", "H", "matrix_H", "adjoint"]);

/** Likewise for complex tensors: each part separately, except for views of one part. */
function scatterComplex(
  scatter: AtenOp,
  [given, value, target, ...rest]: readonly unknown[],
  context: AtenContext,
): unknown {
  const base = given as tf.Tensor | Complex;
  const packet = (target as string).split(".")[1]!.replace(/_$/, "");
  const next = value as tf.Tensor | Complex;
  if (packet === "view_as_complex" || !isComplex(base)) return packed(next);
  if (packet === "view_as_real") return pairToComplex(next as tf.Tensor);
  if (packet === "real") return { re: next, im: base.im };
  if (packet === "imag") return { re: base.re, im: next };
  const { re, im } = complexOf(next);
  const run = (from: tf.Tensor, to: tf.Tensor): unknown =>
    scatter([from, to, target, ...rest], {}, context);
  return { re: run(base.re, re), im: run(base.im, CONJUGATES.has(packet) ? tf.neg(im) : im) };
}

interface View {
  base: tf.Tensor;
  value: tf.Tensor;
  target: string;
  args: readonly unknown[];
  kwargs: Readonly<Record<string, unknown>>;
  output: number | null;
}

type Rule = (view: View) => tf.Tensor | undefined;

const wrap = (dim: number, rank: number): number => (dim < 0 ? dim + rank : dim);

const reshaped: Rule = ({ base, value }) => tf.reshape(value, base.shape);

/** Permutes the dimensions back. */
const permuted =
  (order: (rank: number, args: readonly unknown[]) => number[]): Rule =>
  ({ base, value, args }) => {
    const dims = order(base.rank, args);
    const back = dims.map((_, i) => dims.indexOf(i));
    return tf.transpose(value, back);
  };

function swapped(rank: number, a: number, b: number): number[] {
  const order = Array.from({ length: rank }, (_, i) => i);
  if (rank === 0) return order;
  [order[wrap(a, rank)], order[wrap(b, rank)]] = [wrap(b, rank), wrap(a, rank)];
  return order;
}

function moved(rank: number, from: readonly number[], to: readonly number[]): number[] {
  const order = new Array<number>(rank).fill(-1);
  from.forEach((dim, i) => (order[wrap(to[i]!, rank)] = wrap(dim, rank)));
  const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => !order.includes(i));
  return order.map((dim) => (dim < 0 ? rest.shift()! : dim));
}

const list = (value: unknown): number[] =>
  Array.isArray(value) ? (value as number[]) : [value as number];

const movedim = permuted((rank, [from, to]) => moved(rank, list(from), list(to)));
const transposed = permuted((rank, [a, b]) => swapped(rank, a as number, b as number));
const reversed = permuted((rank) => Array.from({ length: rank }, (_, i) => rank - 1 - i));
const lastTwo = permuted((rank) => swapped(rank, -2, -1));
const matrix = permuted((rank) => (rank < 2 ? swapped(rank, 0, 0) : swapped(rank, 0, 1)));

/** The beginning and end of a slice, clamped as in Python. */
export function sliceBounds(
  size: number,
  start: unknown,
  end: unknown,
): [start: number, end: number] {
  const bound = (value: unknown, otherwise: number): number => {
    const at = (value ?? otherwise) as number;
    return Math.min(Math.max(at < 0 ? at + size : at, 0), size);
  };
  const begin = bound(start, 0);
  return [begin, Math.max(begin, bound(end, size))];
}

const sliced: Rule = ({ base, value, args }) => {
  const dim = wrap((args[0] ?? 0) as number, base.rank);
  const [start, end] = sliceBounds(base.shape[dim]!, args[1], args[2]);
  return replace(base, value, dim, start, end, (args[3] ?? 1) as number);
};

const selected: Rule = ({ base, value, args }) => {
  const dim = wrap(args[0] as number, base.rank);
  const at = wrap(args[1] as number, base.shape[dim]!);
  return replace(base, tf.expandDims(value, dim), dim, at, at + 1, 1);
};

const narrowed: Rule = ({ base, value, args }) => {
  const dim = wrap(args[0] as number, base.rank);
  const start = wrap(args[1] as number, base.shape[dim]!);
  return replace(base, value, dim, start, start + (args[2] as number), 1);
};

const unbound: Rule = (view) => selected({ ...view, args: [view.args[0] ?? 0, view.output] });

/** One part of a list, which begins at `start`. */
function part(view: View, dim: number, start: number): tf.Tensor {
  const { base, value } = view;
  const axis = wrap(dim, base.rank);
  return replace(base, value, axis, start, start + value.shape[axis]!, 1);
}

const split: Rule = (view) => {
  const [sizes, dim = 0] = view.args as [number | number[], number?];
  const before = Array.isArray(sizes)
    ? sizes.slice(0, view.output!).reduce((a, b) => a + b, 0)
    : sizes * view.output!;
  return part(view, dim, before);
};

const chunk: Rule = (view) => {
  const [chunks, dim = 0] = view.args as [number, number?];
  const size = Math.ceil(view.base.shape[wrap(dim, view.base.rank)]! / chunks);
  return part(view, dim, size * view.output!);
};

/** Only if nothing was repeated. */
const expanded: Rule = ({ base, value }) =>
  value.size === base.size ? tf.reshape(value, base.shape) : undefined;

const RULES: Readonly<Record<string, Rule>> = {
  ...{ alias: reshaped, detach: reshaped, view: reshaped, reshape: reshaped, flatten: reshaped },
  ...{ squeeze: reshaped, unsqueeze: reshaped, unflatten: reshaped, ravel: reshaped },
  ...{ view_as: reshaped, reshape_as: reshaped, contiguous: reshaped, to: reshaped },
  ...{ lift_fresh: reshaped, positive: reshaped, type_as: reshaped, dropout: reshaped },
  ...{ feature_dropout: reshaped, alpha_dropout: reshaped, _reshape_alias: reshaped },
  ...{ requires_grad: reshaped, atleast_1d: reshaped, resolve_conj: reshaped, conj: reshaped },
  ...{ _conj: reshaped, resolve_neg: reshaped, feature_alpha_dropout: reshaped },
  ...{ transpose: transposed, swapaxes: transposed, swapdims: transposed },
  permute: permuted((rank, [dims]) => list(dims).map((dim) => wrap(dim, rank))),
  ...{ movedim, moveaxis: movedim, t: matrix, numpy_T: reversed, T: reversed },
  ...{ mT: lastTwo, mH: lastTwo, H: lastTwo, matrix_H: lastTwo },
  ...{ adjoint: lastTwo, slice: sliced, select: selected, narrow: narrowed, unbind: unbound },
  ...{ split, split_with_sizes: split, chunk },
  ...{ expand: expanded, expand_as: expanded, broadcast_to: expanded },
};

/** `base` with the elements at `start`, `start + step`, … along a dimension replaced. */
export function replace(
  base: tf.Tensor,
  value: tf.Tensor,
  dim: number,
  start: number,
  end: number,
  step: number,
): tf.Tensor {
  const size = base.shape[dim]!;
  if (start >= end) return base;
  if (start === 0 && end === size && step === 1) return value;
  if (base.dtype === "bool") {
    const [a, b] = [tf.cast(base, "int32"), tf.cast(value, "int32")];
    return tf.cast(replace(a, b, dim, start, end, step), "bool");
  }
  if (step === 1) {
    const parts = [along(base, dim, 0, start), value, along(base, dim, end, size - end)];
    const present = parts.filter(({ shape }) => shape[dim]! > 0);
    return present.length === 1 ? present[0]! : tf.concat(present, dim);
  }
  const from = Array.from({ length: size }, (_, i) => {
    const isReplaced = i >= start && i < end && (i - start) % step === 0;
    return isReplaced ? size + (i - start) / step : i;
  });
  return tf.gather(tf.concat([base, value], dim), tf.tensor1d(from, "int32"), dim);
}

function along(x: tf.Tensor, dim: number, start: number, count: number): tf.Tensor {
  const begin = x.shape.map((_, i) => (i === dim ? start : 0));
  const size = x.shape.map((n, i) => (i === dim ? count : n));
  return tf.slice(x, begin, size);
}

/**
 * For all other views: applies the view to the numbers 0, 1, …, which tells where its elements are.
 */
function byIndex(
  { base, value, target, args, kwargs, output }: View,
  view: AtenOp | undefined,
  context: AtenContext,
): tf.Tensor {
  if (view === undefined) throw new Error(`there is no op ${target}`);
  const places = tf.reshape(tf.range(0, base.size, 1, "int32"), base.shape);
  const taken = view([places, ...args], kwargs, context) as tf.Tensor | tf.Tensor[];
  const index = Array.isArray(taken) ? taken[output!]! : taken;
  const isBool = base.dtype === "bool";
  const flat = tf.reshape(isBool ? tf.cast(base, "int32") : base, [base.size]);
  const updates = tf.reshape(isBool ? tf.cast(value, "int32") : value, [value.size]);
  const [size = 1, step = 1] = target.includes("unfold") ? (args as number[]).slice(1) : [];
  if (value.size > base.size || size > step) {
    const written = tf.reshape(writeChanged(flat, tf.reshape(index, [-1]), updates), base.shape);
    return isBool ? tf.cast(written, "bool") : written;
  }
  const at = tf.cast(tf.reshape(index, [index.size, 1]), "int32");
  // On cpu, tfjs' tensorScatterUpdate would write into `flat` itself, and so into tensors that
  // share its data.
  const put = (one: tf.Tensor): tf.Tensor => tf.scatterND(at, one, [base.size]);
  const isWritten = tf.cast(put(tf.ones([value.size], "int32")), "bool");
  const written = tf.reshape(tf.where(isWritten, put(updates), flat), base.shape);
  return isBool ? tf.cast(written, "bool") : written;
}

/**
 * If several elements of a view share one position, and some were written, the ones that changed
 * count.
 */
function writeChanged(flat: tf.Tensor, places: tf.Tensor, updates: tf.Tensor): tf.Tensor {
  const changed = tf.notEqual(tf.gather(flat, places as tf.Tensor1D), updates);
  const to = tf.where(changed, places, tf.fill(places.shape, flat.size, "int32"));
  const rows = tf.concat([flat, tf.zeros([1], flat.dtype)]);
  const written = scatterInto(tf.expandDims(rows, 1), to, tf.expandDims(updates, 1), false);
  return tf.slice(written, [0, 0], [flat.size, 1]);
}
