/** `embedding` and `embedding_bag`: lookups of table rows. */
import type { Node } from "../../../graph/index.js";
import {
  type BagMode,
  embeddingBagProgram,
  embeddingProgram,
} from "../../../kernels/webgl/programs/embedding.js";
import { type Builder, every, isMasked, type Read, type Weight } from "../builder.js";
import { type Lowering, shapeOf } from "./common.js";

/**
 * The packed table; `null` if the indices are computed in the graph, where they cannot be checked
 * before a run.
 */
function tableOf(b: Builder, ids: Node, table: Node): Weight | null {
  const [count, dim] = shapeOf(table) as [number, number];
  return b.checkIndices(ids, count) ? b.packed(table, "table", (values) => padRows(values, dim)) : null; // prettier-ignore
}

/**
 * Only for indices that are inputs of the call: those are checked on the CPU before their upload.
 */
export const embedding: Lowering = (b, node, read) => {
  const [ids, table] = node.args as [Node, Node];
  const { maxNorm } = (node.args[2] ?? {}) as { maxNorm?: number | null };
  const weight = maxNorm ? null : tableOf(b, ids, table);
  if (weight === null) return null;
  const input = b.read(read(ids));
  return b.draw(embeddingProgram(), shapeOf(node), {
    inputs: [input],
    weights: [weight],
    ints: { idChannels: input.layout.channels },
  });
};

interface BagOptions {
  maxNorm?: number | null;
  paddingIdx?: number | null;
  offsets?: Node | null;
  mode?: BagMode;
  perSampleWeights?: Node | null;
}

/** `embedding_bag(ids, table, options)`. */
export const embeddingBag: Lowering = (b, node, read) => {
  const [ids, table, options = {}] = node.args as unknown as [Node, Node, BagOptions | undefined];
  const { maxNorm, offsets, mode = "mean", perSampleWeights } = options;
  const sizes = shapeOf(ids);
  const shape = shapeOf(node);
  const total = sizes.reduce((n, one) => n * one, 1);
  if (maxNorm || total === 0 || shape.includes(0)) return null;
  const ascend = (starts: ArrayLike<number>): boolean =>
    every(starts, (one, i) => (i === 0 ? one === 0 : one >= starts[i - 1]! && one <= total));
  if (offsets && !b.check(offsets, ascend)) return null;
  const weight = tableOf(b, ids, table);
  if (weight === null) return null;
  const inputs: Read[] = [ids, offsets, perSampleWeights].flatMap((one) => (one ? [b.read(read(one))] : [])); // prettier-ignore
  const names = ["ids", ...(offsets ? ["offsets"] : []), ...(perSampleWeights ? ["shares"] : [])];
  const count = shapeOf(table)[0]!;
  const padding = options.paddingIdx ?? -1 - count;
  const kind = {
    ...{ hasOffsets: Boolean(offsets), isWeighted: Boolean(perSampleWeights) },
    masked: isMasked(shape[1]!),
  };
  return b.draw(embeddingBagProgram(mode, kind), shape, {
    inputs,
    weights: [weight],
    ints: {
      ...Object.fromEntries(names.map((name, i) => [`${name}Channels`, inputs[i]!.layout.channels])), // prettier-ignore
      ...{ width: sizes.at(-1)!, total, bounds: offsets ? shapeOf(offsets)[0]! : 0 },
      padding: padding < 0 ? padding + count : padding,
    },
  });
};

/** Pads each row with zeros to whole texels (a multiple of four elements). */
export function padRows(values: Float32Array, width: number): Float32Array {
  if (width % 4 === 0) return values;
  const padded = Math.ceil(width / 4) * 4;
  const out = new Float32Array((values.length / width) * padded);
  for (let row = 0; row * width < values.length; row += 1) {
    out.set(values.subarray(row * width, (row + 1) * width), row * padded);
  }
  return out;
}
