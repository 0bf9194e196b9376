import { type Layout, makeLayout } from "../../kernels/webgl/layout.js";
import { type Graph, type Node, nodesIn } from "../../graph/index.js";
import { isAbsorbed, tensorMeta } from "../passes/facts.js";
import type { Fallback } from "../target.js";
import { Builder, type Constants, type Step, type Test } from "./builder.js";
import { LIST_LOWERINGS, lower } from "./lower/index.js";
import { layoutIn, type Value, VirtualTensor, wholeOf } from "./value.js";

/** An input of the graph. */
export interface Input {
  readonly node: Node;
  readonly tensor: VirtualTensor;
  readonly checks: readonly Test[];
}

/** A result: where it is, and how it is read. */
export interface Output {
  readonly node: Node;
  readonly value: Value;
  /** Rows and channels that cover the whole texture when it is read. */
  readonly layout: Layout;
  /** Whether those numbers are the result, without a selection. */
  readonly isWhole: boolean;
}

/** The steps of a graph, on tensors that have no textures yet. */
export class Draft {
  readonly fallbacks: Fallback[] = [];
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly steps: readonly Step[];
  /**
   * Whether some program spreads a NaN or an infinity of the input further than the eager model
   * does.
   */
  readonly spreadsNaN: boolean;
  private readonly builder: Builder;
  private readonly values = new Map<Node, Value>();
  private readonly parts = new Map<Node, Value[]>();

  constructor(
    graph: Graph,
    private readonly constants: Constants,
    isPrecise: boolean,
  ) {
    const builder = new Builder(constants, isPrecise);
    this.builder = builder;
    const users = graph.users();
    for (const node of graph.nodes) {
      if (isAbsorbed(node, users.get(node)!)) builder.absorbed.add(node);
    }
    const inputs: { node: Node; tensor: VirtualTensor }[] = [];
    for (const node of graph.nodes) {
      if (node.kind === "placeholder") {
        const tensor = new VirtualTensor(inputLayout(tensorMeta(node)!.shape as number[]));
        inputs.push({ node, tensor });
        this.values.set(node, wholeOf(tensor));
      } else if (node.kind === "call_function" && constants.of(node) === null) {
        if (!builder.absorbed.has(node)) this.addCall(node);
      }
    }
    const results = [...new Set(nodesIn(graph.output!.args))];
    this.outputs = results
      .filter((node) => node.kind !== "placeholder" && constants.of(node) === null)
      .map((node) => this.outputOf(node));
    this.inputs = inputs.map((one) => ({ ...one, checks: builder.checks.get(one.node) ?? [] }));
    this.steps = builder.steps;
    this.spreadsNaN = builder.spreadsNaN;
  }

  private outputOf(node: Node): Output {
    const { tensor, layout } = this.builder.readAsIs(this.read(node));
    const value = { ...wholeOf(new VirtualTensor(layout)), tensor };
    const isWhole = layoutIn(value, [...value.shape.keys()]) !== null;
    const { rows, channels } = tensor.layout;
    return { node, value, layout: makeLayout([rows, channels]), isWhole };
  }

  private readonly read = (node: Node): Value => {
    const known = this.values.get(node);
    if (known !== undefined) return known;
    if (this.builder.absorbed.delete(node)) {
      this.addCall(node); // a convolution that cannot take over the border after all
      return this.values.get(node)!;
    }
    const constant = this.constants.of(node);
    if (constant === null) throw new Error(`${node.name} is read before it is computed`);
    const value = wholeOf(
      new VirtualTensor(makeLayout(constant.shape), () => this.constants.of(node)!.values),
    );
    this.values.set(node, value);
    return value;
  };

  private addCall(node: Node): void {
    const { builder, read } = this;
    if (node.target === "getitem") {
      const [list, index] = node.args as [Node, number];
      this.values.set(node, this.parts.get(list)![index]!);
      return;
    }
    builder.node = node;
    const before = builder.steps.length;
    if (Array.isArray(node.meta.value)) {
      const parts = LIST_LOWERINGS[node.target]?.(builder, node, read) ?? null;
      if (parts !== null) return void this.parts.set(node, parts);
    } else {
      const made = lower(builder, node, read);
      if (made !== null) return void this.values.set(node, made);
    }
    builder.steps.length = before;
    this.leaveToTfjs(node);
  }

  private leaveToTfjs(node: Node): void {
    const inputs = new Map<Node, Value | readonly Value[]>();
    for (const one of node.inputs()) inputs.set(one, this.parts.get(one) ?? this.read(one));
    const metas = [node.meta.value].flat() as ({ shape: number[] } | null)[];
    const outputs = metas.map((meta) => new VirtualTensor(makeLayout(meta?.shape ?? [0])));
    const reads = [...inputs.values()].flatMap((one) =>
      ("tensor" in one ? [one] : one).map(({ tensor }) => tensor),
    );
    const reason = `no WebGL program for ${node.target} with these arguments`;
    this.builder.steps.push({ kind: "host", node, inputs, reads, outputs });
    this.fallbacks.push({ node, reason });
    const made = outputs.map((one) => wholeOf(one));
    if (Array.isArray(node.meta.value)) this.parts.set(node, made);
    else this.values.set(node, made[0]!);
  }
}

/** Images come in with channels last, which is what convolutions read: that saves a copy. */
function inputLayout(shape: readonly number[]): Layout {
  return makeLayout(shape, shape.length === 4 ? [0, 2, 3, 1] : undefined);
}
