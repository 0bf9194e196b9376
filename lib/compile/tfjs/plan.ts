import * as tf from "@tensorflow/tfjs-core";
import { type Argument, callNode, type Graph, mapNodes, type Node } from "../../graph/index.js";
import { findStatic } from "../passes/facts.js";
import { signature, Statics } from "../plan/statics.js";
import type { CompiledPlan, Fallback, Results, StepInfo } from "../target.js";
import { type Result, RUNNERS, type Values } from "./runners.js";

/** Gives a tensor that outlives the call; `make` is called only the first time. */
type Keep = (key: string, make: () => tf.Tensor) => tf.Tensor;

/** What a node gave, in one or both memory layouts. */
interface Slot {
  plain?: tf.Tensor | readonly tf.Tensor[];
  last?: tf.Tensor4D;
}

/**
 * An optimised graph that runs node by node in tfjs; each result is disposed after its last reader.
 */
export class TfjsPlan implements CompiledPlan {
  readonly fallbacks: readonly Fallback[] = [];
  readonly arenaBytes = 0;
  private readonly statics: ReadonlySet<Node>;
  private readonly calls: readonly Node[];
  /** For each call, the nodes that are read for the last time by it. */
  private readonly dying: readonly (readonly Node[])[];

  constructor(
    readonly graph: Graph,
    private readonly attributes: (key: string) => tf.Tensor,
    private readonly keep: Keep,
    private readonly keptBytes: () => number,
  ) {
    this.statics = findStatic(graph);
    this.calls = graph.nodes.filter((node) => node.kind === "call_function" && !this.statics.has(node)); // prettier-ignore
    const last = new Map<Node, number>();
    this.calls.forEach((node, i) => {
      for (const input of [node, ...node.inputs()]) last.set(input, i);
    });
    const stays = new Set([...graph.output!.inputs(), ...graph.placeholders]);
    const dying = this.calls.map((): Node[] => []);
    for (const [node, at] of last) {
      if (!stays.has(node) && !this.statics.has(node)) dying[at]!.push(node);
    }
    this.dying = dying;
  }

  get weightBytes(): number {
    return this.keptBytes();
  }

  describe(): StepInfo[] {
    return this.calls.map((node) => ({ node, kernel: `tfjs ${node.target}`, flops: 0, bytes: 0 }));
  }

  execute(inputs: readonly tf.Tensor[]): Results {
    return this.run(inputs, (step) => step());
  }

  profile(inputs: readonly tf.Tensor[]): { times: number[] } {
    const times: number[] = [];
    const read = this.run(inputs, (step) => {
      const began = performance.now();
      step();
      times.push(performance.now() - began);
    });
    for (const node of new Set(this.graph.output!.inputs())) read(node).dispose();
    return { times };
  }

  private run(inputs: readonly tf.Tensor[], around: (step: () => void) => void): Results {
    const slots = new Map<Node, Slot>();
    this.graph.placeholders.forEach((node, i) => slots.set(node, { plain: inputs[i]! }));
    const made = new Set<tf.Tensor>();
    const values = this.valuesOf(slots, made);
    const results = new Map<Node, tf.Tensor>();
    try {
      this.calls.forEach((node, i) => {
        around(() => {
          this.step(node, slots, values, made);
          for (const dead of this.dying[i]!) this.free(dead, slots, made);
        });
      });
      for (const node of new Set(this.graph.output!.inputs())) {
        results.set(
          node,
          tf.tidy(() => tf.clone(values.plain(node))),
        );
      }
    } finally {
      // A view may share its tensor with its source: each is disposed once.
      for (const tensor of made) if (!tensor.isDisposed) tensor.dispose();
    }
    const given = new Set<Node>();
    return (node) => {
      const tensor = results.get(node)!;
      if (given.has(node)) return tf.clone(tensor);
      given.add(node);
      return tensor;
    };
  }

  private step(node: Node, slots: Map<Node, Slot>, values: Values, made: Set<tf.Tensor>): void {
    let result: Result | null = null;
    let other: unknown = null;
    const out = tf.tidy(() => {
      result = RUNNERS[node.target]?.(node, values) ?? null;
      if (result !== null) return result.tensor;
      other = callNode(node, (argument: Argument) =>
        mapNodes(argument, (one) => values.plain(one)),
      );
      // An op may return its own input: then the run needs a second handle.
      if (other instanceof tf.Tensor) return (other = tf.clone(other)) as tf.Tensor;
      return (other = (other as (tf.Tensor | null)[]).map((one) => one && tf.clone(one))) as never;
    });
    const done = result as Result | null;
    const slot: Slot = done?.isLast ? { last: out as tf.Tensor4D } : { plain: out };
    slots.set(node, slot);
    for (const tensor of [out].flat() as (tf.Tensor | null)[]) if (tensor) made.add(tensor);
  }

  private free(node: Node, slots: Map<Node, Slot>, made: Set<tf.Tensor>): void {
    const { plain, last } = slots.get(node) ?? {};
    for (const tensor of [plain ?? [], last ?? []].flat() as (tf.Tensor | null)[]) {
      if (tensor === null || !made.delete(tensor)) continue;
      tensor.dispose();
    }
    slots.delete(node);
  }

  private valuesOf(slots: Map<Node, Slot>, made: Set<tf.Tensor>): Values {
    const { graph, statics } = this;
    const constant = (node: Node): tf.Tensor =>
      this.keep(signature(node, graph), () => {
        const { values, shape, dtype } = new Statics(graph, this.attributes).of(node);
        return tf.tensor(values.slice(), [...shape], dtype as tf.DataType);
      });
    /** Stores the other layout of a result too, for all who will read it so. */
    const convert = (x: tf.Tensor, perm: number[]): tf.Tensor => {
      const tensor = tf.keep(tf.transpose(x, perm));
      made.add(tensor);
      return tensor;
    };
    const plain = (node: Node): tf.Tensor => {
      if (statics.has(node)) return constant(node);
      const slot = slots.get(node)!;
      slot.plain ??= convert(slot.last!, [0, 3, 1, 2]);
      return slot.plain as tf.Tensor;
    };
    const packed: Values["packed"] = (node, how, pack) =>
      this.keep(`${signature(node, graph)} ${how}`, () => pack(constant(node)));
    return {
      plain,
      packed,
      channelsLast: (node) => {
        if (statics.has(node)) {
          return packed(node, "channels last", (x) => tf.transpose(x, [0, 2, 3, 1])) as tf.Tensor4D;
        }
        const slot = slots.get(node)!;
        slot.last ??= convert(slot.plain as tf.Tensor, [0, 2, 3, 1]) as tf.Tensor4D;
        return slot.last;
      },
      isLast: (node) => slots.get(node)?.last !== undefined,
      isStatic: (node) => statics.has(node),
    };
  }
}
