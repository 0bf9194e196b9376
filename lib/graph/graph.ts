import { type Argument, type KeywordArguments, Node, type NodeKind, replaceNodes } from "./node.js";
import type { NodeMeta } from "./node.js";
import { toMermaid } from "./picture.js";
import { printGraph } from "./print.js";

/** A tensor that is stored in a graph, and belongs to no module. */
export interface Constant {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

/** A program as a list of nodes, each of which comes after those that it reads. */
export class Graph {
  readonly nodes: Node[] = [];
  /** The constants that `get_attr` nodes read, by target. */
  readonly constants = new Map<string, Constant>();
  /** The graphs that `get_attr` nodes hand to ops such as `cond`, by target. */
  readonly subgraphs = new Map<string, Graph>();
  /** The names of all nodes; computed when a new node needs a name. */
  private names: Set<string> | null = null;
  /** The last number appended to each name. */
  private readonly taken = new Map<string, number>();

  /** Appends a node. If its name is taken, a number is appended to the name. */
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

  /** The nodes that read each node, each once. */
  users(): Map<Node, Set<Node>> {
    const users = new Map(this.nodes.map((node) => [node, new Set<Node>()]));
    for (const node of this.nodes) for (const input of node.inputs()) users.get(input)?.add(node);
    return users;
  }

  /** The number of nodes that read each node. */
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

  /**
   * A graph of some of the nodes, which must not read others, with the constants of these targets.
   */
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
   * A new graph, for which `change` is called with every node in order: it adds nodes to the new
   * graph and returns what replaces the old node. Passes are written with this. Unchanged nodes are
   * shared by both graphs, and if all are unchanged, the old graph is returned.
   *
   * @param order the nodes in another order, in which each still comes after those that it reads.
   */
  rewrite(
    change: (node: Node, graph: Graph, renew: Renew) => Node,
    order: readonly Node[] = this.nodes,
  ): Graph {
    const next = new Graph();
    for (const [target, constant] of this.constants) next.constants.set(target, constant);
    for (const [target, graph] of this.subgraphs) next.subgraphs.set(target, graph);
    const made = new Map<Node, Node>(); // for nodes that were replaced
    const argument = <A extends Argument>(one: A): A => replaceNodes(one, (node) => made.get(node) ?? node) as A; // prettier-ignore
    const renew: Renew = {
      argument,
      // Most nodes read only unchanged nodes; this is checked before their arguments are rebuilt.
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

  /**
   * Adds a node of the old graph: the same object, if it reads the same nodes and its name is free.
   */
  private take(node: Node, call: Call): Node {
    const { kind, target, name } = node;
    if (this.names?.has(name) || call !== node) {
      return this.add(kind, target, call.args, call.kwargs, node);
    }
    this.names?.add(name);
    this.nodes.push(node);
    return node;
  }

  /** The text that torch.fx prints. */
  print(): string {
    return printGraph(this);
  }

  /** A diagram in the language of Mermaid: https://mermaid.js.org. */
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

/** The arguments of a node. */
type Call = Pick<Node, "args" | "kwargs">;

/** Translates arguments of old nodes to the new graph, for the callback of a rewrite. */
export interface Renew {
  /** The argument with new nodes; the same object if no node was replaced. */
  argument<A extends Argument>(argument: A): A;
  /** All arguments of a node, likewise. */
  call(node: Node): Call;
  copy(node: Node): Node;
}
