/** Computations of exported programs with sizes and conditions, and assertions about them. */
import * as tf from "@tensorflow/tfjs-core";
import { isComplex } from "../aten/support/complex.js";
import type { AtenOp } from "../op-table.js";
import { floorDiv, pythonMod } from "../python/evaluate.js";
import { assertTensor } from "./assertions.js";

type Value = number | boolean;

const unary =
  (fn: (a: number) => Value): AtenOp =>
  ([a]) =>
    fn(Number(a));

const binary =
  (fn: (a: number, b: number) => Value): AtenOp =>
  ([a, b]) =>
    fn(Number(a), Number(b));

const equal: AtenOp = ([a, b]) => plain(a) === plain(b);
const plain = (value: unknown): unknown => (typeof value === "boolean" ? Number(value) : value);

/** The result is a condition if both operands are. */
const logical =
  (
    onBooleans: (a: boolean, b: boolean) => boolean,
    onNumbers: (a: number, b: number) => number,
  ): AtenOp =>
  ([a, b]) =>
    typeof a === "boolean" && typeof b === "boolean"
      ? onBooleans(a, b)
      : onNumbers(Number(a), Number(b));

const real = (x: unknown): tf.Tensor => (isComplex(x) ? x.re : (x as tf.Tensor));

const size: AtenOp = ([x, dim]) => {
  const { shape, rank } = real(x);
  return shape[(dim as number) < 0 ? (dim as number) + rank : (dim as number)];
};

/** Tensors are row-major here. */
function strides({ shape }: tf.Tensor): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * Math.max(b, 1), 1));
}

/** Reads a value back, and so waits for the GPU. */
const item: AtenOp = ([x], _kwargs, { inputs }) => {
  const tensor = x as tf.Tensor;
  if (tensor.size !== 1) {
    throw new Error("a Tensor with " + `${tensor.size} elements cannot be converted to Scalar`);
  }
  const [value] = tensor.dataSync();
  const meta = inputs[0];
  const isBool = tensor.dtype === "bool" || (meta && "dtype" in meta && meta.dtype === "bool");
  return isBool ? Boolean(value) : value;
};

const assertScalar: AtenOp = ([condition, message]) => {
  if (!condition) throw new Error(String(message));
  return null;
};

const constrainRange: AtenOp = ([value, ...rest], kwargs) => {
  const min = (rest[0] ?? kwargs.min ?? -Infinity) as number;
  const max = (rest[1] ?? kwargs.max ?? Infinity) as number;
  if ((value as number) < min || (value as number) > max) {
    throw new Error(`Invalid value range for ${String(value)} between [${min}, ${max}].`);
  }
  return null;
};

const assertMetadata: AtenOp = ([x, sizes]) => {
  const { shape } = real(x);
  if (Array.isArray(sizes) && !tf.util.arraysEqual(sizes, shape)) {
    throw new Error(
      `Tensor sizes mismatch! Expected: [${sizes.join(", ")}] Got: [${shape.join(", ")}]`,
    );
  }
  return null;
};

const power = (a: number, b: number): number => a ** b;

export const SYMBOLIC_OPS: Readonly<Record<string, AtenOp>> = {
  "operator.getitem": ([list, index]) => {
    const all = list as unknown[];
    if (!((index as number) in all)) {
      throw new RangeError(`there is no result ${String(index)}, there are ${all.length}`);
    }
    return all[index as number];
  },
  "operator.eq": equal,
  "operator.ne": (...call) => !equal(...call),
  "operator.lt": binary((a, b) => a < b),
  "operator.le": binary((a, b) => a <= b),
  "operator.gt": binary((a, b) => a > b),
  "operator.ge": binary((a, b) => a >= b),
  "operator.neg": unary((a) => -a),
  "operator.pos": unary((a) => a),
  "operator.abs": unary(Math.abs),
  "operator.add": binary((a, b) => a + b),
  "operator.sub": binary((a, b) => a - b),
  "operator.mul": binary((a, b) => a * b),
  "operator.truediv": binary((a, b) => a / b),
  "operator.floordiv": binary(floorDiv),
  "operator.mod": binary(pythonMod),
  "operator.pow": binary(power),
  "operator.lshift": binary((a, b) => a * 2 ** b),
  "operator.rshift": binary((a, b) => Math.floor(a / 2 ** b)),
  "operator.and_": logical(
    (a, b) => a && b,
    (a, b) => a & b,
  ),
  "operator.or_": logical(
    (a, b) => a || b,
    (a, b) => a | b,
  ),
  "operator.xor": logical(
    (a, b) => a !== b,
    (a, b) => a ^ b,
  ),
  "operator.not_": unary((a) => a === 0),
  "math.trunc": unary(Math.trunc),
  "math.ceil": unary(Math.ceil),
  "math.floor": unary(Math.floor),
  "math.sqrt": unary(Math.sqrt),
  "torch.sym_not": unary((a) => a === 0),
  "torch.sym_int": unary(Math.trunc),
  "torch.sym_float": unary((a) => a),
  "torch.sym_ite": ([condition, a, b]) => (condition ? a : b),
  "torch.sym_max": binary(Math.max),
  "torch.sym_min": binary(Math.min),
  "torch.sym_sqrt": unary(Math.sqrt),
  "torch._sym_sqrt": unary(Math.sqrt),
  "torch.sym_sum": ([terms]) => (terms as number[]).reduce((a, b) => a + b, 0),
  "aten.sym_size.int": size,
  "aten.sym_size.default": ([x]) => real(x).shape,
  "aten.size.int": size,
  "aten.sym_numel.default": ([x]) => real(x).size,
  "aten.numel.default": ([x]) => real(x).size,
  "aten.sym_stride.int": ([x, dim]) => strides(real(x)).at(dim as number),
  "aten.sym_stride.default": ([x]) => strides(real(x)),
  "aten.sym_storage_offset.default": () => 0,
  "aten.item.default": item,
  "aten._local_scalar_dense.default": item,
  "aten._assert_scalar.default": assertScalar,
  "aten._assert_async.default": assertTensor,
  "aten._assert_async.msg": assertTensor,
  "aten._assert_tensor_metadata.default": assertMetadata,
  "aten.sym_constrain_range.default": constrainRange,
  "aten.sym_constrain_range_for_size.default": constrainRange,
};
