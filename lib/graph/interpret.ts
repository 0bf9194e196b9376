import * as tf from "@tensorflow/tfjs-core";
import { findOp } from "../functional/op.js";
import type { Constant, Graph } from "./graph.js";
import { type Argument, mapNodes, type Node } from "./node.js";

/** Gives the tensor that a `get_attr` node stands for; it stays the giver's. */
export type Attributes = (key: string) => tf.Tensor;

/** The tensor of a constant, to be disposed by whoever asked for it. */
export function constantTensor({ values, shape, dtype }: Constant): tf.Tensor {
  return tf.tensor(values, [...shape], dtype as tf.DataType);
}

/**
 * Runs a graph node by node in tfjs: ops of `functional` by their name, `tfjs.*` as the kernels
 * that they are. The slow and plain meaning of a graph, which everything faster is compared with.
 *
 * @param inputs one tensor for each placeholder, in their order.
 * @param attributes what `get_attr` nodes read that are no constants of the graph.
 * @returns what the output node says, nested as there.
 */
export function interpret(
  graph: Graph,
  inputs: readonly tf.Tensor[],
  attributes: Attributes,
): unknown {
  const { placeholders, output } = graph;
  if (inputs.length !== placeholders.length) {
    throw new Error(
      `interpret: the graph has ${placeholders.length} inputs, but got ${inputs.length} tensors`,
    );
  }
  return tf.tidy(() => {
    const values = new Map<Node, unknown>(placeholders.map((node, i) => [node, inputs[i]]));
    for (const node of graph.nodes) {
      if (node.kind === "get_attr") {
        const constant = graph.constants.get(node.target);
        values.set(node, constant ? constantTensor(constant) : attributes(node.target));
      } else if (node.kind === "call_function") {
        values.set(
          node,
          callNode(node, (argument) => mapNodes(argument, (one) => values.get(one))),
        );
      }
    }
    if (output === undefined) throw new Error("interpret: the graph has no output");
    const result = mapNodes(output.args[0], (node) => {
      const value = values.get(node);
      // What is given back is the caller's own, even where it is an input or a weight.
      return node.kind !== "call_function" && value instanceof tf.Tensor ? tf.clone(value) : value;
    });
    return result as tf.TensorContainer;
  });
}

/** Runs one `call_function` node; `read` puts values in the place of the nodes of an argument. */
export function callNode(node: Node, read: (argument: Argument) => unknown): unknown {
  const args = node.args.map(read);
  if (node.target === "getitem") return (args[0] as unknown[])[args[1] as number];
  if (node.target.startsWith("tfjs.")) {
    const [inputs, attrs] = args as [tf.NamedTensorMap, Record<string, never>];
    return tf.engine().runKernel(node.target.slice("tfjs.".length), inputs, attrs);
  }
  const op = findOp(node.target);
  if (op === undefined) throw new Error(`${node.name}: there is no op ${node.target}`);
  return op(...args);
}
