/** `linear` and `matmul`. */
import {
  packMatrix,
  matmulProgram,
  type EpilogueOptions,
} from "../../../kernels/webgl/programs/matmul.js";
import { activationStatement } from "../../../kernels/webgl/programs/expressions.js";
import { batchMatmulProgram } from "../../../kernels/webgl/programs/copy.js";
import type { Node } from "../../../graph/index.js";
import { isMasked, type Builder, type Read, type Weight } from "../builder.js";
import type { Value } from "../value.js";
import { count, type Lowering, type Reader, shapeOf } from "./common.js";

interface Tail {
  residual?: Node | null;
  activation?: readonly (readonly [string, ...unknown[]])[];
}

/**
 * The fused residual and activation of an op as program options and inputs; `null` if an activation
 * function has no shader expression.
 */
export function readTail(
  b: Builder,
  read: Reader,
  node: Node,
  {
    shape,
    order,
    bias,
  }: { shape: readonly number[]; order: readonly number[]; bias: Weight | null },
): { options: EpilogueOptions; residual: Read[]; weights: Weight[] } | null {
  const { residual = null, activation = [] } = (node.args[3] ?? {}) as unknown as Tail;
  const statement = activationStatement(activation);
  if (statement === null) return null;
  const masked = isMasked(shape[order.at(-1)!]!);
  return {
    options: { bias: bias !== null, residual: residual !== null, activation: statement, masked },
    residual: residual === null ? [] : [b.read(read(residual), order)],
    weights: bias === null ? [] : [bias],
  };
}

const naturalOf = (shape: readonly number[]): number[] => shape.map((_, axis) => axis);

/** The constant bias of an op: `null` if it has none, `undefined` if its bias is not constant. */
export function biasOf(b: Builder, node: Node): Weight | null | undefined {
  const { bias } = (node.args[2] ?? {}) as { bias?: Node | null };
  if (!bias) return null;
  return b.vector(bias) ?? undefined;
}

export const linear: Lowering = (b, node, read) => {
  const [x, weight] = node.args as [Node, Node];
  const [outputs, inputs] = shapeOf(weight) as [number, number];
  const w = b.packed(weight, "matrix", (values) => packMatrix(values, { outputs, inputs }));
  const bias = biasOf(b, node);
  if (w === null || bias === undefined) return null;
  const shape = shapeOf(node);
  const order = naturalOf(shape);
  const tail = readTail(b, read, node, { shape, order, bias });
  if (tail === null) return null;
  const input = b.read(read(x));
  return b.draw(matmulProgram({ ...tail.options, single: input.layout.rows === 1 }), shape, {
    inputs: [input, ...tail.residual],
    weights: [w, ...tail.weights],
    flops: 2 * count(shape) * inputs,
  });
};

/** `prim.matmul(a, b, transposeA, transposeB)`, neither operand being constant. */
export const matmul: Lowering = (b, node, read) => {
  const [left, right, transposeA, transposeB] = node.args as [Node, Node, boolean, boolean];
  const shape = shapeOf(node);
  /** An operand with its leading dimensions repeated as in the result. */
  const repeated = (value: Value): Value => {
    const from = value.shape.length - shape.length;
    return {
      ...value,
      shape: [...shape.slice(0, -2), ...value.shape.slice(-2)],
      strides: shape.map((_, i) => (value.shape[from + i]! > 1 ? value.strides[from + i]! : 0)),
    };
  };
  const [one, two] = [repeated(read(left)), read(right)];
  const order = naturalOf(shape);
  if (transposeA) order.push(...order.splice(-2).reverse());
  const isShared = count(two.shape.slice(0, -2)) === 1;
  const [a, c] = [b.read(one, order), b.read(isShared ? two : repeated(two))];
  const masked = isMasked(shape.at(-1)!);
  return b.draw(batchMatmulProgram(Boolean(transposeB), masked), shape, {
    inputs: [a, c],
    ints: { a_rows: shape.at(-2)!, b_rows: two.shape.at(-2)!, one_b: isShared ? 1 : 0 },
    flops: 2 * count(shape) * one.shape[order.at(-1)!]!,
  });
};
