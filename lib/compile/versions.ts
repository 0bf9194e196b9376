import * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../graph/index.js";
import type { State } from "../module/parameter.js";

const NOTHING: ReadonlySet<tf.Variable> = new Set();

/** Something else for each value: tfjs' own variables take over the data that they are assigned. */
function markOf(state: tf.Variable): unknown {
  return state.isDisposed ? null : ((state as Partial<State>).version ?? state.dataId);
}

/** Which values of a model's parameters its plans were made of. */
export class Versions {
  /** Lists are walked by index, without an iterator. */
  private readonly states: tf.Variable[] = [];
  private readonly marks: unknown[] = [];

  constructor(private readonly attributes: (key: string) => tf.Tensor) {}

  /** Notes the parameter that a node reads, and gives it; `null` if it reads none. */
  note(node: Node, graph: Graph): tf.Variable | null {
    if (node.kind !== "get_attr" || graph.constants.has(node.target)) return null;
    const found = this.attributes(node.target);
    if (!(found instanceof tf.Variable)) return null;
    const state = found as tf.Variable;
    if (!this.states.includes(state)) {
      this.states.push(state);
      this.marks.push(markOf(state));
    }
    return state;
  }

  /** Notes the parameters that a node depends on, and adds them to a set. */
  collect(node: Node, graph: Graph, into: Set<tf.Variable>): void {
    const all = new Set([node]); // which grows on the way
    for (const one of all) {
      const state = this.note(one, graph);
      if (state) into.add(state);
      for (const input of one.inputs()) all.add(input);
    }
  }

  /** Notes whatever parameters a graph reads. */
  watch(graph: Graph): void {
    for (const node of graph.nodes) this.note(node, graph);
  }

  /**
   * The parameters that were given other values since they were noted, or since the last time.
   * Asked before every call: nothing is made where nothing changed.
   *
   * @throws Error if one is disposed.
   */
  changed(): ReadonlySet<tf.Variable> {
    let changed: Set<tf.Variable> | null = null;
    for (let i = 0; i < this.states.length; i += 1) {
      const state = this.states[i]!;
      const mark = markOf(state);
      if (mark === this.marks[i]) continue;
      if (mark === null) throw new Error(`compile: the parameter '${state.name}' is disposed`);
      (changed ??= new Set()).add(state);
      this.marks[i] = mark;
    }
    return changed ?? NOTHING;
  }
}
