/** Which arguments ops write to, and the corresponding ops that write to none. */
import { type KeywordArguments, Node } from "../../graph/index.js";
import { packetOf } from "./views.js";

/** Python's in-place operators. */
const DUNDER: Readonly<Record<string, string>> = {
  ...{ __iand__: "__and__", __ior__: "__or__", __ixor__: "__xor__" },
  ...{ __ilshift__: "__lshift__", __irshift__: "__rshift__" },
};

/** Ops that end in `_` for another reason, or whose effect no value can express. */
const REFUSED = new Set(["set_", "rename_"]);

const isInPlace = (packet: string): boolean =>
  Object.hasOwn(DUNDER, packet) || /[^_]_$/.test(packet);

/**
 * Ops that write several results to arguments: the names of these arguments, and the op that
 * returns the results instead.
 */
const SEVERAL_OUT: Readonly<Record<string, readonly [target: string, ...outs: string[]]>> = {
  "aten.sort.values": ["aten.sort.default", "values", "indices"],
  "aten.sort.values_stable": ["aten.sort.stable", "values", "indices"],
  "aten.topk.values": ["aten.topk.default", "values", "indices"],
  "aten.kthvalue.values": ["aten.kthvalue.default", "values", "indices"],
  "aten.mode.values": ["aten.mode.default", "values", "indices"],
  "aten.median.dim_values": ["aten.median.dim", "values", "indices"],
  "aten.nanmedian.dim_values": ["aten.nanmedian.dim", "values", "indices"],
  "aten.cummax.out": ["aten.cummax.default", "values", "indices"],
  "aten.cummin.out": ["aten.cummin.default", "values", "indices"],
  "aten.max.dim_max": ["aten.max.dim", "max", "max_values"],
  "aten.min.dim_min": ["aten.min.dim", "min", "min_indices"],
  "aten.aminmax.out": ["aten.aminmax.default", "min", "max"],
  "aten.frexp.Tensor_out": ["aten.frexp.Tensor", "mantissa", "exponent"],
};

/** The tensors that a node writes its several results to; null if it does not. */
export function severalWritesOf({ target, kwargs }: Node): SeveralWrites | null {
  if (!Object.hasOwn(SEVERAL_OUT, target)) return null;
  const [plain, ...names] = SEVERAL_OUT[target]!;
  const rest = Object.entries(kwargs).filter(([name]) => !names.includes(name));
  return {
    target: plain,
    kwargs: Object.fromEntries(rest),
    to: names.map((name) => kwargs[name] as Node),
  };
}

interface SeveralWrites {
  /** The op that returns the results instead. */
  target: string;
  kwargs: KeywordArguments;
  to: readonly Node[];
}

/** The tensor that a node writes to; null if there is none. */
export function writesOf(node: Node): { to: Node; out: boolean } | null {
  const packet = packetOf(node.target);
  if (packet === null) return null;
  if (REFUSED.has(packet)) {
    throw new Error(`${node.target} changes the memory of a tensor, which is not supported`);
  }
  if (node.kwargs.out instanceof Node) return { to: node.kwargs.out, out: true };
  const [self] = node.args;
  return isInPlace(packet) && self instanceof Node ? { to: self, out: false } : null;
}

/** `aten.add_.Tensor` → `aten.add.Tensor`. */
export function functionalTarget(target: string): string {
  const [space, packet, overload] = target.split(".");
  if (packet === undefined || overload === undefined) return target;
  if (Object.hasOwn(DUNDER, packet)) return `${space}.${DUNDER[packet]}.${overload}`;
  if (packet === "zero_") return "aten.fill.Scalar";
  const isOut = overload === "out" || overload.endsWith("_out");
  if (!isOut && !isInPlace(packet)) return target;
  const renamed = RENAMED[`${packet}.${overload}`];
  if (renamed !== undefined) return `${space}.${renamed}`;
  if (!isOut) return `${space}.${packet.slice(0, -1)}.${overload}`;
  return `${space}.${packet}.${overload.slice(0, -"_out".length) || "default"}`;
}

/** Ops whose functional overload has another name. */
const RENAMED: Readonly<Record<string, string>> = {
  ...{ "transpose_.default": "transpose.int", "floor_divide_.Tensor": "floor_divide.default" },
  ...{ "pow_.Tensor": "pow.Tensor_Tensor", "pow_.Scalar": "pow.Tensor_Scalar" },
  "float_power_.Tensor": "float_power.Tensor_Tensor",
  "float_power_.Scalar": "float_power.Tensor_Scalar",
  ...{ "ldexp_.default": "ldexp.Tensor", "bernoulli_.float": "bernoulli.p" },
  ...{ "normal_.default": "normal_functional.default" },
  ...{ "add.out": "add.Tensor", "sub.out": "sub.Tensor", "subtract.out": "subtract.Tensor" },
  ...{ "mul.out": "mul.Tensor", "multiply.out": "multiply.Tensor", "div.out": "div.Tensor" },
  ...{ "divide.out": "divide.Tensor", "true_divide.out": "true_divide.Tensor" },
  ...{ "div.out_mode": "div.Tensor_mode", "divide.out_mode": "divide.Tensor_mode" },
  ...{ "remainder.out": "remainder.Tensor", "copysign.out": "copysign.Tensor" },
  ...{ "ldexp.out": "ldexp.Tensor", "bernoulli.float_out": "bernoulli.p" },
  ...{ "all.out": "all.dim", "all.all_out": "all.default" },
  ...{ "any.out": "any.dim", "any.all_out": "any.default" },
  ...{ "max.out": "max.other", "max.unary_out": "max.default" },
  ...{ "min.out": "min.other", "min.unary_out": "min.default" },
  ...{ "sum.IntList_out": "sum.dim_IntList", "prod.int_out": "prod.dim_int" },
  ...{ "mean.out": "mean.dim", "mean.dtype_out": "mean.default" },
  ...{ "norm.out": "norm.ScalarOpt_dim", "norm.dtype_out": "norm.ScalarOpt_dim_dtype" },
  ...{ "std.out": "std.dim", "var.out": "var.dim", "arange.start_out": "arange.start_step" },
};

const COMPARISONS =
  /^(eq|ne|lt|le|gt|ge|not_equal|less|less_equal|greater|greater_equal|logical_(and|or|xor|not))$/;

/** Comparisons, which give booleans, but in place write them in the dtype of the target. */
export const isComparison = (packet: string): boolean => COMPARISONS.test(packet);
