import type * as tf from "@tensorflow/tfjs-core";
import {
  type Activation,
  attention,
  type HeadStrides,
  linear,
  matmul,
  packedLinearBytes,
  packLinear,
} from "../kernels/cpu/index.js";
import { broadcast, isFloats, product, sameShape, stridesOver } from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Memory } from "./memory.js";
import { isFinite } from "./rows.js";

type Tensor = tf.TensorInfo;

/** Packs a weight `[n, k]` or `[k, n]`; returns its address. */
export function packWeight(
  memory: Memory,
  weight: Tensor,
  n: number,
  k: number,
  layout: "nk" | "kn" = "nk",
): number {
  const bytes = packedLinearBytes(n, k);
  return memory.pack(weight, `linear/${layout}/${n}`, bytes, (from, to) =>
    packLinear(memory.heap, { weight: from, n, k, to, layout }),
  );
}

/** `activation(x Wᵀ + bias)` with a packed weight. */
export function runLinear(
  memory: Memory,
  x: Tensor,
  weight: number,
  bias: Tensor | null,
  shape: readonly number[],
  activation: Activation = {},
): Tensor | null {
  const n = shape.at(-1)!;
  const k = x.shape.at(-1)!;
  const kernel = linear(memory.heap, { m: product(shape) / n, n, k, activation });
  return memory.run(kernel, { x, weight, bias }, shape);
}

/** This kernel and those below take arguments that the op's body has checked. */
const lowerLinear: EagerKernel = (memory, args) => {
  const [x, weight, bias] = args as [tf.Tensor, tf.Tensor, tf.Tensor | null];
  if (![x, weight, bias ?? x].every(isFloats) || (bias && bias.size !== weight.shape[0]))
    return null;
  const [n, k] = weight.shape as [number, number];
  const packed = packWeight(memory, weight, n, k);
  return runLinear(memory, x, packed, bias, [...x.shape.slice(0, -1), n]);
};

/** The strides of a mask over all scores, if its rows are contiguous; else `null`. */
function maskOver(mask: tf.Tensor, scores: readonly number[]): HeadStrides | null {
  if (!isFloats(mask) || mask.rank < 2 || mask.shape.at(-1) !== scores[3]) return null;
  const [batch, head, row] = stridesOver(mask.shape, scores) ?? [];
  return row === undefined ? null : { batch: batch!, head: head!, row };
}

/** Attention of heads that are contiguous in memory, with the batch dimensions flattened. */
const lowerAttention: EagerKernel = (memory, args) => {
  const [q, k, v, mask, causal, scale] = args as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor | null, boolean, number | null]; // prettier-ignore
  const lead = q.shape.slice(0, -2);
  if (![k, v].every(({ shape }) => sameShape(shape.slice(0, -2), lead))) return null;
  const [queries, headSize] = q.shape.slice(-2) as [number, number];
  const [keys, valueSize] = v.shape.slice(-2) as [number, number];
  const batch = product(lead.slice(0, -1));
  const heads = lead.at(-1) ?? 1;
  const maskStrides = mask && maskOver(mask, [batch, heads, queries, keys]);
  if (mask && (!maskStrides || q.rank > 4 || mask.rank > q.rank)) return null;
  if (![q, k, v].every(isFloats)) return null;
  // Masked keys are skipped, but in the formula 0 times NaN is NaN: so values must be finite.
  if (causal && !isFinite(memory, v)) return null;
  const strides = (rows: number, size: number): HeadStrides => ({
    batch: heads * rows * size,
    head: rows * size,
    row: size,
  });
  const kernel = attention(memory.heap, {
    ...{ batch, heads, queries, keys, headSize, valueSize, causal, scale },
    q: strides(queries, headSize),
    k: strides(keys, headSize),
    v: strides(keys, valueSize),
    out: strides(queries, valueSize),
    mask: maskStrides ?? undefined,
  });
  return memory.run(kernel, { q, k, v, mask }, [...lead, queries, valueSize]);
};

/** Self-attention that reads the heads in place from `(L, N, q k v)`. */
const lowerHeads: EagerKernel = (memory, args) => {
  const [x, heads] = args as [tf.Tensor, number];
  const [l, batch, wide] = x.shape as [number, number, number];
  const e = wide / 3;
  if (e % heads !== 0) return null;
  const place = { batch: wide, head: e / heads, row: batch * wide };
  const kernel = attention(memory.heap, {
    ...{ batch, heads, queries: l, keys: l, headSize: e / heads },
    ...{ q: place, k: place, v: place, out: { ...place, batch: e, row: batch * e } },
  });
  return memory.call([x], [l, batch, e], kernel.workspaceBytes, ([q], out, workspace) => {
    kernel.run({ q: q!, k: q! + e * 4, v: q! + e * 8, out, workspace });
  });
};

/** A batched product of two tensors. */
export function runMatmul(
  memory: Memory,
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): Tensor | null {
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!]; // prettier-ignore
  const [n, depth] = transposeB ? [b.shape.at(-2)!, b.shape.at(-1)!] : [b.shape.at(-1)!, b.shape.at(-2)!]; // prettier-ignore
  if (depth !== k) return null;
  const [aLead, bLead] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcast(aLead, bLead);
  const [aSteps, bSteps] = [stridesOver(aLead, batch), stridesOver(bLead, batch)];
  if (aSteps === null || bSteps === null) return null;
  const kernel = matmul(memory.heap, {
    ...{ batch, m, n, k },
    aBatch: aSteps.map((step) => step * m * k),
    bBatch: bSteps.map((step) => step * k * n),
    aLayout: transposeA ? "km" : "mk",
    bLayout: transposeB ? "nk" : "kn",
  });
  return memory.run(kernel, { a, b }, [...batch, m, n]);
}

export const LINEAR: Readonly<Record<string, EagerKernel>> = {
  product: lowerLinear,
  attention: lowerAttention,
  heads: lowerHeads,
};
