/** Ops that move elements without computing: most only change how the same texture is indexed. */
import { concatProgram, joinProgram, MOST_PARTS } from "../../../kernels/webgl/programs/copy.js";
import type { Node } from "../../../graph/index.js";
import { type PadMode, padProgram } from "../../../kernels/webgl/programs/pad.js";
import { type Builder, isMasked } from "../builder.js";
import { pointwise } from "./pointwise.js";
import { permuted, reshaped, sliced, type Value } from "../value.js";
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

/** Textures hold floats for every dtype: integers and booleans are stored as whole numbers. */
export const cast: Lowering = (b, node, read) => {
  const from = dtypeOf(node.args[0] as Node);
  const to = dtypeOf(node);
  if (to === "float32" || from === "bool") return read(node.args[0] as Node);
  return pointwise(b, node, read);
};

/**
 * `pad(x, pad, { mode, value })` of the last dimension of `(N, C, L)`, or the last two of
 * `(N, C, H, W)`.
 */
export const pad: Lowering = (b, node, read) => {
  const [x, sizes] = node.args as [Node, number[]];
  const { mode = "constant", value } = (node.args[2] ?? {}) as { mode?: PadMode; value?: number };
  if (sizes.every((size) => size === 0)) return read(x);
  // Negative padding crops before the rest wraps around, which the program cannot express.
  if (mode === "circular" && sizes.some((size) => size < 0)) return null;
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
  const values = parts.filter((part) => shapeOf(part)[axis] !== 0).map(read);
  if (values.length === 0) return null;
  const largest = values.reduce((a, c) => (c.tensor.size > a.tensor.size ? c : a));
  return join(b, values, axis, b.readAsIs(largest).order);
};

/** Concatenates along `axis`. The result's axes are stored in `order`. */
function join(b: Builder, values: readonly Value[], axis: number, order: readonly number[]): Value {
  if (values.length === 1) return values[0]!;
  if (values.length > MOST_PARTS) {
    const pieces: Value[] = [];
    for (let i = 0; i < values.length; i += MOST_PARTS) {
      pieces.push(join(b, values.slice(i, i + MOST_PARTS), axis, order));
    }
    return join(b, pieces, axis, order);
  }
  const lengths = values.map((value) => value.shape[axis]!);
  const size = lengths.reduce((sum, length) => sum + length, 0);
  const shape = values[0]!.shape.map((one, i) => (i === axis ? size : one));
  const isChannel = order.at(-1) === axis;
  // Channel counts that are no multiple of four do not start on a texel, which needs another
  // program.
  const isLoose = isChannel && lengths.slice(0, -1).some((length) => length % 4 !== 0);
  const unit = isChannel && !isLoose ? 4 : 1;
  const inner = order.slice(order.indexOf(axis) + 1, -1).reduce((n, one) => n * shape[one]!, 1);
  const ints: Record<string, number> = { size, inner };
  let begin = 0;
  lengths.forEach((length, i) => {
    ints[`begin_${i}`] = begin / unit;
    ints[`length_${i}`] = Math.ceil(length / unit);
    ints[`first_${i}`] = 0;
    ints[`step_${i}`] = 1;
    begin += length;
  });
  const { length } = values;
  const source = isLoose ? joinProgram(length) : concatProgram(length, isChannel ? "channels" : "rows"); // prettier-ignore
  return b.draw(source, shape, {
    order,
    inputs: values.map((value) => b.read(value, order)),
    ints,
  });
}

/** Joins matrices with equal numbers of rows side by side. */
export const joinChannels = (b: Builder, values: readonly Value[]): Value =>
  join(b, values, 1, [0, 1]);
