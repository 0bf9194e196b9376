/**
 * Ops that treat the real and the imaginary part alike, or that are products of their arguments.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { AtenContext, AtenOp } from "../../op-table.js";
import { type Complex, isComplex, isComplexNumber } from "../support/complex.js";
import { conj } from "../fft.js";
import { type Given, lift, mul } from "./arithmetic.js";

type Run = (args: readonly unknown[]) => unknown;

/** Ops that move elements, or are linear in their first argument. */
const FIRST =
  /^aten\.(view|view_as|reshape|reshape_as|_unsafe_view|_reshape_alias|ravel|permute|transpose|swapaxes|swapdims|moveaxis|t|numpy_T|mT|squeeze|unsqueeze|expand|expand_as|broadcast_to|broadcast_tensors|slice|select|split|split_with_sizes|chunk|unsafe_chunk|unsafe_split|unsafe_split_with_sizes|tensor_split|hsplit|vsplit|dsplit|unbind|alias|detach|contiguous|clone|lift|lift_fresh|lift_fresh_copy|resolve_conj|resolve_neg|positive|flatten|unflatten|narrow|narrow_copy|cat|concat|concatenate|stack|_stack|hstack|vstack|row_stack|dstack|column_stack|block_diag|meshgrid|cartesian_prod|combinations|atleast_1d|atleast_2d|atleast_3d|repeat|tile|flip|fliplr|flipud|rot90|roll|index|_unsafe_index|index_select|gather|take|take_along_dim|masked_select|movedim|sum|nansum|mean|neg|negative|cumsum|diff|trace|sum_to_size|diag|diag_embed|diagonal|linalg_diagonal|tril|triu|as_strided|repeat_interleave|unfold|im2col|col2im|pixel_shuffle|pixel_unshuffle|channel_shuffle|reflection_pad\dd|replication_pad\dd|dropout|fft_fftshift|fft_ifftshift)(_copy)?\./;

/** The positions of further arguments that are values, and so may be complex. */
const VALUES: Readonly<Record<string, readonly number[]>> = {
  ...{ where: [1, 2], masked_fill: [0, 2], fill: [0, 1], copy: [0, 1], masked_scatter: [0, 2] },
  ...{ index_put: [0, 2], _unsafe_index_put: [0, 2], put: [0, 2], index_fill: [0, 3] },
  ...{ index_copy: [0, 3], index_add: [0, 3], scatter: [0, 3], scatter_add: [0, 3] },
  ...{ slice_scatter: [0, 1], select_scatter: [0, 1], diagonal_scatter: [0, 1] },
  ...{ as_strided_scatter: [0, 1], constant_pad_nd: [0, 2], pad: [0, 3] },
  ...{ full: [1], full_like: [1], new_full: [2], scalar_tensor: [0], _unsafe_masked_index: [0, 3] },
  ...{ _unsafe_masked_index_put_accumulate: [0, 3] },
  // Only the size of the argument is read.
  ...{ zeros_like: [], ones_like: [], empty_like: [], new_zeros: [], new_ones: [], new_empty: [] },
  ...{ zero: [], new_empty_strided: [] },
};

const packetOf = (target: string): string => target.split(".")[1]!;

export function valuesOf(target: string): readonly number[] | undefined {
  const packet = packetOf(target);
  if (Object.hasOwn(VALUES, packet)) return VALUES[packet];
  return FIRST.test(target) ? [0] : undefined;
}

export const holdsComplex = (value: unknown): boolean =>
  isComplex(value) || isComplexNumber(value) || (Array.isArray(value) && value.some(holdsComplex));

/** One part of a value; other arguments are passed on as they are. */
function part(value: unknown, name: "re" | "im"): unknown {
  if (Array.isArray(value)) return value.map((one) => part(one, name));
  if (isComplexNumber(value)) return name === "re" ? value.real : value.imag;
  if (typeof value === "number" || typeof value === "boolean") return name === "re" ? value : 0;
  return value === null || typeof value !== "object" ? value : lift(value as Complex)[name];
}

const realPart = (value: unknown): unknown => (isComplex(value) ? value.re : value);

/** The dtypes that the program recorded are those of complex tensors, not of their parts. */
const noDtypes = (context: AtenContext): AtenContext => ({ ...context, inputs: [], outputs: [] });

/**
 * Runs an op separately on the real and the imaginary parts of the arguments at these positions.
 */
export function byParts(op: AtenOp, places: readonly number[]): AtenOp {
  return (args, kwargs, context) => {
    const run = (name: "re" | "im"): unknown => {
      const values = args.map((one, i) => (places.includes(i) ? part(one, name) : realPart(one)));
      return op(values, kwargs, noDtypes(context));
    };
    const re = run("re");
    if (places.length === 0) return re;
    const im = run("im");
    if (!Array.isArray(re)) return { re, im };
    return re.map((one: tf.Tensor, i): Complex => ({ re: one, im: (im as tf.Tensor[])[i]! }));
  };
}

