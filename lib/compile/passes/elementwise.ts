import type { Node } from "../../graph/index.js";
import { BINARY, UNARY } from "../primitives.js";

/** Ops of `functional` that work on each element by itself. */
export const FUNCTIONAL: ReadonlySet<string> = new Set(
  (
    "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu log_sigmoid mish relu relu6 " +
    "selu sigmoid silu softplus softshrink softsign tanh tanhshrink threshold"
  ).split(" "),
);

/** What the kernels of a table are called as primitives. */
export const primitives = (table: object): string[] =>
  Object.keys(table).map((name) => `prim.${name}`);

const UNARIES = new Set([...FUNCTIONAL, ...primitives(UNARY)]);
const BINARIES = new Set(primitives(BINARY));

/** Whether a node maps one tensor to one of the same shape, element by element. */
export const isUnary = ({ kind, target }: Node): boolean =>
  kind === "call_function" && UNARIES.has(target);

/** Whether a node combines two operands, tensors or numbers, that broadcast. */
export const isBinary = ({ kind, target }: Node): boolean =>
  kind === "call_function" && BINARIES.has(target);
