import type { Argument, Graph, TensorMeta } from "../../graph/index.js";
import { Node } from "../../graph/index.js";

/** Shape and dtype of what a node gives, if that is one tensor. */
export function tensorMeta(node: Node): TensorMeta | null {
  const { value } = node.meta;
  return value && "shape" in value ? value : null;
}

/** The shape of what a node gives; a traced graph knows all of them. */
export function shapeOf(node: Node): number[] {
  return [...((tensorMeta(node)?.shape ?? []) as readonly number[])];
}

export const sizeOf = (node: Node): number => shapeOf(node).reduce((a, b) => a * b, 1);

export const isFloat = (node: Argument): node is Node =>
  node instanceof Node && tensorMeta(node)?.dtype === "float32";

export const isNode = (value: Argument): value is Node => value instanceof Node;

export const isCall = ({ kind, target }: Node, name: string): boolean =>
  kind === "call_function" && target === name;

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** The nodes that depend on no input: what is computed of them is computed once. */
export function findStatic(graph: Graph): Set<Node> {
  const found = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.kind === "get_attr") found.add(node);
    if (node.kind !== "call_function" || draws(node)) continue;
    if (node.inputs().every((input) => found.has(input))) found.add(node);
  }
  return found;
}

const DRAWING = new Set([
  "dropout",
  "dropout1d",
  "dropout2d",
  "dropout3d",
  "alpha_dropout",
  "feature_alpha_dropout",
  "rrelu",
  "gumbel_softmax",
  "fractional_max_pool2d",
  "fractional_max_pool3d",
]);

/** Whether an op may give something else each time; what a canonical graph still drops, does. */
export function draws({ target, args }: Node): boolean {
  if (DRAWING.has(target)) return true;
  const options = (args.at(-1) ?? {}) as {
    dropoutP?: number;
    dropout?: number;
    training?: boolean;
  };
  if (target === "scaled_dot_product_attention") return Boolean(options.dropoutP);
  if (target === "multi_head_attention_forward") return options.training !== false;
  return RECURRENT.has(target) && Boolean(options.training && options.dropout);
}

const RECURRENT = new Set(["rnn_tanh", "rnn_relu", "lstm", "gru"]);
