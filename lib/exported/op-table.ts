/** The interface of ops in exported programs, and the ops that users register. */
import type { Node, TensorMeta } from "../graph/index.js";

/**
 * What an op may need besides its arguments, where tfjs' dtypes do not suffice: tfjs has only
 * float32 for all real types of PyTorch and int32 for all integers, but the program has recorded
 * the true ones.
 */
export interface AtenContext {
  /** The node that is run. If `node.args[i]` is a node, it has a `meta.value` too. */
  readonly node: Node;
  /** What PyTorch recorded about each output; `null` for outputs that are not tensors. */
  readonly outputs: readonly (TensorMeta | null)[];
  /**
   * The same for the positional arguments: a list for a list of tensors, `null` for values that are
   * not tensors.
   */
  readonly inputs: readonly (TensorMeta | readonly (TensorMeta | null)[] | null)[];
}

/**
 * Runs one ATen op. It is called inside `tf.tidy`, so only its result survives; the result may be
 * one of the arguments.
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

/**
 * An op of a user: gets the positional arguments, then, if there are any, the keyword arguments as
 * one object.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each op has its own arguments
export type UserOp = (...args: any[]) => unknown;

const registered = new Map<string, AtenOp>();

/** Removes `torch.ops.`, so that both forms of a name are the same. */
export const bareName = (target: string): string => target.replace(/^torch\.ops\./, "");

/**
 * Registers an op for programs that are loaded from now on: one that is not built in, or a
 * replacement.
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

/** An op that a user has registered. */
export const findRegistered = (target: string): AtenOp | undefined =>
  registered.get(bareName(target));
