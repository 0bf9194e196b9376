import * as tf from "@tensorflow/tfjs-core";
import { findOp } from "../functional/op.js";
import type { Constant, Graph } from "./graph.js";
import { type Argument, mapNodes, type Node } from "./node.js";

/** Gives the tensor that a `get_attr` node reads; it is not disposed. */
export type Attributes = (key: string) => tf.Tensor;

/** A new tensor with the values of a constant; the caller disposes it. */
export function constantTensor({ values, shape, dtype }: Constant): tf.Tensor {
  return tf.tensor(values, [...shape], dtype as tf.DataType);
}

/**
 * Runs a graph node by node in tfjs: ops of `functional` by name, `tfjs.*` as raw kernels. This
 * defines what a graph computes, and is the slow reference for everything faster.
 *
 * @param inputs one tensor for each placeholder, in order.
 * @param attributes for `get_attr` nodes that are not constants of the graph.
 * @returns the arguments of the output node, nested as there.
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
      // Results belong to the caller, even if they are an input or a weight.
      return node.kind !== "call_function" && value instanceof tf.Tensor ? tf.clone(value) : value;
    });
    return result as tf.TensorContainer;
  });
}

/** Runs one `call_function` node; `read` replaces the nodes in an argument by their values. */
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
