import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../../../arguments.js";
import type { TensorMeta } from "../../../graph/index.js";
import type { AtenOp } from "../../op-table.js";
import { DTYPES, kindOfName, toDtype } from "./dtype.js";

/** An op's body, with PyTorch's parameters in their order; what was not given is undefined. */
type Body = (...args: never[]) => unknown;

/** Where and how a tensor lies in memory is tfjs' affair. */
const IGNORED = new Set(["layout", "device", "pin_memory", "memory_format", "non_blocking"]);

/**
 * Ops by name. A key is what they share with PyTorch's schema: names with overloads, and the names
 * of the parameters: `"add.Tensor|add.Scalar(self, other, alpha)"`; no overload means `default`.
 */
export function defineOps(bodies: Readonly<Record<string, Body>>): Record<string, AtenOp> {
  const ops: Record<string, AtenOp> = {};
  for (const [key, body] of Object.entries(bodies)) {
    const [, names, list] = /^([^(]+)\((.*)\)$/.exec(key)!;
    const parameters = list === "" ? [] : list!.split(", ");
    for (const name of names!.split("|")) {
      const target = `aten.${name.includes(".") ? name : `${name}.default`}`;
      ops[target] = bind(target, parameters, body);
    }
  }
  return ops;
}

/**
 * Puts the arguments in their places, and gives the results the dtypes that the program recorded:
 * only it knows that a scalar `2.0` was a float.
 */
function bind(target: string, parameters: readonly string[], body: Body): AtenOp {
  const wraps = OVERFLOWING.test(target);
  return (args, kwargs, { outputs }) => {
    if (args.length > parameters.length) {
      throw new TypeError(
        `${target} takes (${parameters.join(", ")}), but got ${args.length} arguments`,
      );
    }
    const values = [...args];
    for (const [name, value] of Object.entries(kwargs)) {
      const at = parameters.indexOf(name);
      if (at >= 0) values[at] = value;
      else if (!IGNORED.has(name)) {
        throw new TypeError(`${target} got an unexpected argument '${name}': ${describe(value)}`);
      }
    }
    const result = (body as (...args: unknown[]) => unknown)(...values);
    if (!Array.isArray(result)) return inDtype(wraps ? wrapByte(result, outputs[0]) : result, outputs[0]); // prettier-ignore
    return result.map((one: unknown, i) => inDtype(one, outputs[i]));
  };
}

/** What may leave the range of a uint8, which tfjs holds as an int32. */
const OVERFLOWING =
  /^aten\.(add|sub|rsub|mul|neg|bitwise_not|bitwise_left_shift|__lshift__|pow|square)\./;

/** Results of bytes wrap around at 256. */
function wrapByte(value: unknown, meta: TensorMeta | null | undefined): unknown {
  if (meta?.dtype !== "uint8" || !(value instanceof tf.Tensor)) return value;
  const byte = tf.scalar(256, "int32");
  const whole = toDtype(value as tf.Tensor, "int32");
  return tf.sub(whole, tf.mul(tf.floorDiv(whole, byte), byte));
}

function inDtype(value: unknown, meta: TensorMeta | null | undefined): unknown {
  if (!(value instanceof tf.Tensor) || !meta || meta.dtype.startsWith("complex")) return value;
  return toDtype(value as tf.Tensor, DTYPES[kindOfName(meta.dtype)]);
}
