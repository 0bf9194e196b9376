import type { Node } from "../../graph/index.js";
import { shapeOf, tensorMeta } from "../passes/facts.js";
import { primitives } from "../passes/elementwise.js";
import { BINARY, UNARY } from "../primitives.js";
import { addressOf } from "./builder.js";
import { type Lower, type Lowerings, runChain } from "./lower-basic.js";
import { count } from "./value.js";

/**
 * One elementwise step on tensors and numbers, or on a raw tfjs kernel's inputs in their order.
 * Booleans are floats 1 and 0.
 */
const single: Lower = (b, node) => {
  const [first] = node.args;
  const args = node.target.startsWith("tfjs.") ? Object.values(first as Record<string, Node>) : node.args; // prettier-ignore
  const inputs = args.filter((one) => typeof one !== "number").map((one) => b.read(one as Node));
  let at = 0;
  const operands = args.map((one) => (typeof one === "number" ? one : `x${at++}`));
  const out = b.make(shapeOf(node), tensorMeta(node)!.dtype);
  return runChain(b, inputs, [[node.target, ...operands]], out.shape, out);
};

/** Booleans are floats already; casts to integers truncate as JavaScript does. */
const cast: Lower = (b, node) => {
  const x = b.read(node.args[0] as Node);
  const dtype = node.args[1] as string;
  const { shape } = x;
  if (x.dtype === dtype || (x.dtype === "bool" && dtype === "float32")) return { ...x, dtype };
  const out = b.make(shape, dtype);
  if (dtype !== "int32") {
    const lines = [["prim.cast", "x0"], ["prim.NotEqual", "t0", 0]] as const; // prettier-ignore
    return runChain(b, [x], dtype === "bool" ? lines : lines.slice(0, 1), shape, out);
  }
  const from = b.contiguous(x);
  b.add({
    kernel: "cast",
    onOneThread: true,
    reads: [from.block],
    writes: [out.block],
    bind: () => {
      const [start, target] = [addressOf(from) >>> 2, addressOf(out) >>> 2];
      const end = start + count(shape);
      return () => b.heap.i32.set(b.heap.f32.subarray(start, end), target);
    },
  });
  return out;
};

const SINGLE = [
  ...["IsNan", "IsInf", "IsFinite", "LogicalAnd", "LogicalOr", "LogicalNot"].map((name) => `tfjs.${name}`), // prettier-ignore
  "prim.where",
  ...primitives({ ...BINARY, ...UNARY }),
];

export const LOGIC: Lowerings = {
  "prim.cast": cast,
  ...Object.fromEntries(SINGLE.map((name): [string, Lower] => [name, single])),
};
