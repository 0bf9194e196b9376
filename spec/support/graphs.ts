import * as tf from "@tensorflow/tfjs-core";
import type { Node } from "../../lib/graph/index.js";
import { type Graph, interpret } from "../../lib/graph/index.js";
import type * as nn from "../../lib/index.js";
import type { Tolerance } from "./backends.js";
import { expectTensor } from "./expect.js";

/** Every tensor in nested arguments once, in the order of a graph's placeholders. */
export function tensorsIn(value: unknown): tf.Tensor[] {
  const visit = (one: unknown): tf.Tensor[] => {
    if (one instanceof tf.Tensor) return [one as tf.Tensor];
    return one && typeof one === "object" ? Object.values(one).flatMap(visit) : [];
  };
  return [...new Set(visit(value))];
}

/** Interprets the graph of a model's call on its arguments. */
export function runGraph(graph: Graph, model: nn.Module, args: readonly unknown[]): unknown {
  const state = new Map<string, tf.Tensor>([
    ...model.namedParameters({ removeDuplicate: false }),
    ...model.namedBuffers({ removeDuplicate: false }),
  ]);
  return interpret(graph, tensorsIn(args), (key) => state.get(key)!);
}

/** Compares nested results tensor by tensor. */
export function expectSame(got: unknown, want: unknown, tolerance: Tolerance, what: string): void {
  const [a, b] = [allTensors(got), allTensors(want)];
  if (a.length !== b.length) throw new Error(`${what}: ${a.length} tensors, want ${b.length}`);
  a.forEach((one, i) => {
    const { shape } = b[i]!;
    expectTensor(one, { shape, values: b[i]!.dataSync() }, tolerance, `${what} ${i}`);
  });
}

function allTensors(value: unknown): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value as tf.Tensor];
  return value && typeof value === "object" ? Object.values(value).flatMap(allTensors) : [];
}

/** The ops of a graph in order, those of nodes that depend on no input left out. */
export function liveOps(graph: Graph): string[] {
  const live = new Set<Node>(graph.placeholders);
  for (const node of graph.nodes) if (node.inputs().some((one) => live.has(one))) live.add(node);
  return graph.nodes
    .filter((node) => node.kind === "call_function" && live.has(node))
    .map(({ target }) => target);
}

/** What a call gives, or what it throws. */
export function attempt<A>(
  run: (...args: A[]) => unknown,
  args: A[],
): { value?: unknown; error?: string } {
  try {
    return { value: run(...args) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
