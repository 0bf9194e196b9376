export { Graph, type Renew } from "./graph.js";
export { type Argument, type KeywordArguments, mapNodes, Node, nodesIn } from "./node.js";
export type { NodeKind, NodeMeta, TensorMeta } from "./node.js";
export { formatArgument } from "./print.js";
