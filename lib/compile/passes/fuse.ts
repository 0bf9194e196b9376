import { type Argument, type Graph, Node } from "../../graph/index.js";
import { WITH_EPILOGUE } from "../primitives.js";
import { isBinary, isUnary } from "./elementwise.js";
import { isCall, isFloat, isNode, sameShape, shapeOf } from "./facts.js";
import { callAt, rewriteKnowing } from "./rewrite.js";

interface Tail {
  residual: Argument;
  activation: readonly (readonly Argument[])[];
}

/** The op and epilogue of a node to which an epilogue can be added; `null` for any other node. */
function tailOf(node: Node): Tail | null {
  if (node.kind !== "call_function") return null;
  if (node.meta.isAlone) return null;
  if (WITH_EPILOGUE.has(node.target)) return { residual: null, activation: [] };
  const isFused = WITH_EPILOGUE.has(node.target.replace("prim.", ""));
  return isFused ? (node.args[3] as unknown as Tail) : null;
}

/**
 * Moves into a linear or convolutional op what follows it: first a sum with another tensor of its
 * shape, then functions of one element. Only where nothing else reads the results in between.
 */
export function fuseEpilogues(graph: Graph): Graph {
  return rewriteKnowing(graph, (node, next, renew, { isShared, statics }) => {
    if (statics.has(node)) return renew.copy(node);
    const { args } = renew.call(node);
    const open = (one: Argument): Tail | null => isNode(one) && !isShared(one) ? tailOf(one) : null; // prettier-ignore
    const fuse = (base: Node, tail: Tail): Node => {
      const [x, weight, options] = base.args;
      const target = `prim.${base.target.replace("prim.", "")}`;
      const all = [x, weight, options ?? {}, tail as unknown as Argument];
      return callAt(next, base, target, all, shapeOf(node));
    };
    if (isUnary(node)) {
      const tail = open(args[0]);
      if (tail === null) return renew.copy(node);
      const activation = [...tail.activation, [node.target, ...args.slice(1)]];
      return fuse(args[0] as Node, { ...tail, activation });
    }
    if (isCall(node, "prim.Add")) {
      // The fused op takes the place of the operand that comes later, since the other one must be
      // there before it.
      const at = (operand: Argument): number => next.nodes.lastIndexOf(operand as Node);
      const [a, b] = args;
      const [base, residual] = at(a) > at(b) ? [a, b] : [b, a];
      const tail = open(base);
      // Neither operand may broadcast: an epilogue has the shape of what it follows.
      const fits = (operand: Argument): boolean =>
        isFloat(operand) && sameShape(shapeOf(operand), shapeOf(node));
      if (tail?.residual === null && tail.activation.length === 0 && fits(base) && fits(residual)) {
        return fuse(base as Node, { residual, activation: [] });
      }
    }
    return renew.copy(node);
  });
}

type Operand = string | number | Argument;

interface Chain {
  inputs: Node[];
  steps: (readonly Operand[])[];
}

/** Longer chains would need more registers than an engine has. */
const MOST_INPUTS = 6;
const MOST_STEPS = 24;

/** Joins elementwise ops into single nodes, so that memory is read and written once. */
export function fusePointwise(graph: Graph): Graph {
  const chains = new Map<Node, Chain>(); // in the new graph
  return rewriteKnowing(graph, (node, next, renew, { isShared, statics }) => {
    const isChain = (isUnary(node) || isBinary(node)) && isFloat(node) && !statics.has(node);
    const { args } = renew.call(node);
    const reads = args.filter(isNode);
    if (!isChain || !reads.every(isFloat)) return renew.copy(node);
    const shape = shapeOf(node);
    const whole = (one: Node): Chain | undefined =>
      !isShared(one) && sameShape(shapeOf(one), shape) ? chains.get(one) : undefined;
    const chain = build(node.target, args, whole) ?? build(node.target, args, () => undefined)!;
    const { meta } = node;
    const pair = [chain.inputs, chain.steps as unknown as Argument];
    const name = chain.steps.length === 1 ? node.name : "pointwise";
    const made = next.add("call_function", "prim.pointwise", pair, {}, { name, meta });
    chains.set(made, chain);
    return made;
  });
}

/**
 * The chain that ends with an op, including the chains that it reads; `null` if that has too many
 * inputs.
 */
function build(
  target: string,
  args: readonly Argument[],
  whole: (one: Node) => Chain | undefined,
): Chain | null {
  const inputs: Node[] = [];
  const steps: (readonly Operand[])[] = [];
  const input = (one: Node): string => {
    let index = inputs.indexOf(one);
    if (index < 0) index = inputs.push(one) - 1;
    return `x${index}`;
  };
  const operands = args.map((arg): Operand => {
    if (!(arg instanceof Node)) return arg;
    const chain = whole(arg);
    if (chain === undefined) return input(arg);
    const names = new Map<string, string>(chain.inputs.map((one, i) => [`x${i}`, input(one)]));
    chain.steps.forEach(([op, ...rest], i) => {
      const renamed = rest.map((one) => (typeof one === "string" ? (names.get(one) ?? one) : one));
      names.set(`t${i}`, `t${steps.push([op!, ...renamed]) - 1}`);
    });
    return `t${steps.length - 1}`;
  });
  steps.push([target, ...operands]);
  return inputs.length > MOST_INPUTS || steps.length > MOST_STEPS ? null : { inputs, steps };
}
