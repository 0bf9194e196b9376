import type { Argument, Graph, TensorMeta } from "../../graph/index.js";
import { Node } from "../../graph/index.js";

/** Shape and dtype of a node's result, if that is one tensor. */
export function tensorMeta({ meta: { value } }: Pick<Node, "meta">): TensorMeta | null {
  return value && "shape" in value ? value : null;
}

/** The shape of a node's result; in a traced graph all sizes are numbers. */
export function shapeOf(node: Node): readonly number[] {
  return (tensorMeta(node)?.shape ?? []) as readonly number[];
}

export const sizeOf = (node: Node): number => shapeOf(node).reduce((a, b) => a * b, 1);

export const isFloat = (node: Argument): node is Node =>
  node instanceof Node && tensorMeta(node)?.dtype === "float32";

export const isNode = (value: Argument): value is Node => value instanceof Node;

export const isCall = ({ kind, target }: Node, name: string): boolean =>
  kind === "call_function" && target === name;

/** Whether it is a softmax along the last dimension. */
export function isLastSoftmax(node: Node): boolean {
  const dim = (node.args[1] as { dim?: number } | undefined)?.dim;
  return isCall(node, "softmax") && (dim === -1 || dim === shapeOf(node).length - 1);
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** The nodes that depend on no input: they are computed once, not in every run. */
export function findStatic(graph: Graph): Set<Node> {
  const found = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.kind === "get_attr") found.add(node);
    if (node.kind !== "call_function" || draws(node)) continue;
    if (node.inputs().every((input) => found.has(input))) found.add(node);
  }
  return found;
}

export const DROPOUT = /^(feature_)?(alpha_)?dropout([123]d)?$/;

const DRAWING = /^(gumbel_softmax|fractional_max_pool[23]d)$/;

/**
 * Whether an op may give another result each time: it draws random numbers. (Dropouts that do
 * nothing are gone from a canonical graph.)
 */
export function draws({ target, args }: Node): boolean {
  if (DROPOUT.test(target) || DRAWING.test(target)) return true;
  const options = (args.at(-1) ?? {}) as {
    dropoutP?: number;
    dropout?: number;
    training?: boolean;
  };
  const { dropoutP, dropout, training } = options;
  if (target === "multi_head_attention_forward") return training !== false;
  return Boolean(dropoutP || (training && (dropout || target === "rrelu")));
}

/**
 * Whether only convolutions read a border of zeros, so that they can treat it as padding of their
 * own.
 */
export function isAbsorbed(node: Node, users: ReadonlySet<Node>): boolean {
  if (node.target !== "pad" || shapeOf(node).length !== 4) return false;
  const sizes = node.args[1] as number[];
  const { mode = "constant", value } = (node.args[2] ?? {}) as {
    mode?: string;
    value?: number | null;
  };
  const isZero =
    mode === "constant" && (value ?? 0) === 0 && sizes.length <= 4 && sizes.every((n) => n >= 0);
  return isZero && [...users].every((user) => isConv2d(user) && user.args[0] === node);
}

const isConv2d = ({ target, args }: Node): boolean => {
  const { padding = 0 } = (args[2] ?? {}) as { padding?: unknown };
  return /^(prim\.)?conv2d$/.test(target) && typeof padding !== "string";
};

/** A strided view of memory; plans for the CPU and for the GPU both have it. */
interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The view that tfjs' StridedSlice describes; `null` if it has masks or negative steps. */
export function everySoMany<V extends View>(
  x: V,
  attrs: Readonly<Record<string, Argument>>,
  shape: readonly number[],
): V | null {
  const { begin, strides } = attrs as { begin: number[]; strides: number[] };
  const isMasked = Object.keys(attrs).some((name) => /Mask/.test(name) && attrs[name]);
  if (isMasked || begin.length < x.shape.length || strides.some((step) => step < 0)) return null;
  let { offset } = x;
  const apart = x.strides.map((stride, i) => {
    const size = x.shape[i]!;
    const at = begin[i]!;
    offset += stride * Math.min(at < 0 ? Math.max(0, at + size) : at, size);
    return stride * strides[i]!;
  });
  return { ...x, offset, shape, strides: apart };
}
