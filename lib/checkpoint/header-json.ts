/** As deep as the parser of safetensors itself goes. */
const MAX_DEPTH = 127;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;

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
  if (isPlainHeader(text)) return JSON.parse(text);
  const value = parseFlatJson(text);
  const check = new HeaderCheck();
  eachToken(text, (token, isKey, at) => {
    const problem = check.token(token, isKey);
    if (problem !== null) throw new SyntaxError(`${problem}, at ${at}`);
  });
  return value;
}

/** A tensor as the format's own writer puts it, behind its name; sizes are below 10^15. */
const PLAIN =
  /:\{"dtype":"\w+","shape":\[(?:\d{1,15}(?:,\d{1,15})*)?\],"data_offsets":\[\d{1,15},\d{1,15}\]\}(,|\} *$)/y;

/**
 * Whether there is nothing in it but tensors as they are mostly written, and before them the metadata
 * that most have: then there is nothing that the check below would find.
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

/** A bracket, a number, or a string with its quotes; whether a colon follows; and where it is. */
type Visit = (token: string, isKey: boolean, at: number) => void;

/**
 * Goes through what a valid JSON text consists of, but for colons, commas and words. A regular
 * expression would run out of stack in a string of some megabytes.
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
/** Square and curly ones, whose codes differ in one bit. */
const isBracket = (code: number): boolean => (code | 0x20) === 0x7b || (code | 0x20) === 0x7d;

/** Behind the quote that ends what one at `begin` began. */
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
  /** What is being read: a tensor or the metadata, and which field of it. */
  private name = "";
  private field = "";
  /** The fields of the tensor that came so far. */
  private readonly fields = new Set<string>();
  private hasMetadata = false;

  /** What is wrong with it, null if nothing is. */
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
