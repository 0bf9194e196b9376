import { makeLayout, stridesOf } from "../../../kernels/webgl/layout.js";
import { scoresProgram, weightedValuesProgram } from "../../../kernels/webgl/programs/attention.js";
import type { Node } from "../../../graph/index.js";
import type { Builder, Read } from "../builder.js";
import { permuted, reshaped, type Value, wholeOf } from "../value.js";
import { count, dtypeOf, type Lowering, shapeOf } from "./common.js";
import { softmaxMoments } from "./norms.js";

interface Options {
  attnMask?: Node | null;
  dropoutP?: number;
  isCausal?: boolean;
  scale?: number | null;
  enableGqa?: boolean;
  /** Of the primitive. */
  replaces?: boolean;
}

/**
 * The value as `(N, H, T, E)`: all axes before the heads become one batch axis. `null` if that
 * needs a copy.
 */
function fourDims(value: Value): Value | null {
  const { shape } = value;
  const [time, depth] = shape.slice(-2) as [number, number];
  const heads = shape.at(-3) ?? 1;
  const batch = count(shape.slice(0, -3));
  return reshaped(value, [batch, heads, time, depth]);
}

/**
 * The integers with which a program addresses the vectors of `value` in its texture without a copy;
 * `null` if its strides do not allow that.
 */
function placesOf(value: Value, name: string): Record<string, number> | null {
  const [batch, heads, time, depth] = value.shape as [number, number, number, number];
  const [sb, sh, st, sd] = value.strides as [number, number, number, number];
  const { channels } = value.tensor.layout;
  const isRow = (stride: number, size: number): boolean => size === 1 || stride % channels === 0;
  const first = value.offset % channels;
  const headIsRow = isRow(sh, heads) || channels === depth;
  const fits =
    [depth, first, headIsRow ? 0 : sh].every((one) => one % 4 === 0) &&
    (sd === 1 || depth === 1) &&
    value.offset < channels &&
    (channels % 4 === 0 || channels === depth) &&
    isRow(sb, batch) &&
    isRow(st, time);
  if (!fits) return null;
  const rows = (stride: number): number => Math.floor(stride / channels);
  return {
    [`${name}_batch`]: rows(sb),
    [`${name}_time`]: rows(st),
    [`${name}_row`]: headIsRow ? rows(sh) : 0,
    [`${name}_head`]: headIsRow ? 0 : sh / 4,
    [`${name}_first`]: first / 4,
  };
}

function readPlaces(
  b: Builder,
  value: Value,
  name: string,
): { input: Read; ints: Record<string, number> } {
  const inPlace = placesOf(value, name);
  if (inPlace !== null) {
    return { input: { tensor: value.tensor, layout: value.tensor.layout }, ints: inPlace };
  }
  const { tensor, layout } = b.read(value);
  const strides = stridesOf(makeLayout(value.shape));
  const ints = placesOf({ ...wholeOf(tensor), shape: value.shape, strides }, name)!;
  return { input: { tensor, layout }, ints };
}

/** `scaled_dot_product_attention(q, k, v, { attnMask, isCausal, scale, enableGqa })` */
export const attention: Lowering = (b, node, read) => {
  const [qNode, kNode, vNode] = node.args as [Node, Node, Node];
  const options = (node.args[3] ?? {}) as Options;
  if (options.dropoutP) return null;
  const values = [qNode, kNode, vNode].map((one) => fourDims(read(one)));
  const [q, k, v] = values;
  if (!q || !k || !v) return null;
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [kBatch, kHeads, keys] = k.shape as [number, number, number, number];
  const [vBatch, vHeads, , width] = v.shape as [number, number, number, number];
  // One head broadcasts to all.
  const divides = options.enableGqa || kHeads === 1 ? heads % kHeads === 0 : heads === kHeads;
  const isOne = kBatch === batch && vBatch === batch && vHeads === kHeads;
  if (!isOne || !divides || (depth | width) % 4 !== 0 || keys === 0) return null;

  const ints = {
    heads,
    perKey: heads / kHeads,
    queries,
    padded: Math.ceil(queries / 4) * 4,
    keys,
  };
  const at = { q: readPlaces(b, q, "q"), k: readPlaces(b, k, "k"), v: readPlaces(b, v, "v") };
  const attnMask = options.isCausal ? null : options.attnMask;
  const mask = attnMask ? readMask(b, attnMask, read, [batch, heads, queries, keys]) : null;
  if (attnMask && mask === null) return null;
  const kind = !attnMask
    ? "none"
    : options.replaces
      ? "fill"
      : (dtypeOf(attnMask) as "bool" | "float32");
  const scores = b.draw(
    scoresProgram({ mask: kind, causal: options.isCausal ?? false }),
    [batch * heads * ints.padded, keys],
    {
      inputs: [at.q.input, at.k.input, ...(mask ? [mask.input] : [])],
      ints: { ...ints, depth: depth / 4, ...at.q.ints, ...at.k.ints, ...mask?.ints },
      floats: { scale: options.scale ?? 1 / Math.sqrt(depth) },
      flops: 2 * batch * heads * queries * keys * depth,
    },
  );
  const seen: Read = { tensor: scores.tensor, layout: scores.tensor.layout };
  // A row of scores that are all -∞ gives NaN where a model wrote the softmax out itself, and zeros
  // in PyTorch's own op.
  const moments = softmaxMoments(b, seen, !node.target.startsWith("prim."));
  const together = batch === 1 || queries % 4 === 0;
  const y = b.draw(weightedValuesProgram(together), [batch * queries, heads * width], {
    inputs: [seen, { tensor: moments.tensor, layout: moments.tensor.layout }, at.v.input],
    ints: { ...ints, depth: width / 4, ...at.v.ints },
    flops: 2 * batch * heads * queries * keys * width,
  });
  const split = reshaped(y, [batch, queries, heads, width])!;
  return reshaped(permuted(split, [0, 2, 1, 3]), shapeOf(node));
};

/** The attention mask, which broadcasts to `(N, H, L, S)`. */
function readMask(
  b: Builder,
  node: Node,
  read: Reader,
  full: readonly number[],
): { input: Read; ints: Record<string, number> } | null {
  const value = read(node);
  const shape = [...value.shape];
  while (shape.length < 4) shape.unshift(1);
  if (shape.length > 4) return null;
  if (!shape.every((size, i) => size === 1 || size === full[i])) return null;
  const input = b.read(value);
  const [n, h, l, s] = shape as [number, number, number, number];
  return {
    input,
    ints: {
      mask_batch: n === 1 ? 0 : h * l,
      mask_head: h === 1 ? 0 : l,
      mask_time: l === 1 ? 0 : 1,
      mask_key: s === 1 ? 0 : 1,
    },
  };
}
type Reader = Parameters<Lowering>[2];
