import { linear, packedLinearBytes, packLinear } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { addressOf, type Builder, Decline, fills, type Lowered } from "./builder.js";
import { activationOf } from "./chain.js";
import { type Lower, optionsOf } from "./lower-basic.js";
import { type Block, count, permuteValue, reshapeValue, type Value } from "./value.js";

type Line = readonly [string, ...unknown[]];

export interface Tail {
  residual?: Argument;
  activation?: readonly Line[];
}

/** The residual of an epilogue, side by side as the output is. */
export function residualOf(b: Builder, tail: Tail): Value | null {
  return tail.residual ? b.contiguous(b.read(tail.residual as Node)) : null;
}

/** A weight `[n, k]` packed once, or `null` if it depends on the input. */
function packed(b: Builder, weight: Node, n: number, k: number): Block | null {
  if (!b.isStatic(weight)) return null;
  return b.pack("linear", [weight], packedLinearBytes(n, k), (to, statics) => {
    const raw = b.heap.put(statics.of(weight).values);
    packLinear(b.heap, { weight: raw, n, k, to });
    b.heap.free(raw);
  });
}

/** Rows one after the other at one distance, each side by side. */
function asRows(b: Builder, value: Value, m: number, k: number): Value {
  const rows = reshapeValue(value, [m, k]);
  return rows?.strides[1] === 1 || (rows !== null && k === 1) ? rows : reshapeValue(b.contiguous(value), [m, k])!; // prettier-ignore
}

function lowerLinear(b: Builder, node: Node, tail: Tail): Lowered {
  const [input, weight, given] = node.args as [Node, Node, Argument];
  const bias = optionsOf(given).bias as Node | null | undefined;
  const [n, k] = shapeOf(weight) as [number, number];
  const shape = shapeOf(node);
  const m = count(shape) / n;
  const activation = activationOf(tail.activation ?? []);
  if (activation === null) return new Decline("no kernel for its activation");
  if (m === 0 || k === 0 || n === 0) return new Decline("an empty tensor");
  const whole = b.read(input);
  if (whole.dtype !== "float32") return new Decline("integers");
  const x = asRows(b, whole, m, k);
  const xRow = m === 1 ? k : x.strides[0]!;
  let block = packed(b, weight, n, k);
  const residual = residualOf(b, tail);
  const biasValue = bias ? b.contiguous(b.read(bias)) : null;
  const kernel = linear(b.heap, { m, n, k, xRow, activation });
  const out = b.make(shape);
  let pack: ((to: Block) => () => void) | null = null;
  if (block === null) {
    // A weight that depends on the input is packed in every run.
    const raw = b.contiguous(b.read(weight));
    block = b.scratch(packedLinearBytes(n, k));
    pack = (to) => () => packLinear(b.heap, { weight: addressOf(raw), n, k, to: to.address });
    const target = block;
    b.add({
      kernel: "pack",
      reads: [raw.block],
      writes: [target],
      bind: () => pack!(target),
    });
  }
  const reads = [x.block, block, residual?.block, biasValue?.block].filter(
    (one) => one !== undefined,
  );
  b.add({
    kernel: "linear",
    reads,
    writes: [out.block],
    over: residual && fills(residual) ? [residual.block] : [],
    workspace: kernel.workspaceBytes,
    flops: 2 * m * n * k,
    bind: (workspace) => {
      const pointers = {
        x: addressOf(x),
        weight: block.address,
        bias: biasValue ? addressOf(biasValue) : 0,
        residual: residual ? addressOf(residual) : 0,
        out: addressOf(out),
        workspace,
      };
      return () => kernel.run(pointers);
    },
  });
  return out;
}

/** A batched product: one packed right-hand side and one product a batch. */
function lowerMatmul(b: Builder, node: Node): Lowered {
  const [left, right, transposeA, transposeB] = node.args as [Node, Node, boolean, boolean];
  const swap = (value: Value): Value => {
    const perm = value.shape.map((_, i) => i);
    perm.push(...perm.splice(perm.length - 2).reverse());
    return permuteValue(value, perm);
  };
  let a = b.read(left);
  let c = b.read(right);
  if (a.dtype !== "float32" || c.dtype !== "float32") return new Decline("integers");
  if (transposeA) a = swap(a);
  if (!transposeB) c = swap(c); // (…, n, k)
  const shape = shapeOf(node);
  const rank = shape.length;
  const [m, n] = shape.slice(-2) as [number, number];
  const k = a.shape.at(-1)!;
  if (count(shape) === 0 || k === 0) return new Decline("an empty tensor");
  if (a.strides.at(-1) !== 1 && k !== 1) a = b.contiguous(a);
  // Rows of either the matrix or its transpose must lie side by side.
  if (c.strides.at(-1) !== 1 && c.strides.at(-2) !== 1) c = b.contiguous(c);
  const layout = c.strides.at(-1) === 1 || k === 1 ? "nk" : "kn";
  const row = layout === "nk" ? c.strides.at(-2)! : c.strides.at(-1)!;
  const lead = shape.slice(0, -2);
  const along = (value: Value, index: number): number => {
    let [rest, offset] = [index, 0];
    for (let i = rank - 3; i >= 0; i -= 1) {
      const at = rest % lead[i]!;
      rest = (rest - at) / lead[i]!;
      const dim = i - (rank - value.shape.length);
      if (dim >= 0 && value.shape[dim] !== 1) offset += at * value.strides[dim]!;
    }
    return offset * 4;
  };
  const batches = count(lead);
  const xRow = m === 1 ? k : a.strides.at(-2)!;
  const kernel = linear(b.heap, { m, n, k, xRow });
  const panel = b.scratch(packedLinearBytes(n, k));
  const out = b.make(shape);
  b.add({
    kernel: "matmul",
    reads: [a.block, c.block],
    writes: [out.block, panel],
    workspace: kernel.workspaceBytes,
    flops: 2 * batches * m * n * k,
    bind: (workspace) => {
      const to = panel.address;
      const calls = Array.from({ length: batches }, (_, i) => ({
        weight: { weight: addressOf(c) + along(c, i), n, k, to, layout, row } as const,
        pointers: {
          x: addressOf(a) + along(a, i),
          weight: to,
          out: addressOf(out) + i * m * n * 4,
          workspace,
        },
      }));
      return () => {
        for (const { weight, pointers } of calls) {
          packLinear(b.heap, weight);
          kernel.run(pointers);
        }
      };
    },
  });
  return out;
}

export const LINEAR: Readonly<Record<string, Lower>> = {
  linear: (b, node) => lowerLinear(b, node, {}),
  "prim.linear": (b, node) => lowerLinear(b, node, node.args[3] as unknown as Tail),
  "prim.matmul": lowerMatmul,
};
