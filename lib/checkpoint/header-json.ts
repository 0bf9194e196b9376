/** As deep as the parser of safetensors itself goes. */
const MAX_DEPTH = 127;

/** Fields whose repetition is an error, and that hold nothing but sizes. */
const SIZES = new Set(["shape", "data_offsets"]);
const FIELDS = new Set(["dtype", ...SIZES]);

/**
 * The header of a safetensors file as its own parser takes it. JavaScript's lets the last of two
 * equal keys win, reads `8.0` as the integer 8, and takes half a surrogate pair for text.
 *
 * @throws SyntaxError with the position.
 */
export function parseHeaderJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
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
    if (first === "{" || first === "[") return this.open();
    if (first === "}" || first === "]") {
      this.depth -= 1;
      return null;
    }
    if (first === '"') return this.string(token, colon);
    const isSize = this.depth === 3 && SIZES.has(this.field);
    return isSize && !/^\d+$/.test(token) ? `${token}, which is no non-negative integer` : null;
  }

  private open(): string | null {
    this.depth += 1;
    if (this.depth === 2) this.fields.clear();
    return this.depth > MAX_DEPTH ? "it is nested too deep" : null;
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
