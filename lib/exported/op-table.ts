/** What an op of an exported program is, and those that users registered. */
import type { Node, TensorMeta } from "../graph/index.js";

/**
 * What an op is told beside its arguments, where tfjs' dtypes do not suffice: tfjs has float32 for
 * all of PyTorch's real kinds and int32 for all its integers, the program has declared the true ones.
 */
export interface AtenContext {
  /** The node that is run. `node.args[i]`, if it is a node, has its own `meta.value`. */
  readonly node: Node;
  /** What PyTorch declared about each output; `null` for one that is no tensor. */
  readonly outputs: readonly (TensorMeta | null)[];
  /**
   * The same of the positional arguments: a list for a list of tensors, `null` for what is no
   * tensor.
   */
  readonly inputs: readonly (TensorMeta | readonly (TensorMeta | null)[] | null)[];
}

/**
 * Runs one ATen op. It is called inside `tf.tidy`, so only its result outlives it; the result may be
 * one of its very arguments.
 *
 * - `args`: the positional arguments of PyTorch's schema, as far as the file has them (defaults may
 *   be absent). Tensors are `tf.Tensor`s, scalars numbers (an integer's argument may be a whole
 *   float), booleans or strings, lists of ints `number[]`, lists of tensors `tf.Tensor[]` with
 *   `null` for a missing one, `null` is `None`. A dtype, layout, memory format or device is its
 *   PyTorch name: `"float32"`, `"strided"`, `"contiguous_format"`, `"cpu"`. A complex scalar is
 *   `{ real, imag }`.
 * - `kwargs`: the keyword-only ones, in PyTorch's snake_case.
 * - the result: a tensor, a list of them for several outputs (or one output that is a list), a
 *   number or boolean for ops that give such.
 *
 * In-place ops (`add_`, `copy_`, …) and `out=` never come here: the program is made functional when
 * it is loaded, and `aten.add_.Tensor` arrives as `aten.add.Tensor`.
 */
export type AtenOp = (
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  context: AtenContext,
) => unknown;

/** A user's op: the positional arguments, then the keyword ones as one object if there are any. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each op has its own arguments
export type UserOp = (...args: any[]) => unknown;

const registered = new Map<string, AtenOp>();

/** `torch.ops.aten.add.Tensor` and `aten.add.Tensor` are one. */
export const bareName = (target: string): string => target.replace(/^torch\.ops\./, "");

/**
 * Lets programs that are loaded from now on call an op that is not built in, or call another one
 * than is built in.
 *
 * @param target PyTorch's name with its overload, such as `"aten.cummax.default"`, or that of an op
 *   of your own, `"mylib.gelu3.default"`.
 * @param fn gets the positional arguments of PyTorch's schema that the program passes (tensors as
 *   `tf.Tensor`, `None` as `null`, dtypes by name), then, only if there are any, the keyword ones
 *   as one object; gives a tensor, or a list of tensors. It runs inside `tf.tidy`.
 * @throws TypeError for a name without an overload.
 */
export function registerOp(target: string, fn: UserOp): void {
  const name = bareName(target);
  if (!/^\w+(\.\w+){2,}$/.test(name)) {
    throw new TypeError(
      `registerOp: expected a name with its namespace and overload, such as 'aten.add.Tensor', ` +
        `got '${target}'`,
    );
  }
  registered.set(name, (args, kwargs) =>
    Object.keys(kwargs).length === 0 ? fn(...args) : fn(...args, kwargs),
  );
}

/** What a user registered. */
export const findRegistered = (target: string): AtenOp | undefined =>
  registered.get(bareName(target));
