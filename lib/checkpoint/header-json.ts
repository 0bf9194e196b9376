/** The nesting limit of safetensors' own parser. */
const MAX_DEPTH = 127;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;

/** Fields that contain only sizes, and fields that must not be repeated. */
const SIZES = new Set(["shape", "data_offsets"]);
const FIELDS = new Set(["dtype", ...SIZES]);
const METADATA = "__metadata__";

/**
 * Parses JSON with limited nesting, because JavaScript's parser takes seconds for extremely nested
 * input.
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
 * Parses the header of a safetensors file by the rules of its own parser. JavaScript's is more
 * lenient: it accepts repeated fields, reads `8.0` as the integer 8, and accepts half of a
 * surrogate pair as text and numbers of any size. Of two tensors with one name the last counts in
 * both.
 *
 * @throws SyntaxError with the position.
 */
export function parseHeaderJson(text: string): unknown {
  if (isPlainHeader(text)) return JSON.parse(text);
  const value = parseFlatJson(text);
  const check = new HeaderCheck();
  eachToken(text, (token, isKey, at) => {
    const problem = check.token(token, isKey);
    if (problem !== null) throw new SyntaxError(`${problem}, at ${at}`);
  });
  return value;
}

/** A tensor as the format's own writer writes it, without its name; sizes are below 10^15. */
const PLAIN =
  /:\{"dtype":"\w+","shape":\[(?:\d{1,15}(?:,\d{1,15})*)?\],"data_offsets":\[\d{1,15},\d{1,15}\]\}(,|\} *$)/y;

/**
 * Whether the header consists of tensors in their usual form, perhaps after the usual metadata:
 * then the slower check below would find nothing.
 */
function isPlainHeader(text: string): boolean {
  if (text.includes("\\")) return false;
  const metadata = '{"__metadata__":{"format":"pt"},';
  for (let at = text.startsWith(metadata) ? metadata.length : 1; ;) {
    if (text.charCodeAt(at) !== QUOTE || text.startsWith(METADATA, at + 1)) return false;
    PLAIN.lastIndex = text.indexOf('"', at + 1) + 1;
    const found = PLAIN.exec(text);
    if (found === null) return false;
    if (found[1] !== ",") return true;
    at = PLAIN.lastIndex;
  }
}

/** A bracket, a number, or a string with its quotes; whether a colon follows; and its position. */
type Visit = (token: string, isKey: boolean, at: number) => void;

/**
 * Visits the tokens of a valid JSON text, except colons, commas and words. (A regular expression
 * would overflow the stack for a string of some megabytes.)
 */
function eachToken(text: string, visit: Visit): void {
  for (let at = 0; at < text.length;) {
    const first = text.charCodeAt(at);
    let end = at + 1;
    if (first === QUOTE) {
      end = endOfString(text, at);
      let next = end;
      while (isSpace(text.charCodeAt(next))) next += 1;
      visit(text.slice(at, end), text[next] === ":", at);
    } else if (first === MINUS || isDigit(first)) {
      while (isInNumber(text.charCodeAt(end))) end += 1;
      visit(text.slice(at, end), false, at);
    } else if (isBracket(first)) visit(text[at]!, false, at);
    at = end;
  }
}

const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** Digits, `+`, `-`, `.`, `e` and `E`. */
const isInNumber = (code: number): boolean =>
  isDigit(code) || code === 0x2b || code === MINUS || code === 0x2e || (code | 0x20) === 0x65;
/** Square and curly brackets, whose codes differ in one bit. */
const isBracket = (code: number): boolean => (code | 0x20) === 0x7b || (code | 0x20) === 0x7d;

/** The position after the closing quote of the string that begins at `begin`. */
function endOfString(text: string, begin: number): number {
  for (let quote = begin; ;) {
    quote = text.indexOf('"', quote + 1);
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
}

class HeaderCheck {
  private depth = 0;
  /** The tensor or metadata entry that is being read; below: its current field. */
  private name = "";
  private field = "";
  /** The fields of the tensor that have been read. */
  private readonly fields = new Set<string>();
  private hasMetadata = false;

  /** What is wrong with a token; null if nothing is. */
  token(token: string, isKey: boolean): string | null {
    const first = token[0]!;
    if ("{[]}".includes(first)) return this.bracket(first);
    if (first === '"') return this.string(token, isKey);
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

  private string(token: string, isKey: boolean): string | null {
    const text = token.includes("\\") ? (JSON.parse(token) as string) : token.slice(1, -1);
    if (/\p{Surrogate}/u.test(text)) return "half a surrogate pair";
    if (!isKey || this.depth > 2) return null;
    return (this.depth === 1 ? this.startName(text) : this.startField(text))
      ? null
      : `the key "${text}" twice`;
  }

  /** Whether a name of a tensor is allowed here, considering the fields before it. */
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