interface Product {
  /** The positions of the factors; for a list, all of its elements. */
  readonly factors: readonly number[];
  /** The position of the summand, if there is one, and what to pass instead of it. */
  readonly added?: number;
  readonly nothing?: () => unknown;
  /** Whether the first factor is conjugated. */
  readonly conjugates?: true;
}

const two: Product = { factors: [0, 1] };
const withBias: Product = { factors: [0, 1], added: 2, nothing: () => null };
const addedTo: Product = { factors: [1, 2], added: 0, nothing: () => tf.scalar(0) };

const PRODUCTS: Readonly<Record<string, Product>> = {
  ...{
    mm: two,
    bmm: two,
    mv: two,
    matmul: two,
    linalg_matmul: two,
    dot: two,
    outer: two,
    ger: two,
  },
  ...{ inner: two, tensordot: two, kron: two, cross: two, linalg_cross: two },
  ...{ vdot: { ...two, conjugates: true }, linalg_vecdot: { ...two, conjugates: true } },
  einsum: { factors: [1] },
  ...{ linalg_multi_dot: { factors: [0] }, chain_matmul: { factors: [0] } },
  ...{ linear: withBias, conv1d: withBias, conv2d: withBias, conv3d: withBias },
  ...{ conv_transpose1d: withBias, conv_transpose2d: withBias, conv_transpose3d: withBias },
  convolution: withBias,
  ...{ addmm: addedTo, addmv: addedTo, baddbmm: addedTo, addbmm: addedTo, addr: addedTo },
};

export const productOf = (target: string): Product | undefined =>
  Object.hasOwn(PRODUCTS, packetOf(target)) ? PRODUCTS[packetOf(target)] : undefined;

/**
 * Multiplies out: the op is run once for each choice of the real or the imaginary part of every
 * complex factor. The result is multiplied by i to the power of the number of imaginary parts.
 */
export function multipliedOut(op: AtenOp, product: Product): AtenOp {
  const { factors, added, nothing, conjugates } = product;
  return (given, kwargs, context) => {
    const [first] = given;
    const args = conjugates && isComplex(first) ? given.with(0, conj(first)) : [...given];
    const { alpha, beta, ...rest } = kwargs as Record<string, Given>;
    if (alpha !== undefined) args[1] = mul(args[1] as Given, alpha);
    if (beta !== undefined) args[0] = mul(args[0] as Given, beta);
    const run: Run = (values) => op(values, rest, noDtypes(context));
    const sums: (tf.Tensor | null)[] = [null, null];
    const addend = added === undefined ? undefined : args[added];
    const count = (value: unknown, power: number): void => {
      const to = power % 2;
      const sign = power % 4 < 2 ? tf.add : tf.sub;
      const term = value as tf.Tensor;
      const sum = sums[to];
      sums[to] = sum ? sign(sum, term) : power < 2 ? term : tf.neg(term);
    };
    const pick = (values: readonly unknown[], left: readonly Slot[], power: number): void => {
      const [slot, ...rest] = left;
      if (slot !== undefined) {
        const value = slot.get(values) as Complex;
        pick(slot.set(values, value.re), rest, power);
        return pick(slot.set(values, value.im), rest, power + 1);
      }
      if (added === undefined || addend === undefined) return count(run(values), power);
      // The summand is added once: its real part to the first real product, its imaginary part to
      // the first imaginary one.
      const isFirst = sums[power % 2] === null;
      const own =
        isFirst && addend !== null ? part(addend, power % 2 === 0 ? "re" : "im") : nothing!();
      count(run(values.with(added, own)), power);
    };
    pick(args, slotsOf(args, factors), 0);
    const [re, im] = sums;
    return { re, im: im ?? imaginary(re!, addend) };
  };
}

/** If no factor was complex, the summand was. */
const imaginary = (re: tf.Tensor, addend: unknown): tf.Tensor =>
  isComplex(addend) ? tf.add(tf.zerosLike(re), addend.im) : tf.zerosLike(re);

interface Slot {
  get: (args: readonly unknown[]) => unknown;
  set: (args: readonly unknown[], value: unknown) => readonly unknown[];
}

function slotsOf(args: readonly unknown[], factors: readonly number[]): Slot[] {
  const slots = factors.flatMap((at): Slot[] => {
    const value = args[at];
    if (!Array.isArray(value)) return [{ get: (all) => all[at], set: (all, one) => all.with(at, one) }]; // prettier-ignore
    return value.map((_, i) => ({
      get: (all) => (all[at] as unknown[])[i],
      set: (all, one) => all.with(at, (all[at] as unknown[]).with(i, one)),
    }));
  });
  return slots.filter(({ get }) => isComplex(get(args)));
}
