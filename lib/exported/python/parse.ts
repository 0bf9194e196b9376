/** Parses the Python expressions in exported programs: guards, and sizes in terms of symbols. */

export type Expression =
  | { kind: "number"; value: number; text: string }
  | { kind: "string"; value: string }
  | { kind: "name"; name: string }
  | { kind: "attribute"; of: Expression; name: string }
  | { kind: "index"; of: Expression; index: Expression }
  | { kind: "call"; of: Expression; args: readonly Expression[] }
  | { kind: "unary"; op: string; of: Expression }
  | { kind: "binary"; op: string; left: Expression; right: Expression }
  | { kind: "compare"; first: Expression; rest: readonly (readonly [string, Expression])[] };

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|([A-Za-z_]\w*)|(\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%()[\],.<>=&|^~]))/y;

/** The precedence of binary operators; that of a unary minus is between `*` and `**`. */
export const BINDING: Readonly<Record<string, number>> = {
  ...{ or: 1, and: 2, not: 3, compare: 4, "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8 },
  ...{ "+": 9, "-": 9, "*": 10, "/": 10, "//": 10, "%": 10, unary: 11, "**": 12 },
};

const COMPARISONS = new Set(["<", "<=", ">", ">=", "==", "!="]);
/** The nesting limit, so that a malicious expression cannot exhaust the stack. */
const MAX_DEPTH = 200;

/** @throws SyntaxError */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const result = parser.expression(0);
  if (parser.token !== "") parser.fail();
  return result;
}

class Parser {
  token = "";
  private type: "number" | "string" | "name" | "operator" | "end" = "end";
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {
    this.next();
  }

  fail(): never {
    throw new SyntaxError(
      `not an expression that is read: ${JSON.stringify(this.text.slice(0, 200))}, ` +
        `at ${JSON.stringify(this.token)}`,
    );
  }

  private next(): string {
    const taken = this.token;
    TOKEN.lastIndex = this.at;
    const match = TOKEN.exec(this.text);
    if (match === null) {
      this.token = this.text.slice(this.at).trim();
      this.type = "end";
      if (this.token !== "") this.fail();
      return taken;
    }
    this.at = TOKEN.lastIndex;
    const [, number, string, name, operator] = match;
    this.token = (number ?? string ?? name ?? operator)!;
    this.type = number ? "number" : string ? "string" : name ? "name" : "operator";
    return taken;
  }

  private expect(token: string): void {
    if (this.token !== token || this.type === "string") this.fail();
    this.next();
  }

  private name(): string {
    return this.type === "name" ? this.next() : this.fail();
  }

  private get binary(): string | null {
    if (this.type !== "operator" && this.token !== "and" && this.token !== "or") return null;
    if (COMPARISONS.has(this.token)) return "compare";
    return this.token in BINDING ? this.token : null;
  }

  expression(least: number): Expression {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) this.fail();
    let left = this.prefix();
    for (let op = this.binary; op !== null && BINDING[op]! > least; op = this.binary) {
      if (op === "compare") left = this.comparison(left);
      else {
        this.next();
        // `**` is right-associative, and its right operand may have a sign.
        const right = this.expression(op === "**" ? BINDING[op]! - 1 : BINDING[op]!);
        left = { kind: "binary", op, left, right };
      }
    }
    this.depth -= 1;
    return left;
  }

  private comparison(first: Expression): Expression {
    const rest: [string, Expression][] = [];
    while (this.binary === "compare") {
      const op = this.next();
      rest.push([op, this.expression(BINDING.compare!)]);
    }
    return { kind: "compare", first, rest };
  }

  private prefix(): Expression {
    if (this.type === "operator" && /^[-+~]$/.test(this.token)) {
      const op = this.next();
      return { kind: "unary", op, of: this.expression(BINDING.unary!) };
    }
    if (this.type === "name" && this.token === "not") {
      this.next();
      return { kind: "unary", op: "not", of: this.expression(BINDING.not!) };
    }
    return this.postfix(this.atom());
  }

  private atom(): Expression {
    const { type } = this;
    if (type === "operator" && this.token === "(") {
      this.next();
      const inner = this.expression(0);
      this.expect(")");
      return inner;
    }
    const text = this.next();
    if (type === "number") return { kind: "number", value: Number(text), text };
    if (type === "name") return { kind: "name", name: text };
    if (type === "string") return { kind: "string", value: unquote(text) };
    return this.fail();
  }

  private postfix(inner: Expression): Expression {
    let result = inner;
    for (;;) {
      if (this.type !== "operator") return result;
      if (this.token === ".") {
        this.next();
        result = { kind: "attribute", of: result, name: this.name() };
      } else if (this.token === "[") {
        this.next();
        const index = this.expression(0);
        this.expect("]");
        result = { kind: "index", of: result, index };
      } else if (this.token === "(") {
        result = { kind: "call", of: result, args: this.arguments() };
      } else return result;
    }
  }

  /** Keyword arguments, which are sympy's assumptions about a symbol, are ignored. */
  private arguments(): Expression[] {
    const args: Expression[] = [];
    this.expect("(");
    while (this.token !== ")") {
      const argument = this.expression(0);
      if (this.token === "=") {
        this.next();
        this.expression(0);
      } else args.push(argument);
      if (this.token !== ")") this.expect(",");
    }
    this.expect(")");
    return args;
  }
}

const unquote = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, "$1");
