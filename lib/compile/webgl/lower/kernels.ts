/** tfjs kernels that a model calls itself, or that composed ops consist of. */
import type { Argument, Node } from "../../../graph/index.js";
import { MOST_PARTS } from "../../../kernels/webgl/programs/copy.js";
import { argumentProgram } from "../../../kernels/webgl/programs/reduce.js";
import { everySoMany } from "../../passes/facts.js";
import { isMasked } from "../builder.js";
import { reshaped } from "../value.js";
import { type Lowering, shapeOf } from "./common.js";
import { chain } from "./pointwise.js";
import { padKernel, repeat } from "./windows.js";

type Attrs = Readonly<Record<string, number>>;

/**
 * Lowers an elementwise kernel: the names of its inputs in order, and the expression that computes
 * it.
 */
const elementwise =
  (names: readonly string[], target: string, optionsOf?: (attrs: Attrs) => object): Lowering =>
  (b, node, read) => {
    const [inputs, attrs] = node.args as unknown as [Readonly<Record<string, Node>>, Attrs];
    const operands = names.map((_, i) => `x${i}`);
    const options = optionsOf ? [optionsOf(attrs)] : [];
    const nodes = names.map((name) => inputs[name]!);
    return chain(b, node, nodes, [[target, ...operands, ...options]], read);
  };

const ONE =
  "LogicalNot IsNan IsInf IsFinite Round Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh".split(" ");

const TWO = "LogicalAnd LogicalOr LogicalXor Mod FloorDiv Atan2".split(" ");

/** Kernels that are the same as an op of `functional` under another name. */
const NAMED: Readonly<Record<string, string>> = { Selu: "selu", Elu: "elu", Softplus: "softplus" };

/** `tfjs.AddN(parts)` */
const addAll: Lowering = (b, node, read) => {
  const parts = node.args[0] as readonly Node[];
  if (parts.length > MOST_PARTS) return null;
  const steps = parts
    .slice(1)
    .map((_, i) => ["prim.Add", i === 0 ? "x0" : `t${i - 1}`, `x${i + 1}`] as const);
  return parts.length === 1 ? read(parts[0]!) : chain(b, node, parts, steps, read);
};

/** `tfjs.ArgMax({ x }, { axis })` and `ArgMin`: the index of the first of equal extremes. */
const argument =
  (kind: "max" | "min"): Lowering =>
  (b, node, read) => {
    const [{ x }, { axis }] = node.args as unknown as [{ x: Node }, { axis: number }];
    const value = read(x);
    const rank = value.shape.length;
    if (value.shape.includes(0) || rank === 0) return null;
    const at = (axis + rank) % rank;
    // The searched axis must be among the rows. A vector gets a channel axis of size 1.
    const shape = rank === 1 ? [value.shape[0]!, 1] : value.shape;
    const order = shape.map((_, i) => i).filter((i) => i !== at);
    const channel = order.pop()!;
    const rows = [...order, at, channel];
    const size = shape[at]!;
    const inputs = [b.read(reshaped(value, shape)!, rows)];
    const result = shape.map((one, i) => (i === at ? 1 : one));
    const source = argumentProgram(kind, isMasked(shape[channel]!));
    const y = b.draw(source, result, { order: rows, inputs, ints: { size } });
    return reshaped(y, shapeOf(node));
  };

const stridedSlice: Lowering = (_, node, read) => {
  const [{ x }, attrs] = node.args as unknown as [{ x: Node }, Record<string, Argument>];
  return everySoMany(read(x), attrs, shapeOf(node));
};

export const kernels: Readonly<Record<string, Lowering>> = {
  ...Object.fromEntries(ONE.map((name) => [`tfjs.${name}`, elementwise(["x"], `tfjs.${name}`)])),
  ...Object.fromEntries(
    TWO.map((name) => [`tfjs.${name}`, elementwise(["a", "b"], `tfjs.${name}`)]),
  ),
  ...Object.fromEntries(
    Object.entries(NAMED).map(([name, to]) => [`tfjs.${name}`, elementwise(["x"], to)]),
  ),
  "tfjs.ClipByValue": elementwise(["x"], "hardtanh", ({ clipValueMin, clipValueMax }) => ({
    minVal: clipValueMin,
    maxVal: clipValueMax,
  })),
  "tfjs.Step": elementwise(["x"], "tfjs.Step", ({ alpha }) => ({ alpha })),
  "tfjs.Prelu": elementwise(["x", "alpha"], "tfjs.Prelu"),
  "tfjs.AddN": addAll,
  "tfjs.ArgMax": argument("max"),
  "tfjs.ArgMin": argument("min"),
  "tfjs.PadV2": padKernel,
  "tfjs.StridedSlice": stridedSlice,
  "tfjs.Tile": repeat,
  "tfjs.Reverse": repeat,
};
