/** What a graph is made of, in the terms of torch.fx: https://docs.pytorch.org/docs/stable/fx.html */

/**
 * A value that is printed differently from how it is passed: the float `1.0`, which is passed as 1,
 * or `torch.float32`, which is passed as its name.
 */
export class Literal {
  constructor(
    readonly value: unknown,
    readonly text: string,
  ) {}
}

/** An argument of a node: other nodes and plain values, nested as the op takes them. */
export type Argument =
  | Node
  | Literal
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly Argument[]
  | { readonly [name: string]: Argument };

/**
 * Keyword arguments of a call. (Ops of `functional` have their options object as the last
 * positional argument.)
 */
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
  /** Sizes that are not fixed are expressions of symbols, such as `"2*s0"`. */
  shape: readonly (number | string)[];
  dtype: string;
  /** The memory layout when the program was exported, with the sizes of the example. */
  layout?: { readonly shape: readonly number[]; readonly stride: readonly number[] };
  requiresGrad?: boolean;
}

/** A module around a node: its path and the full name of its class. */
export interface ModuleFrame {
  /** Distinguishes calls of one module. */
  key: string;
  path: string;
  type: string;
}

/** What is known about a node's result and origin. */
export interface NodeMeta {
  /** For one tensor its description, for several a list. */
  value?: TensorMeta | readonly (TensorMeta | null)[];
  /** For a node that gives a size or a condition: its expression of symbols. */
  symbol?: string;
  /** The path of the module that called it, such as `layer1.0.conv1`. */
  module?: string;
  /** The class of that module. */
  moduleType?: string;
  /** For an input whose value was fixed when the program was exported: that value. */
  constant?: Argument;
  /** The modules that were being called, from the outermost, as far as known. */
  moduleStack?: readonly ModuleFrame[];
  /** For a node that an op was expanded to: the name of that op's node. */
  origin?: string;
  /** Nothing may be fused into the op, since there is no kernel for the result. */
  isAlone?: boolean;
  /** The Python lines that called it, as the exporter recorded them. */
  stackTrace?: string;
}

export class Node {
  private reads: readonly Node[] | null = null;

  constructor(
    /** Unique in its graph, and the name that is printed. */
    readonly name: string,
    readonly kind: NodeKind,
    public target: string,
    readonly args: readonly Argument[] = [],
    readonly kwargs: KeywordArguments = {},
    public meta: NodeMeta = {},
  ) {}

  /** The nodes that this one reads, each as many times as it is read. */
  inputs(): readonly Node[] {
    return (this.reads ??= nodesIn(this.kwargs, nodesIn(this.args)));
  }
}

const isLeaf = (argument: Argument): boolean =>
  argument === null || typeof argument !== "object" || argument instanceof Literal;

// Appends to a list instead of joining lists: passes walk over all arguments many times.
export function nodesIn(argument: Argument, into: Node[] = []): Node[] {
  if (argument instanceof Node) into.push(argument);
  else if (Array.isArray(argument)) {
    for (const one of argument as readonly Argument[]) nodesIn(one, into);
  } else if (!isLeaf(argument)) {
    const named = argument as Record<string, Argument>;
    for (const name of Object.keys(named)) nodesIn(named[name], into);
  }
  return into;
}

/** The same nesting with every node replaced. */
export function mapNodes<T>(argument: Argument, change: (node: Node) => T): unknown {
  if (argument instanceof Node) return change(argument);
  if (isLeaf(argument)) return argument;
  if (Array.isArray(argument)) return argument.map((one: Argument) => mapNodes(one, change));
  const named = argument as Record<string, Argument>;
  const changed: Record<string, unknown> = {};
  for (const name of Object.keys(named)) changed[name] = mapNodes(named[name], change);
  return changed;
}

/** The same nesting with nodes replaced by nodes; the same object if none changes. */
export function replaceNodes(argument: Argument, change: (node: Node) => Node): Argument {
  if (argument instanceof Node) return change(argument);
  if (isLeaf(argument)) return argument;
  const old = argument as Record<string | number, Argument>;
  const names = Array.isArray(argument) ? null : Object.keys(old);
  const { length } = names ?? (argument as Argument[]);
  let changed: typeof old | null = null;
  // For arrays no keys as strings, since most of them hold many numbers.
  for (let i = 0; i < length; i += 1) {
    const name = names ? names[i]! : i;
    const one = replaceNodes(old[name], change);
    if (Object.is(one, old[name])) continue;
    changed ??= (names ? { ...old } : [...(argument as Argument[])]) as typeof old;
    changed[name] = one;
  }
  return changed ?? argument;
}
