/** Extends ops to complex tensors where PyTorch's accept them and it can be done. */
import * as tf from "@tensorflow/tfjs-core";
import type { AtenContext, AtenOp } from "../../op-table.js";
import { complexOf, isComplex } from "../support/complex.js";
import { COMPLEX_OPS, NAMED } from "./arithmetic.js";
import { FACTOR_OPS } from "./factors.js";
import { EMBEDDED, embedded } from "./matrices.js";
import { byParts, holdsComplex, multipliedOut, productOf, valuesOf } from "./parts.js";

/** Casts; a cast to a real dtype keeps the real part. */
const CASTS = /^aten\.(_to_copy|to|type_as|chalf)\./;

/** Ops that handle complex tensors themselves. */
const OWN =
  /^aten\.(_?fft_\w+|istft|view_as_complex|view_as_complex_copy|linalg_eig|linalg_eigvals|_linalg_eigvals)\./;

const isComplexName = (name: string | undefined): boolean => name?.startsWith("complex") === true;

const noDtypes = (context: AtenContext): AtenContext => ({ ...context, outputs: [] });

const hasComplex = (args: readonly unknown[], kwargs: object): boolean =>
  args.some(holdsComplex) || Object.values(kwargs).some(holdsComplex);

/** The op for calls in which an argument is complex. */
function complexOp(name: string, op: AtenOp): AtenOp {
  const own = COMPLEX_OPS[name] ?? FACTOR_OPS[name];
  if (own !== undefined) return (args, kwargs, context) => own(args, kwargs, noDtypes(context));
  if (CASTS.test(name)) {
    return (args, kwargs, context) => {
      const [self] = args;
      if (isComplexName(context.outputs[0]?.dtype)) return self;
      return op(isComplex(self) ? [self.re, ...args.slice(1)] : args, kwargs, context);
    };
  }
  const places = valuesOf(name);
  if (places !== undefined) return byParts(op, places);
  const product = productOf(name);
  if (product !== undefined) return multipliedOut(op, product);
  if (EMBEDDED.test(name)) return embedded(name, op);
  return () => {
    throw new TypeError(`${name} is not there for complex tensors`);
  };
}

/** Makes a result complex if the program says so, as for `zeros(…, dtype=torch.cfloat)`. */
function lifted(result: unknown, { outputs }: AtenContext): unknown {
  if (!outputs.some((meta) => isComplexName(meta?.dtype))) return result;
  const lift = (one: unknown, i: number): unknown =>
    isComplexName(outputs[i]?.dtype) && one instanceof tf.Tensor
      ? complexOf(one as tf.Tensor)
      : one;
  return Array.isArray(result) ? result.map(lift) : lift(result, 0);
}

/** The same ops, which also accept complex tensors where that is possible. */
export function withComplex(ops: Readonly<Record<string, AtenOp>>): Record<string, AtenOp> {
  const all = Object.entries(ops).map(([name, op]): [string, AtenOp] => {
    if (OWN.test(name)) return [name, op];
    const onComplex = complexOp(name, op);
    return [
      name,
      (args, kwargs, context) =>
        lifted((hasComplex(args, kwargs) ? onComplex : op)(args, kwargs, context), context),
    ];
  });
  return { ...Object.fromEntries(all), ...NAMED };
}
