/**
 * Which nodes give finite numbers whenever the inputs of a graph are finite. Some algorithms
 * (Winograd's) rely on it.
 */
import { type Argument, Node } from "../../graph/index.js";
import { COMPARISONS, REDUCTIONS } from "../primitives.js";
import { FUNCTIONAL } from "./elementwise.js";

/** The exponent bits of a float32; all are set only in NaN and the infinities. */
const EXPONENT = 0x7f800000;
const LEAST_EXPONENT = 0x00800000;
/** Added to the exponent bits, it sets the sign bit for 2⁶³ and all that is larger. */
const TO_LARGE = 66 * LEAST_EXPONENT;

/**
 * Whether an array has no NaN and no infinity. Typed arrays other than Float32Array hold integers
 * here.
 */
export const areFinite = (values: ArrayLike<number>): boolean =>
  values instanceof Float32Array
    ? areFiniteBits(bitsOf(values))
    : ArrayBuffer.isView(values) || Array.prototype.every.call(values, Number.isFinite);

/** Whether numbers are float32 and below 2⁶³, so that the product of any two is finite. */
export const areModest = (values: ArrayLike<number>): boolean =>
  values instanceof Float32Array && areFiniteBits(bitsOf(values), 0, values.length, TO_LARGE);

const bitsOf = ({ buffer, byteOffset, length }: Float32Array): Int32Array =>
  new Int32Array(buffer, byteOffset, length);

/**
 * The same test on the bits of float32 numbers: adding `step` carries the exponent of a number that
 * is too large into the sign bit. Four at a time, without branches and calls, because inputs are
 * tested in every call and weights whenever they change.
 */
export function areFiniteBits(
  bits: Int32Array,
  from = 0,
  to = bits.length,
  step = LEAST_EXPONENT,
): boolean {
  let seen = 0;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    seen |=
      ((bits[i]! & EXPONENT) + step) |
      ((bits[i + 1]! & EXPONENT) + step) |
      ((bits[i + 2]! & EXPONENT) + step) |
      ((bits[i + 3]! & EXPONENT) + step);
  }
  for (; i < to; i += 1) seen |= (bits[i]! & EXPONENT) + step;
  return seen >= 0;
}

/** Ops and primitives that give finite numbers for finite ones, overflow aside. */
const SAFE: ReadonlySet<string> = new Set([
  ...FUNCTIONAL,
  ...(
    "linear batch_norm layer_norm rms_norm group_norm instance_norm softmax softmin log_softmax " +
    "scaled_dot_product_attention lstm gru rnn_tanh rnn_relu embedding prelu glu pad interpolate " +
    "getitem permute reshape slice concat matmul cast where Add Sub Multiply Maximum Minimum " +
    "SquaredDifference Abs Ceil Cos Erf Floor Neg Sign Sin Square"
  ).split(" "),
  ...Object.keys({ ...COMPARISONS, ...REDUCTIONS }),
]);

type Line = readonly [target: string, ...operands: unknown[]];

/** Whether all numbers among arguments and their options are finite. */
const areFiniteNumbers = (argument: unknown): boolean =>
  typeof argument === "number"
    ? Number.isFinite(argument)
    : argument instanceof Node ||
      argument === null ||
      typeof argument !== "object" ||
      Object.values(argument).every(areFiniteNumbers);

/**
 * Whether an op, or a step of a chain, is one of these; a division only by a number that is not 0.
 */
function isSafe([target, ...operands]: Line): boolean {
  const isKnown =
    SAFE.has(target.replace("prim.", "")) ||
    /^(prim\.)?conv(_transpose)?[123]d$/.test(target) ||
    /^(adaptive_)?(avg|max)_pool[123]d$/.test(target) ||
    (target === "prim.RealDiv" && typeof operands[1] === "number" && operands[1] !== 0);
  // The bounds of `hardtanh` may be infinite.
  return isKnown && (target === "hardtanh" || areFiniteNumbers(operands));
}

/** Questions about nodes that depend on no input. */
interface Fixed {
  isStatic(argument: Argument): argument is Node;
  hasFinite(node: Node): boolean;
}

/** Whether a node is known to give finite numbers whenever the inputs of the graph are finite. */
export function givesFinite(fixed: Fixed, node: Node, known: Map<Node, boolean>): boolean {
  const before = known.get(node);
  if (before !== undefined) return before;
  const isFine = look(fixed, node, (one) => givesFinite(fixed, one, known));
  known.set(node, isFine);
  return isFine;
}

function look(fixed: Fixed, node: Node, isFine: (node: Node) => boolean): boolean {
  const { target, args } = node;
  if (node.kind === "placeholder") return true;
  const isFixed: boolean = fixed.isStatic(node);
  if (isFixed) return fixed.hasFinite(node);
  const [, lines, , tail] = args;
  const { activation = [] } = (tail ?? {}) as { activation?: Argument };
  const steps = target === "prim.pointwise" ? lines : [[target, ...args.slice(0, 3)], ...(activation as Argument[])]; // prettier-ignore
  if (!(steps as unknown as Line[]).every(isSafe)) return false;
  const options = (args.at(-1) ?? {}) as { eps?: number | null };
  return options.eps !== 0 && node.inputs().every(isFine);
}
