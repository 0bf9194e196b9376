import type { Node } from "../../graph/index.js";
import { BINARY, UNARY } from "../primitives.js";

/** Functions of one element, by the op of functional; none looks at its neighbours. */
export const FUNCTIONAL: ReadonlySet<string> = new Set(
  (
    "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu log_sigmoid mish relu relu6 " +
    "selu sigmoid silu softplus softshrink softsign tanh tanhshrink threshold"
  ).split(" "),
);

const primitive = (target: string): string =>
  target.startsWith("prim.") ? target.slice("prim.".length) : "";

/** One tensor in, one of the same shape out, element by element. */
export const isUnary = ({ kind, target }: Node): boolean =>
  kind === "call_function" && (FUNCTIONAL.has(target) || Object.hasOwn(UNARY, primitive(target)));

/** Two operands, tensors or numbers, that broadcast. */
export const isBinary = ({ kind, target }: Node): boolean =>
  kind === "call_function" && Object.hasOwn(BINARY, primitive(target));
