/** What moves numbers and computes none: mostly another way of reading the same texture. */
import {
  concatProgram,
  embeddingProgram,
  MOST_PARTS,
} from "../../../kernels/webgl/programs/copy.js";
import type { Node } from "../../../graph/index.js";
import { type PadMode, padProgram } from "../../../kernels/webgl/programs/pad.js";
import { isMasked } from "../builder.js";
import { pointwise } from "./pointwise.js";
import { permuted, reshaped, sliced } from "../value.js";
import { dtypeOf, type Lowering, shapeOf } from "./common.js";

export const permute: Lowering = (_, node, read) =>
  permuted(read(node.args[0] as Node), node.args[1] as number[]);

export const reshape: Lowering = (b, node, read) => {
  const value = read(node.args[0] as Node);
  const shape = shapeOf(node);
  const view = reshaped(value, shape);
  if (view !== null) return view;
  const whole = b.copy(
    value,
    value.shape.map((_, axis) => axis),
  );
  return reshaped(whole, shape);
};

export const slice: Lowering = (_, node, read) =>
  sliced(read(node.args[0] as Node), node.args[1] as number[], shapeOf(node));

/** Numbers are floats here: integers and truths are whole ones. */
export const cast: Lowering = (b, node, read) => {
  const from = dtypeOf(node.args[0] as Node);
  const to = dtypeOf(node);
  if (to === "float32" || from === "bool") return read(node.args[0] as Node);
  return pointwise(b, node, read);
};

/** `pad(x, pad, { mode, value })` of the last dimension, or the last two of pictures. */
export const pad: Lowering = (b, node, read) => {
  const [x, sizes] = node.args as [Node, number[]];
  const { mode = "constant", value } = (node.args[2] ?? {}) as { mode?: PadMode; value?: number };
  if (sizes.every((size) => size === 0)) return read(x);
  const shape = shapeOf(node);
  const spatial = shape.length - 2;
  if (spatial < 1 || spatial > 2 || sizes.length > 2 * spatial) return null;
  const [left = 0, , top = 0] = sizes;
  const order = spatial === 1 ? [0, 2, 1] : [0, 2, 3, 1];
  const plane = (sides: readonly number[]): number[] => (spatial === 1 ? [1, sides[2]!] : sides.slice(2)); // prettier-ignore
  const [inH, inW] = plane(shapeOf(x)) as [number, number];
  const [outH, outW] = plane(shape) as [number, number];
  const masked = Boolean(value) && isMasked(shape[1]!);
  return b.draw(padProgram(mode, masked), shape, {
    order,
    inputs: [b.read(read(x), order)],
    ints: { inH, inW, outH, outW, top, left },
    floats: { value: value ?? 0 },
  });
};

export const concat: Lowering = (b, node, read) => {
  const [parts, axis] = node.args as unknown as [Node[], number];
  if (parts.length > MOST_PARTS) return null;
  const values = parts.map(read);
  const shape = shapeOf(node);
  const { order } = b.readAsIs(values.reduce((a, c) => (c.tensor.size > a.tensor.size ? c : a)));
  const isChannel = order.at(-1) === axis;
  const unit = isChannel ? 4 : 1;
  const lengths = values.map((value) => value.shape[axis]!);
  // Parts of a texel would have to be put together.
  if (isChannel && lengths.slice(0, -1).some((length) => length % 4 !== 0)) return null;
  const inner = order.slice(order.indexOf(axis) + 1, -1).reduce((n, one) => n * shape[one]!, 1);
  const ints: Record<string, number> = { size: shape[axis]!, inner };
  let begin = 0;
  lengths.forEach((length, i) => {
    ints[`begin_${i}`] = begin / unit;
    ints[`length_${i}`] = Math.ceil(length / unit);
    begin += length;
  });
  return b.draw(concatProgram(parts.length, isChannel ? "channels" : "rows"), shape, {
    order,
    inputs: values.map((value) => b.read(value, order)),
    ints,
  });
};

/** Indices come with the call, so that they can be checked before they are uploaded. */
export const embedding: Lowering = (b, node, read) => {
  const [ids, table] = node.args as [Node, Node];
  const { maxNorm } = (node.args[2] ?? {}) as { maxNorm?: number | null };
  const [count, dim] = shapeOf(table) as [number, number];
  if (maxNorm || !b.checkIndices(ids, count)) return null;
  const weight = b.packed(table, "table", (values) => padRows(values, dim));
  if (weight === null) return null;
  const input = b.read(read(ids));
  return b.draw(embeddingProgram(), shapeOf(node), {
    inputs: [input],
    weights: [weight],
    ints: { idChannels: input.layout.channels },
  });
};

/** Rows of whole texels. */
export function padRows(values: Float32Array, width: number): Float32Array {
  if (width % 4 === 0) return values;
  const padded = Math.ceil(width / 4) * 4;
  const out = new Float32Array((values.length / width) * padded);
  for (let row = 0; row * width < values.length; row += 1) {
    out.set(values.subarray(row * width, (row + 1) * width), row * padded);
  }
  return out;
}
