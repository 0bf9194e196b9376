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
import {
  broadcast,
  isFloats,
  options,
  product,
  sameShape,
  stridesOver,
  vector,
} from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import { align, type Memory } from "./memory.js";
import { isFinite } from "./rows.js";

type Tensor = tf.TensorInfo;

/** The packed form of a weight `[n, k]`, or `[k, n]`. */
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

/** `activation(x Wᵀ + bias)` for a packed weight. */
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

const lowerLinear: EagerKernel = (memory, [x, weight, given]) => {
  const read = options(given, "bias");
  if (read === null || !isFloats(x) || !isFloats(weight) || weight.rank !== 2) return null;
  const [n, k] = weight.shape as [number, number];
  const bias = vector(read.bias, n);
  if (bias === undefined || x.rank === 0 || x.shape.at(-1) !== k) return null;
  const packed = packWeight(memory, weight, n, k);
  return runLinear(memory, x, packed, bias, [...x.shape.slice(0, -1), n]);
};

/** The strides of a mask of rows of keys over all scores; `null`: it is none. */
function maskOver(mask: unknown, scores: readonly number[]): HeadStrides | null {
  if (!isFloats(mask) || mask.rank < 2 || mask.shape.at(-1) !== scores[3]) return null;
  const [batch, head, row] = stridesOver(mask.shape, scores) ?? [];
  return row === undefined ? null : { batch: batch!, head: head!, row };
}

/** Attention of heads that lie side by side in memory, batches flattened. */
const lowerAttention: EagerKernel = (memory, [query, key, value, given]) => {
  const read = options(given, "attnMask dropoutP isCausal scale enableGqa");
  if (read === null || ![query, key, value].every(isFloats)) return null;
  const [q, k, v] = [query, key, value] as tf.Tensor[] as [tf.Tensor, tf.Tensor, tf.Tensor];
  const { attnMask = null, dropoutP = 0, isCausal = false, scale = null, enableGqa } = read;
  if (enableGqa || dropoutP !== 0 || typeof isCausal !== "boolean") return null;
  if (scale !== null && typeof scale !== "number") return null;
  if (q.rank < 2 || k.rank !== q.rank || v.rank !== q.rank) return null;
  const lead = q.shape.slice(0, -2);
  if (!sameShape(lead, k.shape.slice(0, -2)) || !sameShape(lead, v.shape.slice(0, -2))) return null;
  const [queries, headSize] = q.shape.slice(-2) as [number, number];
  const [keys, valueSize] = v.shape.slice(-2) as [number, number];
  if (k.shape.at(-1) !== headSize || k.shape.at(-2) !== keys) return null;
  const batch = product(lead.slice(0, -1));
  const heads = lead.at(-1) ?? 1;
  const mask = attnMask as tf.Tensor | null;
  const maskStrides = mask && maskOver(mask, [batch, heads, queries, keys]);
  if (mask && (!maskStrides || isCausal || q.rank > 4 || mask.rank > q.rank)) return null;
  // What no query sees is passed over, though 0 times NaN is NaN.
  if (isCausal && !isFinite(memory, v)) return null;
  const strides = (rows: number, size: number): HeadStrides => ({
    batch: heads * rows * size,
    head: rows * size,
    row: size,
  });
  const kernel = attention(memory.heap, {
    ...{ batch, heads, queries, keys, headSize, valueSize, causal: isCausal },
    scale: scale ?? undefined,
    q: strides(queries, headSize),
    k: strides(keys, headSize),
    v: strides(keys, valueSize),
    out: strides(queries, valueSize),
    mask: maskStrides ?? undefined,
    emptyRows: "zero",
  });
  const shape = [...lead, queries, valueSize];
  return memory.run(kernel, { q, k, v, mask }, shape);
};

const MHA_OPTIONS =
  "training keyPaddingMask needWeights attnMask useSeparateProjWeight qProjWeight kProjWeight " +
  "vProjWeight staticK staticV averageAttnWeights isCausal";

/** Self-attention without masks: one product for q, k and v, whose heads are read in place. */
function selfAttention(
  memory: Memory,
  args: readonly unknown[],
): [output: Tensor, weights: null] | null {
  const [x, key, value, embed, heads, weight, bias, biasK, biasV, zero, dropout, outW, outB] = args;
  const read = options(args[13], MHA_OPTIONS);
  if (read === null || !isFloats(x) || key !== x || value !== x || x.rank !== 3) return null;
  if (read.needWeights !== false || biasK || biasV || zero || read.isCausal) return null;
  if (read.keyPaddingMask || read.attnMask || read.staticK || read.staticV) return null;
  if (read.useSeparateProjWeight || (read.training !== false && dropout !== 0)) return null;
  const [l, n, e] = x.shape as [number, number, number];
  const h = heads as number;
  if (embed !== e || !Number.isInteger(h) || h < 1 || e % h !== 0) return null;
  if (!isFloats(weight) || !sameShape(weight.shape, [3 * e, e])) return null;
  if (!isFloats(outW) || !sameShape(outW.shape, [e, e])) return null;
  const [inBias, outBias] = [vector(bias, 3 * e), vector(outB, e)];
  if (inBias === undefined || outBias === undefined) return null;
  const [packedIn, packedOut] = [packWeight(memory, weight, 3 * e, e), packWeight(memory, outW, e, e)]; // prettier-ignore
  const { heap } = memory;
  const project = linear(heap, { m: l * n, n: 3 * e, k: e });
  const place = { batch: 3 * e, head: e / h, row: n * 3 * e };
  const attend = attention(heap, {
    ...{ batch: n, heads: h, queries: l, keys: l, headSize: e / h },
    ...{ q: place, k: place, v: place, out: { batch: e, head: e / h, row: n * e } },
    emptyRows: "zero",
  });
  const merge = linear(heap, { m: l * n, n: e, k: e });
  const [wide, narrow] = [align(l * n * 3 * e * 4), align(l * n * e * 4)];
  const work = Math.max(project.workspaceBytes, attend.workspaceBytes, merge.workspaceBytes);
  const y = memory.call([x, inBias, outBias], x.shape, wide + narrow + work, (at, out, scratch) => {
    const [attended, workspace] = [scratch + wide, scratch + wide + narrow];
    project.run({ x: at[0]!, weight: packedIn, bias: at[1]!, out: scratch, workspace });
    const [q, k, v] = [scratch, scratch + e * 4, scratch + 2 * e * 4];
    attend.run({ q, k, v, out: attended, workspace });
    merge.run({ x: attended, weight: packedOut, bias: at[2]!, out, workspace });
  });
  return y && [y, null];
}

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
  linear: lowerLinear,
  scaled_dot_product_attention: lowerAttention,
  multi_head_attention_forward: selfAttention,
};
