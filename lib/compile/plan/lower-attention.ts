import { attention, gather, type HeadStrides } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { isCall, shapeOf, tensorMeta } from "../passes/facts.js";
import { type Builder, Decline, type Lowered } from "./builder.js";
import { addFiniteCheck, isFiniteNode } from "./finite.js";
import { type Lower, optionsOf, runChain } from "./lower-basic.js";
import { broadcastStrides, count, permuteValue, reshapeValue, type Value } from "./value.js";

/** A tensor `(…, H, L, E)` as `(N, H, L, E)` with contiguous rows. */
function asHeads(b: Builder, node: Node): Value {
  let value = b.read(node);
  const [h, l, e] = [value.shape.at(-3) ?? 1, ...value.shape.slice(-2)] as [number, number, number];
  const shape = [count(value.shape) / (h * l * e), h, l, e];
  if (value.strides.at(-1) !== 1 && e !== 1) value = b.contiguous(value);
  return reshapeValue(value, shape) ?? reshapeValue(b.contiguous(value), shape)!;
}

const headStrides = ({ strides }: Pick<Value, "strides">): HeadStrides => ({
  batch: strides[0]!,
  head: strides[1]!,
  row: strides[2]!,
});

/**
 * The mask to add to the scores: a float one as it is, a bool one (`true`: takes part) as 0 and -∞.
 */
function maskOf(b: Builder, mask: Argument, scores: readonly number[]): Value | null | Decline {
  if (!mask) return null;
  let value = b.contiguous(b.read(mask as Node));
  if (value.dtype === "bool") {
    // log(1) = 0 and log(0) = -∞.
    const added = runChain(b, [value], [["prim.Log", "x0"]], value.shape);
    if (added instanceof Decline) return added;
    value = added as Value;
  }
  if (value.dtype !== "float32") return new Decline("a mask of integers");
  if (value.shape.length > 4) return new Decline("a mask of more than four dimensions");
  const missing = new Array<number>(4 - value.shape.length).fill(1);
  const wide = reshapeValue(value, [...missing, ...value.shape])!;
  const fits = wide.shape.every((size, i) => size === scores[i] || (size === 1 && i < 3));
  return fits ? wide : new Decline("a mask of another shape");
}

/** Whether the result is only read with the heads of each position next to each other. */
function isMerged(b: Builder, node: Node): boolean {
  const users = [...b.users.get(node)!];
  return (
    users.length > 0 &&
    users.every((one) => {
      const perm = one.args[1] as number[];
      return isCall(one, "prim.permute") && perm.at(-1) === perm.length - 1 && perm.at(-2) === perm.length - 3; // prettier-ignore
    })
  );
}

const lowerAttention: Lower = (b, node): Lowered => {
  const [query, key, value, given] = node.args as [Node, Node, Node, Argument];
  const options = optionsOf(given);
  if (options.dropoutP) return new Decline("dropout");
  const shape = shapeOf(node);
  if (count(shape) === 0 || count(shapeOf(key)) === 0) return new Decline("an empty tensor");
  const lead = [query, key, value].map((one) => String(shapeOf(one).slice(0, -3)));
  if (lead.some((one) => one !== lead[0])) return new Decline("batches that broadcast");
  const [q, k, v] = [asHeads(b, query), asHeads(b, key), asHeads(b, value)];
  const [batch, heads, queries, headSize] = q.shape as [number, number, number, number];
  const keys = k.shape[2]!;
  const keyHeads = k.shape[1]!;
  if (keyHeads !== v.shape[1] || (keyHeads !== heads && keyHeads > 1 && !options.enableGqa)) {
    return new Decline("heads that broadcast");
  }
  if (options.isCausal) {
    // Masked keys are skipped, but in the formula their weight 0 times NaN is NaN.
    b.spreadsNaN = true;
    if (!isFiniteNode(b, value)) addFiniteCheck(b, v.block);
  }
  const scores = [batch, heads, queries, keys];
  const mask = options.isCausal ? null : maskOf(b, options.attnMask, scores);
  if (mask instanceof Decline) return mask;
  const valueSize = v.shape[3]!;
  // If the result is read with heads next to each other, it is written that way, which saves a
  // transpose.
  const merged = isMerged(b, node);
  const plain = b.make(merged ? [batch, queries, heads, valueSize] : [batch, heads, queries, valueSize]); // prettier-ignore
  const out = merged ? permuteValue(plain, [0, 2, 1, 3]) : plain;
  const kernel = attention(b.heap, {
    ...{ batch, heads, keyHeads, queries, keys, headSize, valueSize },
    scale: options.scale as number | null,
    causal: Boolean(options.isCausal),
    ...{ q: headStrides(q), k: headStrides(k), v: headStrides(v), out: headStrides(out) },
    mask: mask ? headStrides({ strides: broadcastStrides(mask, scores) }) : undefined,
    replaces: Boolean(options.replaces),
    isPlain: node.target.startsWith("prim."),
  });
  const flops = 2 * batch * heads * queries * keys * (headSize + valueSize);
  b.call("attention", kernel, { q, k, v, mask }, { out }, { flops });
  return reshapeValue(out, shape) ?? new Decline("its batch has no one stride");
};

/**
 * Rows of a table by index, or sums of rows that have the same index. An index out of range
 * declines the call: eager code throws for it, or leaves it out.
 */
function lookUp(
  b: Builder,
  node: Node,
  from: Node,
  to: Node,
  axis = 0,
  batchDims = 0,
  isSum = false,
): Lowered {
  const at = b.contiguous(b.read(to));
  if (at.dtype !== "int32") return new Decline("indices that are no integers");
  const [shape, sizes] = [shapeOf(node), shapeOf(from)];
  if (count(shape) === 0) return new Decline("an empty tensor");
  const { dtype } = tensorMeta(from)!;
  if (isSum && dtype === "int32") return new Decline("integers");
  const lists = count(sizes.slice(0, batchDims));
  const rows = (isSum ? shape : sizes)[axis]!;
  const kernel = gather(b.heap, {
    ...{ count: count(at.shape) / lists, rows, n: count(sizes.slice(axis + 1)), isSum },
    ...{ tables: count(sizes.slice(0, axis)), lists },
  });
  const out = b.make(shape, dtype);
  if (b.isStatic(from)) {
    // A table of weights is read where it is instead of being copied into the heap: few of its rows
    // are needed.
    const table = b.weights.numbers(b.graph, from);
    const run: typeof kernel.run = (places) => kernel.run({ ...places, table: table.values });
    b.call("gather", { ...kernel, run }, { indices: at }, { out });
  } else b.call("gather", kernel, { table: b.contiguous(b.read(from)), indices: at }, { out });
  return out;
}

export const ATTENTION: Readonly<Record<string, Lower>> = {
  scaled_dot_product_attention: lowerAttention,
  "prim.scaled_dot_product_attention": lowerAttention,
  embedding: (b, node) => {
    const [input, weight, given] = node.args as [Node, Node, Argument];
    const { maxNorm } = optionsOf(given);
    if (maxNorm !== undefined && maxNorm !== null) return new Decline("maxNorm");
    return lookUp(b, node, weight, input);
  },
  "prim.gather": (b, node) => {
    const [table, indices, axis, batchDims] = node.args as [Node, Node, number, number];
    return lookUp(b, node, table, indices, axis, batchDims);
  },
  "tfjs.UnsortedSegmentSum": (b, node) => {
    const [{ x, segmentIds }] = node.args as unknown as [Record<string, Node>];
    return lookUp(b, node, x!, segmentIds!, 0, 0, true);
  },
};
