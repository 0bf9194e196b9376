import { type Argument, type KeywordArguments, Node, type NodeKind, replaceNodes } from "./node.js";
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
  /** Those of all nodes, as soon as a new one must have another. */
  private names: Set<string> | null = null;
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

  /** How many nodes read each node. */
  readers(): Map<Node, number> {
    const counts = new Map<Node, number>();
    for (const node of this.nodes) {
      counts.set(node, 0);
      node.inputs().forEach((input, i, all) => {
        if (all.indexOf(input) === i) counts.set(input, counts.get(input)! + 1);
      });
    }
    return counts;
  }

  /** A graph of some of the nodes, which read no others, with the constants of these targets. */
  only(nodes: ReadonlySet<Node>, targets: ReadonlySet<string>): Graph {
    const next = new Graph();
    for (const [target, constant] of this.constants) {
      if (targets.has(target)) next.constants.set(target, constant);
    }
    for (const [target, graph] of this.subgraphs) next.subgraphs.set(target, graph);
    for (const node of this.nodes) if (nodes.has(node)) next.nodes.push(node);
    return next;
  }

  /**
   * A graph with every node passed through `change`, in order: it adds what it wants to the new
   * graph and gives back what stands for the old node. Passes are written with this. Nodes that stay
   * as they are belong to both graphs; where all do, it is the old graph.
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
    const made = new Map<Node, Node>(); // of those that do not stay as they are
    const argument = <A extends Argument>(one: A): A => replaceNodes(one, (node) => made.get(node) ?? node) as A; // prettier-ignore
    const renew: Renew = {
      argument,
      // Most nodes read what stayed as it was, which is seen sooner than their arguments are gone through.
      call: (node) => {
        const { args, kwargs } = node;
        if (!node.inputs().some((one) => made.has(one))) return node;
        return { args: argument(args), kwargs: argument(kwargs) };
      },
      copy: (node) => next.take(node, renew.call(node)),
    };
    for (const node of order) {
      const result = change(node, next, renew);
      if (result !== node) made.set(node, result);
    }
    const { nodes } = next;
    const isSame = nodes.length === this.nodes.length && nodes.every((node, i) => node === this.nodes[i]); // prettier-ignore
    return isSame ? this : next;
  }

  /** Appends a node of another graph: the very same, where it reads the same and its name is free. */
  private take(node: Node, call: Call): Node {
    const { kind, target, name } = node;
    if (this.names?.has(name) || call !== node) {
      return this.add(kind, target, call.args, call.kwargs, node);
    }
    this.names?.add(name);
    this.nodes.push(node);
    return node;
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
    const names = (this.names ??= new Set(this.nodes.map((node) => node.name)));
    let fresh = base;
    if (names.has(base)) {
      let i = this.taken.get(base) ?? 1;
      for (fresh = `${base}_${i}`; names.has(fresh); fresh = `${base}_${i}`) i += 1;
      this.taken.set(base, i);
    }
    names.add(fresh);
    return fresh;
  }
}

const isIdentifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What a node is called with. */
type Call = Pick<Node, "args" | "kwargs">;

/** What a rewrite gives its callback: the new graph's side of old nodes. */
export interface Renew {
  /** Arguments that read the new nodes; the very same where all those are old ones. */
  argument<A extends Argument>(argument: A): A;
  /** All arguments of a node, alike. */
  call(node: Node): Call;
  copy(node: Node): Node;
}
