import { type Argument, type KeywordArguments, mapNodes, Node, type NodeKind } from "./node.js";
import type { NodeMeta } from "./node.js";
import { toMermaid } from "./picture.js";
import { printGraph } from "./print.js";

/** A tensor that belongs to a graph, and to no module. */
export interface Constant {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

/** A program as a list of nodes, each after those that it reads. */
export class Graph {
  readonly nodes: Node[] = [];
  /** What the `get_attr` nodes of these targets stand for. */
  readonly constants = new Map<string, Constant>();
  /** The graphs that `get_attr` nodes of these targets hand to ops such as `cond`. */
  readonly subgraphs = new Map<string, Graph>();
  private readonly names = new Set<string>();
  /** The number that the last namesake got. */
  private readonly taken = new Map<string, number>();

  /** Appends a node; a name that is taken gets a number. */
  add(
    kind: NodeKind,
    target: string,
    args: readonly Argument[] = [],
    kwargs: KeywordArguments = {},
    { name = target, meta = {} }: { name?: string; meta?: NodeMeta } = {},
  ): Node {
    const node = new Node(this.freshName(name), kind, target, args, kwargs, meta);
    this.nodes.push(node);
    return node;
  }

  get placeholders(): Node[] {
    return this.nodes.filter(({ kind }) => kind === "placeholder");
  }

  get output(): Node | undefined {
    return this.nodes.findLast(({ kind }) => kind === "output");
  }

  /** Which nodes read each node, once each. */
  users(): Map<Node, Set<Node>> {
    const users = new Map(this.nodes.map((node) => [node, new Set<Node>()]));
    for (const node of this.nodes) for (const input of node.inputs()) users.get(input)?.add(node);
    return users;
  }

  /**
   * A new graph with every node passed through `change`, in order: it adds what it wants to the new
   * graph and gives back what stands for the old node. Passes are written with this.
   *
   * @param order the nodes in another order, each still after those that it reads.
   */
  rewrite(
    change: (node: Node, graph: Graph, renew: Renew) => Node,
    order: readonly Node[] = this.nodes,
  ): Graph {
    const next = new Graph();
    for (const [target, constant] of this.constants) next.constants.set(target, constant);
    for (const [target, graph] of this.subgraphs) next.subgraphs.set(target, graph);
    const made = new Map<Node, Node>();
    const renew: Renew = {
      argument: (argument) => mapNodes(argument, (node) => made.get(node)!) as Argument,
      copy: (node) =>
        next.add(
          node.kind,
          node.target,
          renew.argument(node.args) as readonly Argument[],
          renew.argument(node.kwargs) as KeywordArguments,
          { name: node.name, meta: node.meta },
        ),
    };
    for (const node of order) made.set(node, change(node, next, renew));
    return next;
  }

  /** As torch.fx prints it. */
  print(): string {
    return printGraph(this);
  }

  /** As a picture in the language of Mermaid: https://mermaid.js.org. */
  toMermaid(): string {
    return toMermaid(this);
  }

  toString(): string {
    return this.print();
  }

  private freshName(name: string): string {
    const base = isIdentifier.test(name)
      ? name
      : name.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^(\d)/, "_$1") || "node";
    let fresh = base;
    if (this.names.has(base)) {
      let i = this.taken.get(base) ?? 1;
      for (fresh = `${base}_${i}`; this.names.has(fresh); fresh = `${base}_${i}`) i += 1;
      this.taken.set(base, i);
    }
    this.names.add(fresh);
    return fresh;
  }
}

const isIdentifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What a rewrite gives its callback: the new graph's side of old nodes. */
export interface Renew {
  argument(argument: Argument): Argument;
  copy(node: Node): Node;
}
