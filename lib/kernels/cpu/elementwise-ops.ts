/** The micro-operations of elementwise chains. */

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
 * Comparisons give 1 and 0, and any number but 0 counts as true. `min` and `max` give NaN if one
 * operand is NaN; `sign` of NaN is 0, as in PyTorch. Operations on 32-bit integers have names of
 * their own, and `float` converts their results; integer arithmetic wraps around.
 */
export type ElementwiseOp = Unary | Binary | "where";

/**
 * One step of a chain. Operands are indices: first the inputs, then the results of the steps in
 * order. The result of the last step is the result of the chain.
 */
export type ElementwiseStep =
  | readonly [op: Unary, x: number]
  | readonly [op: Binary, a: number, b: number]
  | readonly [op: "where", condition: number, yes: number, no: number]
  | readonly [op: "constant", value: number];
