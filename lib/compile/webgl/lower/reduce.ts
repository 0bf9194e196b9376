import { reduceChannelsProgram, reduceRowsProgram, type Reduction } from "../../../kernels/webgl/programs/reduce.js"; // prettier-ignore
import type { Node } from "../../../graph/index.js";
import { isMasked, type Read } from "../builder.js";
import { naturalOrder, reshaped, wholeOf } from "../value.js";
import { count, type Lowering, shapeOf } from "./common.js";

/**
 * `prim.Sum(x, axes, keepDims)`, `Mean`, `Max` and `Min`: one draw per axis, along the channels or
 * along rows.
 */
export const reduce: Lowering = (b, node, read) => {
  const kind = node.target.replace("prim.", "") as Reduction;
  const axes = node.args[1] as number[];
  let value = read(node.args[0] as Node);
  const sizes = value.shape;
  if (sizes.length === 0) return null;
  // Axes are reduced one by one. Each stays as size 1 until the end.
  const order = naturalOrder(value);
  for (const axis of axes.toSorted((one, two) => order.indexOf(one) - order.indexOf(two))) {
    const { tensor, layout } = b.read(value, order);
    const input: Read = { tensor, layout };
    const shape = value.shape.map((size, i) => (i === axis ? 1 : size));
    const size = value.shape[axis]!;
    const flops = count(value.shape);
    const at = order.indexOf(axis);
    if (at === order.length - 1) {
      value = b.draw(reduceChannelsProgram(kind), shape, { order, inputs: [input], ints: { channels: size }, flops }); // prettier-ignore
    } else {
      const inner = order.slice(at + 1, -1).reduce((n, one) => n * value.shape[one]!, 1);
      const masked = kind !== "Sum" && isMasked(layout.channels);
      value = b.draw(reduceRowsProgram(kind, masked), shape, { order, inputs: [input], ints: { count: size, inner }, flops }); // prettier-ignore
    }
  }
  const shape = shapeOf(node);
  return reshaped(value, shape) ?? reshaped(wholeOf(b.read(value).tensor), shape);
};
