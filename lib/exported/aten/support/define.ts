import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../../../arguments.js";
import type { TensorMeta } from "../../../graph/index.js";
import type { AtenContext, AtenOp } from "../../op-table.js";
import { refusalOf } from "../refusals/index.js";
import { DTYPES, FLOAT, kindOfName, toDtype, toFloat } from "./dtype.js";
import { isHalf, roundToHalf } from "./half.js";

/**
 * The body of an op, with PyTorch's parameters in order; missing ones are undefined. `this` is for
 * the few that need what the program recorded.
 */
export type Body = (this: AtenContext, ...args: never[]) => unknown;

/** Keyword arguments about the memory of a tensor, which tfjs decides. */
const IGNORED = new Set(["layout", "device", "pin_memory", "memory_format", "non_blocking"]);

/**
 * Defines ops by name. A key has names with overloads and the names of parameters, in the form of
 * PyTorch's schema: `"add.Tensor|add.Scalar(self, other, alpha)"`. Without an overload it is
 * `default`, and a name of three parts has its own namespace.
 */
export function defineOps(bodies: Readonly<Record<string, Body>>): Record<string, AtenOp> {
  const ops: Record<string, AtenOp> = {};
  for (const [key, body] of Object.entries(bodies)) {
    const [, names, list] = /^([^(]+)\((.*)\)$/.exec(key)!;
    const parameters = list === "" ? [] : list!.split(", ");
    for (const name of names!.split("|")) {
      const full = name.includes(".") ? name : `${name}.default`;
      const target = full.split(".").length > 2 ? full : `aten.${full}`;
      ops[target] = bind(target, parameters, body);
    }
  }
  return ops;
}

/**
 * Assigns arguments to parameters, and casts results to the dtypes that the program recorded: only
 * the program knows that a scalar `2.0` was a float.
 */
function bind(target: string, parameters: readonly string[], body: Body): AtenOp {
  const keeps = MOVING.test(target);
  const casts = CASTING.test(target);
  const promotes = PROMOTING.test(target);
  const refusal = refusalOf(target);
  return (args, kwargs, context) => {
    const { inputs, outputs } = context;
    if (args.length > parameters.length) {
      throw new TypeError(
        `${target} takes (${parameters.join(", ")}), but got ${args.length} arguments`,
      );
    }
    const isFloat = promotes && outputs[0] !== undefined && isFloating(outputs[0]);
    const values = isFloat ? args.map(floatOf) : [...args];
    for (const [name, value] of Object.entries(kwargs)) {
      const at = parameters.indexOf(name);
      if (at >= 0) values[at] = value;
      else if (!IGNORED.has(name)) {
        throw new TypeError(`${target} got an unexpected argument '${name}': ${describe(value)}`);
      }
    }
    refusal?.(...values);
    const result = body.apply(context, values as never[]);
    if (casts) return castTo(result as tf.Tensor, inputs[0] as TensorMeta | null, outputs[0]);
    const finish = (one: unknown, i: number): unknown =>
      keeps ? inDtype(one, outputs[i]) : wrap(inDtype(one, outputs[i]), outputs[i]);
    return Array.isArray(result) ? result.map(finish) : finish(result, 0);
  };
}

/** Ops that only move values, which are already in the range of their dtype. */
const MOVING =
  /^aten\.(alias|cat|chunk|clone|contiguous|detach|expand|flatten|flip|gather|index|index_select|permute|reshape|roll|select|slice|split|split_with_sizes|squeeze|stack|t|transpose|unbind|unflatten|unsqueeze|view|where)\./;

/**
 * Ops that are computed in the dtype of the result. `2.0` looks like an integer here, but it makes
 * integers floats before they are multiplied or raised, which might exceed int32.
 */
const PROMOTING = /^aten\.(add|sub|subtract|rsub|mul|multiply|pow)\./;

const isFloating = (meta: TensorMeta | null): boolean =>
  meta !== null && !meta.dtype.startsWith("complex") && kindOfName(meta.dtype) === FLOAT;

const floatOf = (value: unknown): unknown =>
  value instanceof tf.Tensor ? toFloat(value as tf.Tensor) : value;

/** Casts. */
const CASTING = /^aten\.(_to_copy|to|type_as)\./;

/** A cast to a half rounds, though the result is stored as float32. */
function castTo(
  value: tf.Tensor,
  from: TensorMeta | null | undefined,
  to: TensorMeta | null | undefined,
): unknown {
  const cast = wrap(inDtype(value, to), to);
  const isRounded = isHalf(to?.dtype) && from?.dtype !== to?.dtype;
  return isRounded ? roundToHalf(cast as tf.Tensor, { dtype: to!.dtype }) : cast;
}

/**
 * PyTorch's narrow integers, which are stored as int32: the number of values, and the smallest one.
 */
const NARROW: Readonly<Record<string, readonly [count: number, least: number]>> = {
  uint8: [256, 0],
  int8: [256, -128],
  uint16: [65536, 0],
  int16: [65536, -32768],
};

/** Makes narrow integers wrap around. */
function wrap(value: unknown, meta: TensorMeta | null | undefined): unknown {
  if (!meta || !Object.hasOwn(NARROW, meta.dtype) || !(value instanceof tf.Tensor)) return value;
  const [count, least] = NARROW[meta.dtype]!.map((one) => tf.scalar(one, "int32"));
  const from = tf.sub(value as tf.Tensor, least!);
  return tf.sub(value as tf.Tensor, tf.mul(tf.floorDiv(from, count!), count!));
}

function inDtype(value: unknown, meta: TensorMeta | null | undefined): unknown {
  if (!(value instanceof tf.Tensor) || !meta || meta.dtype.startsWith("complex")) return value;
  return toDtype(value as tf.Tensor, DTYPES[kindOfName(meta.dtype)]);
}
