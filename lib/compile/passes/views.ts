import type { Node } from "../../graph/index.js";
import { type Argument, type Graph } from "../../graph/index.js";
import { WITH_EPILOGUE } from "../primitives.js";
import { isBinary, isUnary } from "./elementwise.js";
import { isCall, isLastSoftmax, isNode, sameShape, shapeOf } from "./facts.js";
import { callAt, rewriteKnowing } from "./rewrite.js";

/** Adds a call in the place of the node that is rewritten, with a shape of its own. */
export type Make = (target: string, args: readonly Argument[], shape: readonly number[]) => Node;

const isIdentity = (perm: readonly number[]): boolean => perm.every((axis, i) => axis === i);

const permuted = (shape: readonly number[], perm: readonly number[]): number[] =>
  perm.map((axis) => shape[axis]!);

/** Whether a permutation only moves dimensions of size 1, so that the order of elements stays. */
function movesNothing(shape: readonly number[], perm: readonly number[]): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!);
}

export function permute(make: Make, x: Node, perm: readonly number[]): Node {
  if (isCall(x, "prim.permute")) {
    const inner = x.args[1] as number[];
    return permute(make, x.args[0] as Node, permuted(inner, perm));
  }
  if (isIdentity(perm)) return x;
  const shape = permuted(shapeOf(x), perm);
  if (movesNothing(shapeOf(x), perm)) return reshape(make, x, shape);
  return make("prim.permute", [x, perm], shape);
}

export function reshape(make: Make, x: Node, shape: readonly number[]): Node {
  if (isCall(x, "prim.reshape")) return reshape(make, x.args[0] as Node, shape);
  if (sameShape(shapeOf(x), shape)) return x;
  // A reshape behind a permutation that leaves the last dimensions alone can go before it.
  if (isCall(x, "prim.permute")) {
    const [inner, perm] = x.args as [Node, number[]];
    const old = shapeOf(x);
    let kept = 0; // how many leading dimensions stay
    while (kept < old.length && kept < shape.length && old[kept] === shape[kept]) kept += 1;
    const isTail = perm.slice(kept).every((axis, i) => axis === kept + i);
    if (isTail && kept > 0 && kept < old.length) {
      const tail = shape.slice(kept);
      const whole = [...shapeOf(inner).slice(0, kept), ...tail];
      const order = [...perm.slice(0, kept), ...tail.map((_, i) => kept + i)];
      return permute(make, reshape(make, inner, whole), order);
    }
    // Else the leading dimensions can be permuted after the reshape, if those are all that is left.
    const lead = perm.slice(0, kept);
    const sorted = [...lead].sort((a, b) => a - b);
    if (kept > 1 && kept < old.length && !sameShape(lead, sorted)) {
      const first = permute(make, inner, [...sorted, ...perm.slice(kept)]);
      const whole = [...shapeOf(first).slice(0, kept), ...shape.slice(kept)];
      const order = [...lead.map((axis) => sorted.indexOf(axis)), ...shape.slice(kept).map((_, i) => kept + i)]; // prettier-ignore
      return permute(make, reshape(make, first, whole), order);
    }
  }
  return make("prim.reshape", [x, shape], shape);
}

/** The views, and how each is simplified. */
const MOVES: Readonly<Record<string, typeof permute>> = {
  "prim.permute": permute,
  "prim.reshape": reshape,
};

/**
 * Ops along the last dimension, for which order and grouping of the other dimensions do not matter.
 */
function worksAlongLast(node: Node): boolean {
  if (node.target === "linear") return true;
  if (node.target === "layer_norm" || node.target === "rms_norm") {
    const sizes = node.args[1];
    return typeof sizes === "number" || (sizes as number[]).length === 1;
  }
  return isLastSoftmax(node);
}

/**
 * Moves transposes and reshapes: joins chains of them, drops those that do nothing, and moves the
 * others behind ops for which they make no difference (elementwise, or along the last dimension),
 * where they may meet their inverse.
 */
