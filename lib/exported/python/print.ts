import { BINDING, type Expression, parseExpression } from "./parse.js";

/** Prints an expression like Python's `ast.unparse`, with only the necessary parentheses. */
export function unparse(expression: Expression, least = 0): string {
  const [text, binding] = write(expression);
  return binding < least ? `(${text})` : text;
}

const TIGHT = 20;

function write(expression: Expression): [string, number] {
  switch (expression.kind) {
    case "number":
      return [expression.text, TIGHT];
    case "string":
      return [quote(expression.value), TIGHT];
    case "name":
      return [expression.name, TIGHT];
    case "attribute":
      return [`${unparse(expression.of, TIGHT)}.${expression.name}`, TIGHT];
    case "index":
      return [`${unparse(expression.of, TIGHT)}[${unparse(expression.index)}]`, TIGHT];
    case "call": {
      const args = expression.args.map((one) => unparse(one));
      return [`${unparse(expression.of, TIGHT)}(${args.join(", ")})`, TIGHT];
    }
    case "unary": {
      const binding = expression.op === "not" ? BINDING.not! : BINDING.unary!;
      const space = expression.op === "not" ? " " : "";
      return [`${expression.op}${space}${unparse(expression.of, binding)}`, binding];
    }
    case "binary": {
      const { op, left, right } = expression;
      const binding = BINDING[op]!;
      const isRight = op === "**";
      const sides = [
        unparse(left, isRight ? binding + 1 : binding),
        unparse(right, isRight ? binding - 1 : binding + 1),
      ];
      return [sides.join(` ${op} `), binding];
    }
    case "compare": {
      const binding = BINDING.compare!;
      const first = unparse(expression.first, binding + 1);
      const rest = expression.rest.map(([op, next]) => ` ${op} ${unparse(next, binding + 1)}`);
      return [first + rest.join(""), binding];
    }
  }
}

/** As Python's `repr` of a string. */
export function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll(mark, `\\${mark}`);
  return `${mark}${escaped}${mark}`;
}

const INFIX: Readonly<Record<string, string>> = {
  ...{ Equality: "Eq", Unequality: "Ne" },
  ...{ StrictLessThan: "<", LessThan: "<=", StrictGreaterThan: ">", GreaterThan: ">=" },
};

/**
 * The text of a size as PyTorch prints it, `2*s0 + 1`, for the text in a file: sympy's `srepr`,
 * `Add(Mul(Integer(2), Symbol('s0', …)), Integer(1))`, or in older files the printed text itself.
 */
export function formatSymbolic(source: string): string {
  return formatSympy(parseExpression(source))[0];
}

function formatSympy(expression: Expression): [string, number] {
  if (expression.kind === "number") return [expression.text, TIGHT];
  if (expression.kind === "name") {
    return [expression.name === "true" ? "True" : expression.name, TIGHT];
  }
  if (expression.kind === "unary" && expression.op === "-") {
    return [`-${parenthesized(expression.of, BINDING.unary!)}`, BINDING["+"]!];
  }
  if (expression.kind !== "call" || expression.of.kind !== "name") return [unparse(expression), 0];
  const { args } = expression;
  const { name } = expression.of;
  if (name === "Symbol" && args[0]?.kind === "string") return [args[0].value, TIGHT];
  if (name === "Integer") return formatSympy(args[0]!);
  if (name === "Float" && args[0]?.kind === "string") return [args[0].value, TIGHT];
  if (name === "Rational") {
    return [args.map((one) => formatSympy(one)[0]).join("/"), BINDING["*"]!];
  }
  if (name === "Add") return [sumOf(args), BINDING["+"]!];
  if (name === "Mul") return productOf(args);
  if (name === "Pow" || name === "PowByNatural") {
    const [base, exponent] = args;
    const binding = BINDING["**"]!;
    return [`${parenthesized(base!, binding + 1)}**${parenthesized(exponent!, binding)}`, binding];
  }
  if (name === "FloorDiv") {
    const [a, b] = args;
    const text = `(${parenthesized(a!, BINDING.unary!)}//${parenthesized(b!, BINDING.unary!)})`;
    return [text, TIGHT];
  }
  const infix = INFIX[name];
  if (infix !== undefined && /^\W/.test(infix)) {
    return [args.map((one) => formatSympy(one)[0]).join(` ${infix} `), BINDING.compare!];
  }
  return [`${infix ?? name}(${args.map((one) => formatSympy(one)[0]).join(", ")})`, TIGHT];
}

function parenthesized(expression: Expression, least: number): string {
  const [text, binding] = formatSympy(expression);
  return binding < least ? `(${text})` : text;
}

function sumOf(terms: readonly Expression[]): string {
  return terms
    .map((term, i) => {
      const text = parenthesized(term, BINDING["+"]!);
      if (i === 0) return text;
      return text.startsWith("-") ? ` - ${text.slice(1)}` : ` + ${text}`;
    })
    .join("");
}

function productOf(factors: readonly Expression[]): [string, number] {
  const texts = factors.map((factor) => parenthesized(factor, BINDING["*"]!));
  const isMinus = texts[0] === "-1" && texts.length > 1;
  return [isMinus ? `-${texts.slice(1).join("*")}` : texts.join("*"), BINDING["*"]!];
}
