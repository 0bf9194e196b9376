/** As deep as the parser of safetensors itself goes. */
const MAX_DEPTH = 127;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Fields that hold nothing but sizes, and those whose repetition is an error. */
const SIZES = new Set(["shape", "data_offsets"]);
const FIELDS = new Set(["dtype", ...SIZES]);
const METADATA = "__metadata__";

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
 * The header of a safetensors file as its own parser takes it: of two tensors of one name the last
 * counts, as in JavaScript's, but JavaScript's takes a field twice, reads `8.0` as the integer 8, and
 * takes half a surrogate pair for text and a number of any size.
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
  /** What is being read: a tensor or the metadata, and which field of it. */
  private name = "";
  private field = "";
  /** The fields of the tensor that came so far. */
  private readonly fields = new Set<string>();
  private hasMetadata = false;

  /** What is wrong with it, null if nothing is. */
  token(token: string, colon: string | undefined): string | null {
    const first = token[0]!;
    if ("{[]}".includes(first)) return this.bracket(first);
    if (first === '"') return this.string(token, colon);
    if (!Number.isFinite(Number(token))) return `${token.slice(0, 20)}, a number out of range`;
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
    return (this.depth === 1 ? this.startName(text) : this.startField(text))
      ? null
      : `the key "${text}" twice`;
  }

  /** Whether it may come now, as for fields. */
  private startName(name: string): boolean {
    this.name = name;
    if (name !== METADATA) return true;
    const isFirst = !this.hasMetadata;
    this.hasMetadata = true;
    return isFirst;
  }

  private startField(field: string): boolean {
    this.field = field;
    const isNew = this.name === METADATA || !FIELDS.has(field) || !this.fields.has(field);
    this.fields.add(field);
    return isNew;
  }
}
