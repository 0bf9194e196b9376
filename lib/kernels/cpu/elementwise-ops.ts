/** The micro-operations that elementwise chains are made of. */

type Unary =
  | "abs" | "neg" | "exp" | "expm1" | "log" | "log1p" | "sqrt" | "rsqrt" | "reciprocal" | "square"
  | "sigmoid" | "tanh" | "erf" | "relu" | "sign" | "floor" | "ceil" | "isNaN" | "not" | "sin" | "cos"
  | "float" | "neg int" | "abs int"; // prettier-ignore

type Binary =
  | "add" | "sub" | "mul" | "div" | "min" | "max" | "pow"
  | "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "and" | "or"
  | "add int" | "sub int" | "mul int" | "min int" | "max int"
  | "eq int" | "ne int" | "lt int" | "le int" | "gt int" | "ge int"; // prettier-ignore

/**
 * Comparisons give 1 and 0, and whatever is not 0 counts as true. `min` and `max` give NaN if one is
 * NaN; `sign` of NaN is 0, as PyTorch's. Those of integers of 32 bits have their names, and `float` makes
 * floats of them; arithmetic goes round where it overflows.
 */
export type ElementwiseOp = Unary | Binary | "where";

/**
 * One step of a chain. Operands are numbered: the inputs first, then the results of the steps in
 * order. The last step's result is the chain's.
 */
export type ElementwiseStep =
  | readonly [op: Unary, x: number]
  | readonly [op: Binary, a: number, b: number]
  | readonly [op: "where", condition: number, yes: number, no: number]
  | readonly [op: "constant", value: number];
