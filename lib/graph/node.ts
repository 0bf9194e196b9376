/** What a graph is made of, in the terms of torch.fx: https://docs.pytorch.org/docs/stable/fx.html */

/**
 * A value that is printed otherwise than it is passed: the float `1.0`, which is the number 1, or
 * `torch.float32`, which is passed by its name.
 */
export class Literal {
  constructor(
    readonly value: unknown,
    readonly text: string,
  ) {}
}

/** What a node is called with: other nodes, and plain values, nested as the op takes them. */
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
  /** A size that is not fixed is an expression of symbols: `"2*s0"`. */
  shape: readonly (number | string)[];
  dtype: string;
  /** How it lay in memory when the program was exported, symbols replaced by the example's sizes. */
  layout?: { readonly shape: readonly number[]; readonly stride: readonly number[] };
  requiresGrad?: boolean;
}

/** A module on the way to a node: its path, and the full name of its class. */
export interface ModuleFrame {
  /** Tells one call of a module from another. */
  key: string;
  path: string;
  type: string;
}

/** What is known about a node's result, and where it comes from. */
export interface NodeMeta {
  /** One for a tensor, a list for several. */
  value?: TensorMeta | readonly (TensorMeta | null)[];
  /** Of a node that gives a size or a condition: its expression of symbols. */
  symbol?: string;
  /** The path of the module that called it, such as `layer1.0.conv1`. */
  module?: string;
  /** The class of that module. */
  moduleType?: string;
  /** Of an input whose value was fixed when the program was exported: that value. */
  constant?: Argument;
  /** The modules that were under way, from the outermost, as far as they are known. */
  moduleStack?: readonly ModuleFrame[];
  /** Of a node that an op was made of: the name of that op's node. */
  origin?: string;
  /** Whether an attention's rows of nothing but -∞ give NaN, as softmax does, and not 0 as the op. */
  isPlainSoftmax?: boolean;
  /** Whether an op has nothing fused into it, since there is no kernel for that. */
  isAlone?: boolean;
  /** The Python lines that called it, as the exporter recorded them. */
  stackTrace?: string;
}

export class Node {
  private reads: readonly Node[] | null = null;

  constructor(
    /** Unique in its graph; also what it is printed as. */
    readonly name: string,
    readonly kind: NodeKind,
    public target: string,
    readonly args: readonly Argument[] = [],
    readonly kwargs: KeywordArguments = {},
    public meta: NodeMeta = {},
  ) {}

  /** The nodes that this one reads, each as often as it reads it. */
  inputs(): readonly Node[] {
    return (this.reads ??= nodesIn(this.kwargs, nodesIn(this.args)));
  }
}

const isLeaf = (argument: Argument): boolean =>
  argument === null || typeof argument !== "object" || argument instanceof Literal;

// Passes walk every argument many times while a model is compiled: no lists in between.
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

/** The same arguments with every node replaced. */
export function mapNodes<T>(argument: Argument, change: (node: Node) => T): unknown {
  if (argument instanceof Node) return change(argument);
  if (isLeaf(argument)) return argument;
  if (Array.isArray(argument)) return argument.map((one: Argument) => mapNodes(one, change));
  const named = argument as Record<string, Argument>;
  const changed: Record<string, unknown> = {};
  for (const name of Object.keys(named)) changed[name] = mapNodes(named[name], change);
  return changed;
}

/** The same arguments with nodes in the place of nodes: the very same where all of them stay. */
export function replaceNodes(argument: Argument, change: (node: Node) => Node): Argument {
  if (argument instanceof Node) return change(argument);
  if (isLeaf(argument)) return argument;
  const old = argument as Record<string | number, Argument>;
  const names = Array.isArray(argument) ? null : Object.keys(old);
  const { length } = names ?? (argument as Argument[]);
  let changed: typeof old | null = null;
  // The places of a list not as strings: it is numbers, mostly.
  for (let i = 0; i < length; i += 1) {
    const name = names ? names[i]! : i;
    const one = replaceNodes(old[name], change);
    if (Object.is(one, old[name])) continue;
    changed ??= (names ? { ...old } : [...(argument as Argument[])]) as typeof old;
    changed[name] = one;
  }
  return changed ?? argument;
}
