import type { Argument, Node } from "../../graph/index.js";
import { shapeOf, tensorMeta } from "../passes/facts.js";
import { COMPARISONS } from "../primitives.js";
import { addressOf, type Builder, Decline, type Lowered } from "./builder.js";
import { type Lower, type Lowerings, runChain } from "./lower-basic.js";
import { count, isContiguous, type Value } from "./value.js";

/** One step of a chain on tensors and numbers; truths are 1 and 0. */
function single(b: Builder, node: Node, target: string, args: readonly Argument[]): Lowered {
  const shape = shapeOf(node);
  const { dtype } = tensorMeta(node)!;
  if (dtype === "int32") return new Decline("integers");
  const inputs = args.filter((one) => typeof one !== "number").map((one) => b.read(one as Node));
  let at = 0;
  const operands = args.map((one) => (typeof one === "number" ? one : `x${at++}`));
  return runChain(b, inputs, [[target, ...operands]], shape, b.make(shape, dtype));
}

/** A raw kernel of tfjs, its inputs in their order. */
const logical: Lower = (b, node) =>
  single(b, node, node.target, Object.values(node.args[0] as unknown as Record<string, Node>));

const plain: Lower = (b, node) => single(b, node, node.target, node.args);

/** Truths are floats already; whole numbers are turned one by one. */
const cast: Lower = (b, node) => {
  const x = b.read(node.args[0] as Node);
  const dtype = node.args[1] as string;
  if (x.dtype === dtype || (x.dtype === "bool" && dtype === "float32")) return { ...x, dtype };
  if (dtype === "bool" && x.dtype === "float32") return single(b, node, "prim.NotEqual", [node.args[0]!, 0]); // prettier-ignore
  const isToInt = dtype === "int32";
  if (!isToInt && x.dtype !== "int32") return new Decline(`${x.dtype} to ${dtype}`);
  const from: Value = isContiguous(x) ? x : b.contiguous(x);
  const out = b.make(x.shape, dtype);
  const isTruth = dtype === "bool";
  b.add({
    kernel: "cast",
    onOneThread: true,
    reads: [from.block],
    writes: [out.block],
    bind: () => {
      const [start, target] = [addressOf(from) >>> 2, addressOf(out) >>> 2];
      const length = count(x.shape);
      return () => {
        const { f32, i32 } = b.heap;
        const [read, write] = isToInt ? [f32, i32] : [i32, f32];
        for (let i = 0; i < length; i += 1) {
          const value = read[start + i]!;
          write[target + i] = isTruth ? Number(value !== 0) : value;
        }
      };
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
    Object.keys(COMPARISONS).map((name): [string, Lower] => [`prim.${name}`, plain]),
  ),
};
