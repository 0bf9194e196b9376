/** Parses the Python literals that numpy writes into headers, for which Python uses `eval`. */

/** A tuple, as distinct from a list, which is an array. */
export class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** Headers of nested records are only a few levels deep. */
const MAX_DEPTH = 32;

/**
 * str becomes a string, int a number, dict a Map. Python 2 wrote longs with an L.
 *
 * @throws SyntaxError for anything else.
 */
export function parseLiteral(text: string, isPython2 = false): unknown {
  const tokens = tokenize(text);
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const expect = (token: string): void => {
    if (!take(token)) throw new SyntaxError(`'${token}' expected, not ${peek() ?? "the end"}`);
  };

  /** Values separated by commas, up to a closing bracket; and whether there was a comma. */
  const sequence = (close: string, depth: number): { items: unknown[]; hasComma: boolean } => {
    const items: unknown[] = [];
    let hasComma = false;
    while (!take(close)) {
      if (items.length > 0 && !hasComma) expect(",");
      items.push(value(depth + 1));
      hasComma = take(",");
      if (!hasComma && peek() !== close) expect(",");
    }
    return { items, hasComma: hasComma || items.length > 1 };
  };

  const dict = (depth: number): Map<unknown, unknown> => {
    const map = new Map<unknown, unknown>();
    while (!take("}")) {
      const key = value(depth + 1);
      expect(":");
      map.set(key, value(depth + 1));
      if (!take(",") && peek() !== "}") expect(",");
    }
    return map;
  };

  const value = (depth: number): unknown => {
    if (depth > MAX_DEPTH) throw new SyntaxError("it is nested too deep");
    if (take("{")) return dict(depth);
    if (take("[")) return sequence("]", depth).items;
    if (take("(")) {
      const { items, hasComma } = sequence(")", depth);
      return items.length === 1 && !hasComma ? items[0] : new Tuple(items);
    }
    const token = tokens[at++];
    if (token === undefined) throw new SyntaxError("it ends too early");
    if (Object.hasOwn(WORDS, token)) return WORDS[token as keyof typeof WORDS];
    if (isString(token)) {
      let text = unquote(token);
      while (isString(peek())) text += unquote(tokens[at++]!);
      return text;
    }
    const isNumber = /^[-+]?\s*\d/.test(token) && (isPython2 || !token.endsWith("L"));
    if (isNumber) return toNumber(token);
    throw new SyntaxError(`${token} is no literal`);
  };

  const result = value(0);
  if (at < tokens.length) throw new SyntaxError(`${peek()} follows its end`);
  return result;
}

const WORDS = { True: true, False: false, None: null } as const;

const isString = (token: string | undefined): boolean => /^[uUrR]?['"]/.test(token ?? "");

/** Converts a number; zero has no sign. */
function toNumber(token: string): number {
  const [, sign, digits] = /^([-+]?)\s*([\w]+?)L?$/.exec(token)!;
  const size = Number(digits!.replaceAll("_", "").toLowerCase());
  return sign === "-" && size !== 0 ? -size : size;
}

/**
 * Strings, numbers, words and punctuation; spaces, comments and line continuations separate them.
 */
const TOKEN =
  /(?:[ \t\n\r\f]|\\\r?\n|#[^\n]*(?:\n|$))*([uUrR]?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|[-+]?[ \t]*(?:0(?:_?0)*|[1-9](?:_?\d)*|0x(?:_?[\da-f])+|0o(?:_?[0-7])+|0b(?:_?[01])+)L?(?![\w.])|[A-Za-z_]\w*|[{}[\]():,]|$)/iy;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const token = new RegExp(TOKEN);
  for (;;) {
    const from = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw new SyntaxError(`${JSON.stringify(text.slice(from, from + 20))} is unknown`);
    if (found[1] === "") return tokens;
    tokens.push(found[1]!);
  }
}

function unquote(token: string): string {
  const isRaw = /^r/i.test(token);
  const text = token.replace(/^[ur]/i, "").slice(1, -1);
  if (isRaw) return text;
  const escape = /\\(?:([\\'"])|x([\da-f]{2})|u([\da-f]{4})|(.))/gi;
  return text.replace(escape, (whole, plain?: string, byte?: string, code?: string) => {
    if (plain !== undefined) return plain;
    const hex = byte ?? code;
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    throw new SyntaxError(`the escape ${whole} is not read`);
  });
}
