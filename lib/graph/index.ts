export { type Constant, Graph, type Renew } from "./graph.js";
export { type Argument, type KeywordArguments, Literal, mapNodes, Node, nodesIn } from "./node.js";
export type { ModuleFrame, NodeMeta, TensorMeta } from "./node.js";
export { type Attributes, callNode, constantTensor, interpret } from "./interpret.js";
