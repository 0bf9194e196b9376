/** As deep as the parser of safetensors itself goes. */
const MAX_DEPTH = 127;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Fields whose repetition is an error, and that hold nothing but sizes. */
const SIZES = new Set(["shape", "data_offsets"]);
const FIELDS = new Set(["dtype", ...SIZES]);

/**
 * JSON that is not nested without end: to build that takes JavaScript's parser seconds.
 *
 * @throws SyntaxError with the position.
 */
export function parseFlatJson(text: string): unknown {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) isString = false;
    } else if (code === QUOTE) isString = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) throw new SyntaxError(`it is nested too deep, at ${at}`);
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return JSON.parse(text);
}

/**
 * The header of a safetensors file as its own parser takes it. JavaScript's lets the last of two
 * equal keys win, reads `8.0` as the integer 8, and takes half a surrogate pair for text.
 *
 * @throws SyntaxError with the position.
 */
export function parseHeaderJson(text: string): unknown {
  const value = parseFlatJson(text);
  const check = new HeaderCheck();
  // The text is valid JSON by now, so its tokens can be told apart by their first character.
  const tokens = /"(?:[^"\\]|\\.)*"([ \t\n\r]*:)?|[{}[\]]|-?\d[\d.eE+-]*/g;
  for (const match of text.matchAll(tokens)) {
    const [token, colon] = match;
    const problem = check.token(token, colon);
    if (problem !== null) throw new SyntaxError(`${problem}, at ${match.index}`);
  }
  return value;
}

class HeaderCheck {
  private depth = 0;
  /** The names of the tensors, and the fields of the one that is being read. */
  private readonly names = new Set<string>();
  private readonly fields = new Set<string>();
  private field = "";

  /** What is wrong with it, null if nothing is. */
  token(token: string, colon: string | undefined): string | null {
    const first = token[0]!;
    if ("{[]}".includes(first)) return this.bracket(first);
    if (first === '"') return this.string(token, colon);
    const isSize = this.depth === 3 && SIZES.has(this.field);
    return isSize && !/^\d+$/.test(token) ? `${token}, which is no non-negative integer` : null;
  }

  private bracket(bracket: string): null {
    const isOpening = bracket === "{" || bracket === "[";
    this.depth += isOpening ? 1 : -1;
    if (isOpening && this.depth === 2) this.fields.clear();
    return null;
  }

  private string(token: string, colon: string | undefined): string | null {
    const raw = colon === undefined ? token : token.slice(0, -colon.length);
    const text = raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
    if (/\p{Surrogate}/u.test(text)) return "half a surrogate pair";
    if (colon === undefined || this.depth > 2) return null;
    if (this.depth === 2) this.field = text;
    const seen = this.depth === 1 ? this.names : this.fields;
    const counts = this.depth === 1 || FIELDS.has(text);
    if (counts && seen.has(text)) return `the key "${text}" twice`;
    seen.add(text);
    return null;
  }
}