export function moveViews(graph: Graph): Graph {
  return rewriteKnowing(graph, (node, next, renew, { isShared }) => {
    const make: Make = (target, args, shape) => {
      const isOld = target === node.target && args.length === node.args.length && args.every((one, i) => one === node.args[i]); // prettier-ignore
      return isOld ? renew.copy(node) : callAt(next, node, target, args, shape);
    };
    if (node.kind !== "call_function") return renew.copy(node);
    const { args } = renew.call(node);
    const move = MOVES[node.target];
    if (move) return move(make, args[0] as Node, args[1] as number[]);
    return sink(node, args, make, isShared) ?? renew.copy(node);
  });
}

/**
 * The op applied to the source of a view, with the view behind it; `null` where that is not
 * possible.
 */
function sink(
  node: Node,
  args: readonly Argument[],
  make: Make,
  isShared: (node: Node) => boolean,
): Node | null {
  const views = args.filter(isNode);
  const first = views[0];
  if (first && isCall(node, "prim.slice") && isCall(first, "prim.permute"))
    return slicePermuted(args, make);
  if (isBinary(node) && views.length === 2) {
    // Only for an op that can take the other operand into its epilogue.
    const isProduct = (one: Node): boolean => WITH_EPILOGUE.has((one.args[0] as Node).target);
    const reshaped = views.find((one) => isCall(one, "prim.reshape") && isProduct(one) && !isShared(one)); // prettier-ignore
    if (reshaped !== undefined) return joinReshaped(node, args, reshaped, make);
  }
  const move = first && MOVES[first.target];
  if (!move || isShared(first)) return null;
  const inner = first.args[0] as Node;
  const before = shapeOf(inner);
  const [, how] = first.args as [Node, number[]];
  const isPermute = first.target === "prim.permute";
  const back = (y: Node, shape: readonly number[]): Node => move(make, y, isPermute ? how : shape);
  if (isUnary(node) || isBinary(node)) {
    const alike = views.every(
      (one) =>
        one.target === first.target &&
        sameShape(one.args[1] as number[], how) &&
        sameShape(shapeOf(one.args[0] as Node), before),
    );
    if (!alike) return null;
    const plain = args.map((arg) => (isNode(arg) ? arg.args[0] : arg));
    return back(make(node.target, plain, before), shapeOf(node));
  }
  if (!worksAlongLast(node)) return null;
  const last = before.length - 1;
  const keepsLast = isPermute ? how.at(-1) === last : before[last] === how.at(-1);
  if (!keepsLast || last === 0) return null;
  const shape = [...before.slice(0, -1), shapeOf(node).at(-1)!];
  const [, ...rest] = args;
  if (node.target === "softmax") rest[0] = { dim: -1 };
  return back(make(node.target, [inner, ...rest], shape), shapeOf(node));
}

/** A slice of a permuted tensor is a permuted slice. */
function slicePermuted([view, begin, size]: readonly Argument[], make: Make): Node {
  const [inner, perm] = (view as Node).args as [Node, number[]];
  const back = (list: number[]): number[] => perm.map((_, axis) => list[perm.indexOf(axis)]!);
  const whole = back(size as number[]);
  const part = make("prim.slice", [inner, back(begin as number[]), whole], whole);
  return permute(make, part, perm);
}

/**
 * Arithmetic with a reshaped tensor is done in its original shape, and the result is reshaped; so
 * is the other operand.
 */
function joinReshaped(
  node: Node,
  args: readonly Argument[],
  reshaped: Node,
  make: Make,
): Node | null {
  const inner = reshaped.args[0] as Node;
  const shape = shapeOf(node);
  if (!args.filter(isNode).every((one) => sameShape(shapeOf(one), shape))) return null;
  const follow = (one: Argument): Argument =>
    one === reshaped ? inner : isNode(one) ? reshape(make, one, shapeOf(inner)) : one;
  return reshape(make, make(node.target, args.map(follow), shapeOf(inner)), shape);
}
