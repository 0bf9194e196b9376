import type { Argument, Node } from "../../graph/index.js";
import { shapeOf, tensorMeta } from "../passes/facts.js";
import { BINARY, UNARY } from "../primitives.js";
import { addressOf, type Builder, type Lowered } from "./builder.js";
import { type Lower, type Lowerings, runChain } from "./lower-basic.js";
import { count } from "./value.js";

/** One step of a chain on tensors and numbers; truths are 1 and 0. */
function single(b: Builder, node: Node, target: string, args: readonly Argument[]): Lowered {
  const inputs = args.filter((one) => typeof one !== "number").map((one) => b.read(one as Node));
  let at = 0;
  const operands = args.map((one) => (typeof one === "number" ? one : `x${at++}`));
  const out = b.make(shapeOf(node), tensorMeta(node)!.dtype);
  return runChain(b, inputs, [[target, ...operands]], out.shape, out);
}

/** A raw kernel of tfjs, its inputs in their order. */
const logical: Lower = (b, node) =>
  single(b, node, node.target, Object.values(node.args[0] as unknown as Record<string, Node>));

const plain: Lower = (b, node) => single(b, node, node.target, node.args);

/** Truths are floats already; what becomes whole is turned as JavaScript does it. */
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

export const LOGIC: Lowerings = {
  "prim.where": plain,
  "prim.cast": cast,
  "tfjs.LogicalNot": logical,
  "tfjs.IsNan": logical,
  "tfjs.IsInf": logical,
  "tfjs.IsFinite": logical,
  "tfjs.LogicalAnd": logical,
  "tfjs.LogicalOr": logical,
  ...Object.fromEntries(
    Object.keys({ ...BINARY, ...UNARY }).map((name): [string, Lower] => [`prim.${name}`, plain]),
  ),
};
