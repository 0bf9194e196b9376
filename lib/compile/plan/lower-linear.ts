import {
  linear,
  matmul,
  packedLinearBytes,
  packLinear,
  type WeightType,
} from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { addressOf, type Builder, Decline, type Lowered } from "./builder.js";
import { activationOf } from "./chain.js";
import { type Lowerings, optionsOf } from "./lower-basic.js";
import { inPieces } from "./rows.js";
import { type Block, broadcastStrides, count, reshapeValue, type Value } from "./value.js";

type Line = readonly [string, ...unknown[]];

export interface Tail {
  residual?: Argument;
  activation?: readonly Line[];
}

/** Packs a weight `[n, k]`, once for all runs. */
export function packWeight(b: Builder, weight: Node, weightType: WeightType): Block {
  const [n, k] = shapeOf(weight) as [number, number];
  return b.pack(
    `linear/${weightType}`,
    [weight],
    packedLinearBytes(n, k, weightType),
    (to, statics) => {
      inPieces(b.heap, statics, weight, { rows: n, row: k, grain: 8 }, (piece, first, some) => {
        const place = to + packedLinearBytes(first, k, weightType);
        packLinear(b.heap, { weight: piece, n: some, k, to: place, weightType });
      });
    },
  );
}

/** Packs a weight that depends on the input, in every run. */
function packInRun(b: Builder, weight: Node): Block {
  const raw = b.contiguous(b.read(weight));
  const [n, k] = raw.shape as [number, number];
  const block = b.scratch(packedLinearBytes(n, k));
  b.add({
    kernel: "pack",
    onOneThread: true,
    reads: [raw.block],
    writes: [block],
    bind: () => () => packLinear(b.heap, { weight: addressOf(raw), n, k, to: block.address }),
  });
  return block;
}

/** An optional tensor argument of an op, contiguous in the heap; `null` if absent. */
export const optional = (b: Builder, vector: Argument): Value | null =>
  vector ? b.contiguous(b.read(vector as Node)) : null;

/** A matrix with contiguous rows at one distance from each other. */
function asRows(b: Builder, value: Value, m: number, k: number): Value {
  const rows = reshapeValue(value, [m, k]);
  return rows && (k === 1 || rows.strides[1] === 1) ? rows : reshapeValue(b.contiguous(value), [m, k])!; // prettier-ignore
}

function lowerLinear(b: Builder, node: Node): Lowered {
  const [input, weight, given, tail] = node.args as [Node, Node, Argument, Argument];
  const { residual: added, activation: steps = [] } = (tail ?? {}) as Tail;
  const [n, k] = shapeOf(weight) as [number, number];
  const shape = shapeOf(node);
  const m = count(shape) / n;
  const activation = activationOf(steps);
  if (activation === null) return new Decline("no kernel for its activation");
  const x = asRows(b, b.read(input), m, k);
  const xRow = m === 1 ? k : x.strides[0]!;
  const weightType = b.isStatic(weight) ? b.weightType(weight) : "f32";
  const packed = b.isStatic(weight) ? packWeight(b, weight, weightType) : packInRun(b, weight);
  const residual = optional(b, added);
  const bias = optional(b, optionsOf(given).bias);
  const kernel = linear(b.heap, { m, n, k, xRow, activation, weightType });
  const out = b.make(shape);
  const reads = { x, weight: packed, residual, bias };
  b.call("linear", kernel, reads, { out }, { over: [residual], flops: 2 * m * n * k });
  return out;
}

/** A batched product of two tensors that both depend on the input. */
function lowerMatmul(b: Builder, node: Node): Lowered {
  const [left, right, transposeA, transposeB] = node.args as [Node, Node, boolean, boolean];
  const shape = shapeOf(node);
  const [m, n] = shape.slice(-2) as [number, number];
  const a = asMatrix(b, b.read(left), transposeA);
  const c = asMatrix(b, b.read(right), transposeB);
  const k = a.value.shape.at(transposeA ? -2 : -1)!;
  const batch = shape.slice(0, -2);
  const along = (value: Value): number[] => broadcastStrides(value, shape).slice(0, -2);
  const kernel = matmul(b.heap, {
    ...{ batch, aBatch: along(a.value), bBatch: along(c.value), m, n, k },
    aLayout: a.swapped ? "km" : "mk",
    bLayout: c.swapped ? "nk" : "kn",
    ...{ aRow: a.row, bRow: c.row },
  });
  const out = b.make(shape);
  const flops = 2 * count(shape) * k;
  b.call("matmul", kernel, { a: a.value, b: c.value }, { out }, { flops });
  return out;
}

/**
 * A matrix with contiguous rows, or the transpose of one; and whether it has to be read transposed.
 */
function asMatrix(
  b: Builder,
  given: Value,
  transposed: boolean,
): { value: Value; swapped: boolean; row: number } {
  let value = given;
  const isUnit = (axis: number): boolean =>
    value.strides.at(axis) === 1 || value.shape.at(axis) === 1;
  if (!isUnit(-1) && !isUnit(-2)) value = b.contiguous(value);
  const byRows = isUnit(-1);
  return { value, swapped: byRows === transposed, row: value.strides.at(byRows ? -2 : -1)! };
}

export const LINEAR: Lowerings = {
  linear: lowerLinear,
  "prim.linear": lowerLinear,
  "prim.matmul": lowerMatmul,
};
