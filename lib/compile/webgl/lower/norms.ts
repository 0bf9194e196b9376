import {
  momentsProgram,
  normalizeProgram,
  softmaxMomentsProgram,
  softmaxProgram,
} from "../../../kernels/webgl/programs/norm.js";
import type { Node } from "../../../graph/index.js";
import { type Builder, isMasked, type Read } from "../builder.js";
import { reshaped, type Value, wholeOf } from "../value.js";
import { count, type Lowering, shapeOf } from "./common.js";

const asRead = ({ tensor }: Value): Read => ({ tensor, layout: tensor.layout });

const EPSILON = 2 ** -23; // PyTorch's default of rms_norm

/** `layer_norm(x, normalizedShape, { weight, bias, eps })` and `rms_norm`. */
export const layerNorm: Lowering = (b, node, read) => {
  const isRms = node.target === "rms_norm";
  const options = (node.args[2] ?? {}) as {
    weight?: Node | null;
    bias?: Node | null;
    eps?: number | null;
  };
  const normalized = [node.args[1] as number | number[]].flat();
  const channels = normalized.reduce((n, size) => n * size, 1);
  const shape = shapeOf(node);
  const value = read(node.args[0] as Node);
  const rows = [...shape.slice(0, shape.length - normalized.length), channels];
  // Several normalised axes are merged into one.
  const flat = normalized.length === 1 ? value : reshaped(wholeOf(b.read(value).tensor), rows);
  if (flat === null) return null;
  const x = b.read(flat);
  const weights = [];
  for (const one of [options.weight, options.bias]) {
    if (!one) continue;
    const weight = b.vector(one);
    if (weight === null) return null;
    weights.push(weight);
  }
  const moments = b.draw(momentsProgram(isRms ? "rms" : "layer"), [x.layout.rows, 4], {
    inputs: [x],
    ints: { channels },
    floats: { eps: options.eps ?? (isRms ? EPSILON : 1e-5) },
    flops: 4 * count(shape),
  });
  const source = normalizeProgram({
    weight: Boolean(options.weight),
    bias: Boolean(options.bias),
    masked: isMasked(channels),
  });
  const y = b.draw(source, rows, {
    ...{ inputs: [x, asRead(moments)], weights },
    flops: 4 * count(shape),
  });
  return reshaped(y, shape);
};

export const softmax: Lowering = (b, node, read) => {
  const value = read(node.args[0] as Node);
  const rank = value.shape.length;
  const { dim = null } = (node.args[1] ?? {}) as { dim?: number | null };
  if (dim === null || rank === 0) return null;
  const axis = (dim + rank) % rank;
  const order = [...value.shape.keys()].filter((one) => one !== axis);
  order.push(axis);
  const x = b.read(value, order);
  const moments = softmaxMoments(b, x, false);
  const masked = isMasked(value.shape[axis]!);
  return b.draw(softmaxProgram(node.target === "log_softmax", masked), shapeOf(node), {
    order,
    inputs: [x, asRead(moments)],
    flops: 2 * count(value.shape),
  });
};

export function softmaxMoments(
  b: Builder,
  x: Read,
  safe: boolean,
  channels = x.layout.channels,
): Value {
  return b.draw(softmaxMomentsProgram(safe), [x.layout.rows, 4], {
    inputs: [x],
    ints: { channels },
    flops: 3 * x.layout.rows * channels,
  });
}
