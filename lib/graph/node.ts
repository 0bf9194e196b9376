/** What a graph is made of, in the terms of torch.fx: https://docs.pytorch.org/docs/stable/fx.html */

/** What a node is called with: other nodes, and plain values, nested as the op takes them. */
export type Argument =
  | Node
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly Argument[]
  | { readonly [name: string]: Argument };

/** A call's keyword arguments; an op of `functional` has its options object as its last argument. */
export type KeywordArguments = Readonly<Record<string, Argument>>;

/**
 * - `placeholder`: an input; the target is its name.
 * - `get_attr`: a parameter, buffer or constant; the target is its key.
 * - `call_function`: the target is an op: `linear` (of functional), `aten.linear.default`,
 *   `tfjs.Conv2D`, or `getitem`.
 * - `output`: its one argument is what the graph gives back.
 */
export type NodeKind = "placeholder" | "get_attr" | "call_function" | "output";

export interface TensorMeta {
  shape: readonly (number | string)[];
  dtype: string;
}

/** What is known about a node's result, and where it comes from. */
export interface NodeMeta {
  /** One for a tensor, a list for several. */
  value?: TensorMeta | readonly (TensorMeta | null)[];
  /** The path of the module that called it, such as `layer1.0.conv1`. */
  module?: string;
  /** The class of that module. */
  moduleType?: string;
  /** The Python lines that called it, as the exporter recorded them. */
  stackTrace?: string;
}

export class Node {
  constructor(
    /** Unique in its graph; also what it is printed as. */
    readonly name: string,
    readonly kind: NodeKind,
    public target: string,
    public args: readonly Argument[] = [],
    public kwargs: KeywordArguments = {},
    public meta: NodeMeta = {},
  ) {}

  /** The nodes that this one reads, each as often as it reads it. */
  inputs(): Node[] {
    return [...nodesIn(this.args), ...nodesIn(this.kwargs)];
  }
}

export function nodesIn(argument: Argument): Node[] {
  if (argument instanceof Node) return [argument];
  if (argument === null || typeof argument !== "object") return [];
  return Object.values(argument as Record<string, Argument>).flatMap(nodesIn);
}

/** The same arguments with every node replaced. */
export function mapNodes<T>(argument: Argument, change: (node: Node) => T): unknown {
  if (argument instanceof Node) return change(argument);
  if (argument === null || typeof argument !== "object") return argument;
  if (Array.isArray(argument)) return argument.map((one: Argument) => mapNodes(one, change));
  const entries = Object.entries(argument as Record<string, Argument>);
  return Object.fromEntries(entries.map(([name, one]) => [name, mapNodes(one, change)]));
}
