import { type Broadcast, MIXED_DIMS, pointwiseProgram, type Step } from "../../../kernels/webgl/programs/pointwise.js"; // prettier-ignore
import { Node } from "../../../graph/index.js";
import { type Builder, isMasked, type Read } from "../builder.js";
import { naturalOrder, reshaped, type Value } from "../value.js";
import { count, dtypeOf, type Lowering, type Reader, shapeOf } from "./common.js";

/** Fused chains of elementwise ops (`prim.pointwise`), and single elementwise ops. */
export const pointwise: Lowering = (b, node, read) => {
  if (node.target === "prim.pointwise") {
    const [inputs, steps] = node.args as unknown as [Node[], Step[]];
    return chain(b, node, inputs, steps, read);
  }
  // A GPU's `pow` is slightly inexact, which would show in integers.
  if (node.target === "prim.Pow" && dtypeOf(node) !== "float32") return null;
  const inputs = node.args.filter((one) => one instanceof Node);
  if (node.target === "prim.cast") {
    return chain(b, node, inputs, [[node.target, "x0", { dtype: node.args[1] }]], read);
  }
  const names = node.args.map((one) => (one instanceof Node ? `x${inputs.indexOf(one)}` : one));
  return chain(b, node, inputs, [[node.target, ...names]], read);
};

/** One draw for a chain of elementwise steps on inputs that broadcast. */
export function chain(
  b: Builder,
  node: Node,
  inputs: readonly Node[],
  steps: readonly Step[],
  read: Reader,
): Value | null {
  const shape = shapeOf(node);
  const rank = shape.length;
  if (inputs.length === 0 || inputs.some((input) => shapeOf(input).length > rank)) return null;
  const values = inputs.map((input) => {
    const value = read(input);
    const padded = [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape];
    return reshaped(value, padded)!;
  });
  // The result takes the axis order of an input of full size. The others are read in that order.
  const total = count(shape);
  const leader = values.find(
    (value) => count(value.shape) === total && value.tensor.size === total,
  );
  const order = leader ? naturalOrder(leader) : shape.map((_, axis) => axis);
  const channel = order.at(-1);
  const rows = order.slice(0, -1);
  const reads: Read[] = [];
  const broadcasts: Broadcast[] = [];
  const mixed: { i: number; value: Value }[] = [];
  values.forEach((value, i) => {
    reads.push(b.read(value, order));
    const sizes = rows.map((axis) => value.shape[axis]!);
    const isFull = rows.every((axis, j) => sizes[j] === shape[axis]);
    const isOne = sizes.every((size) => size === 1);
    const row = isFull ? "same" : isOne ? "one" : "mixed";
    if (row === "mixed") mixed.push({ i, value });
    const sameChannel = channel === undefined || value.shape[channel] === shape[channel];
    broadcasts.push({ row, channel: sameChannel ? "same" : "one" });
  });
  const dims = rows.filter((axis) => shape[axis]! > 1);
  if (mixed.length > 0 && dims.length > MIXED_DIMS) return null;
  const ints: Record<string, number> = {};
  const pad = MIXED_DIMS - dims.length;
  for (let d = 0; d < MIXED_DIMS; d += 1) ints[`size_${d}`] = d < pad ? 1 : shape[dims[d - pad]!]!;
  for (const { i, value } of mixed) {
    let stride = 1;
    const strides = new Map<number, number>();
    for (const axis of rows.toReversed()) {
      strides.set(axis, value.shape[axis] === 1 ? 0 : stride);
      stride *= value.shape[axis]!;
    }
    for (let d = 0; d < MIXED_DIMS; d += 1) {
      ints[`stride_${i}_${d}`] = d < pad ? 0 : strides.get(dims[d - pad]!)!;
    }
  }
  const masked = channel !== undefined && isMasked(shape[channel]!);
  const source = pointwiseProgram(broadcasts, steps, masked);
  return (
    source &&
    b.draw(source, shape, { order, inputs: reads, ints, flops: steps.length * count(shape) })
  );
}
