/**
 * Reads Python's pickle, protocols 2 to 5, as data: a stack machine that cannot call anything. A
 * class stays a name, an object of it becomes a placeholder, and a call is refused unless its
 * callable is on the list of those that build plain data.
 *
 * Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
import { CheckpointError } from "../errors.js";
import { OPCODES } from "./opcodes.js";
import type { LoadTask } from "../task.js";
import { type Builders, Global, isStateful, Placeholder } from "./values.js";

/** Nested marks of a valid pickle are a few dozen; Python itself stops near a thousand. */
const MAX_MARKS = 10_000;
/** The largest integer in a valid pickle is a random generator's state. */
const MAX_INTEGER_BYTES = 4096;
const MAX_ARGUMENTS = 64;
/** What is built from a file's values may be at most this many times the size of the file. */
const COPIES = 16;
/** How many opcodes are followed before others have a turn: some milliseconds' work. */
const STEPS = 2 ** 14;

export interface PickleOptions {
  /** For messages. */
  file: string;
  /** The callables that may be called. */
  builders: Builders;
  /** The offset of the pickle. */
  at?: number;
  /** The offset of the bytes in the file, for messages. */
  base?: number;
  /** Resolves a persistent id. */
  persistentLoad?: ((id: unknown) => unknown) | undefined;
  /** Lets others have a turn while the pickle is read. */
  task?: LoadTask | undefined;
}

/** The pickle is cut off: the file may have more of it. */
export class CutOffError extends CheckpointError {}

/** Reads the pickle that begins at `at`, and returns where it ends. */
export async function unpickle(
  bytes: Uint8Array,
  options: PickleOptions,
): Promise<{ value: unknown; end: number }> {
  const machine = new Machine(bytes, options);
  return { value: await machine.run(), end: machine.at };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class Machine {
  at: number;
  readonly memo = new Map<number, unknown>();
  private readonly stack: unknown[] = [];
  private readonly marks: number[] = [];
  private copied = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly options: PickleOptions,
  ) {
    this.at = options.at ?? 0;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async run(): Promise<unknown> {
    let begin = this.at;
    try {
      for (let steps = 1; ; steps += 1, begin = this.at) {
        const turn = steps % STEPS === 0 ? this.options.task?.breathe() : undefined;
        if (turn) await turn;
        const code = this.uint8();
        if (code === 0x2e) return this.pop();
        const step = OPCODES.get(code);
        if (step === undefined) {
          this.fail(`no opcode 0x${code.toString(16)} of protocols 2 to 5`);
        }
        step(this);
      }
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      const ErrorClass = error instanceof CutOffError ? CutOffError : CheckpointError;
      throw new ErrorClass(`cannot read its pickle: ${error.message}`, {
        file: this.options.file,
        offset: (this.options.base ?? 0) + begin,
        cause: error.cause,
      });
    }
  }

  fail(problem: string): never {
    throw new CheckpointError(problem);
  }

  // Reading

  private take(count: number): number {
    const begin = this.at;
    if (count > this.bytes.length - begin) {
      throw new CutOffError(`it is cut off: ${count} more bytes should follow byte ${begin}`);
    }
    this.at += count;
    return begin;
  }

  uint8(): number {
    return this.bytes[this.take(1)]!;
  }

  uint16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  uint64(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }

  /** Only floats are big-endian. */
  float64(): number {
    return this.view.getFloat64(this.take(8), false);
  }

  data(length: number): Uint8Array {
    const begin = this.take(length);
    return this.bytes.subarray(begin, begin + length);
  }

  text(length: number): string {
    const data = this.data(length);
    try {
      return utf8.decode(data);
    } catch {
      return decodeSurrogates(data) ?? this.fail("a string is not valid UTF-8");
    }
  }

  /** A str of Python 2, which was bytes: as UTF-8 if valid, else one character per byte. */
  oldText(length: number): string {
    const data = this.data(length);
    try {
      return utf8.decode(data);
    } catch {
      return toText(data);
    }
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new CutOffError("it is cut off within a name");
    const text = this.text(end - this.at);
    this.at += 1;
    return text;
  }

  /** Little-endian, two's complement. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) this.fail(`an integer of ${length} bytes`);
    const data = this.data(length);
    let hex = "";
    for (const byte of data) hex = byte.toString(16).padStart(2, "0") + hex;
    const value = BigInt.asIntN(length * 8, BigInt(`0x${hex || "0"}`));
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  // The stack

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    this.checkNotEmpty();
    return this.stack.pop();
  }

  top(): unknown {
    this.checkNotEmpty();
    return this.stack.at(-1);
  }

  private checkNotEmpty(): void {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) this.fail("it takes from an empty stack");
  }

  mark(): void {
    if (this.marks.length === MAX_MARKS) this.fail(`it is nested over ${MAX_MARKS} deep`);
    this.marks.push(this.stack.length);
  }

  /** Everything that was pushed since the last mark. */
  popToMark(): unknown[] {
    const begin = this.marks.pop();
    if (begin === undefined) return this.fail("a mark is missing");
    return this.stack.splice(begin);
  }

  /** Drops the top value, or the mark if there is no value above it. */
  drop(): void {
    if (this.marks.at(-1) === this.stack.length) this.marks.pop();
    else this.pop();
  }

  recall(index: number): void {
    if (!this.memo.has(index)) this.fail(`it recalls value ${index}, which it did not keep`);
    this.push(this.memo.get(index));
  }

  // Objects

  addItems(pairs: unknown[]): void {
    const target = this.top();
    const map = target instanceof Placeholder ? target.items : target;
    if (!(map instanceof Map)) return this.fail("it puts keys into what is no dict");
    if (pairs.length % 2 !== 0) this.fail("a dict gets a key without its value");
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  }

  addValues(values: unknown[]): void {
    const target = this.top();
    const list = target instanceof Placeholder ? target.list : target;
    if (!Array.isArray(list)) return this.fail("it appends to what is no list");
    for (const value of values) list.push(value);
  }

  addMembers(values: unknown[]): void {
    const target = this.top();
    if (!(target instanceof Set)) return this.fail("it adds to what is no set");
    for (const value of values) target.add(value);
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") {
      return this.fail("a name that is no string");
    }
    this.push(new Global(PYTHON_2.get(module) ?? module, name));
  }

  /** A new object; the class is not called. */
  create(target: unknown, args: unknown): void {
    if (!(target instanceof Global)) return this.fail("it makes an object of what is no class");
    this.push(new Placeholder(target.path, args));
  }

  call(target: unknown, args: unknown): void {
    if (!(target instanceof Global) || !Array.isArray(args)) {
      return this.fail("it calls what is no function");
    }
    const builder = this.options.builders.get(target.path);
    if (builder === undefined) {
      return this.fail(
        `it calls ${target.path}, which is not on the list of what may be called; a file of ` +
          "torch.save(model.state_dict(), path) needs no such call",
      );
    }
    this.payFor(args);
    this.push(builder(...(args as unknown[])));
  }

  /**
   * Limits what is built: builders copy their arguments, and a pickle can refer to one argument any
   * number of times.
   */
  private payFor(args: unknown[]): void {
    if (args.length > MAX_ARGUMENTS) this.fail(`a call with ${args.length} arguments`);
    for (const value of args) this.copied += sizeOf(value);
    if (this.copied > COPIES * this.bytes.length) this.fail("it repeats its values without end");
  }

  build(state: unknown): void {
    const target = this.top();
    if (target instanceof Placeholder) target.state = state;
    else if (isStateful(target)) target.setState(state);
    else if (target instanceof Global) this.fail(`it sets the state of ${target.path}`);
  }

  persistent(id: unknown): void {
    const { persistentLoad } = this.options;
    if (persistentLoad === undefined) return this.fail("a persistent id where none can be");
    this.push(persistentLoad(id));
  }
}

/** Not TextDecoder's "latin1", which is Windows-1252. */
function toText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Python also writes halves of surrogate pairs, which represent bytes of unusual file names. */
function decodeSurrogates(bytes: Uint8Array): string | null {
  const parts = toText(bytes).split(/(\xed[\xa0-\xbf][\x80-\xbf])/);
  try {
    return parts
      .map((part, i) => {
        const codes = Uint8Array.from(part, (character) => character.charCodeAt(0));
        if (i % 2 === 0) return utf8.decode(codes);
        return String.fromCharCode(0xd000 | ((codes[1]! & 0x3f) << 6) | (codes[2]! & 0x3f));
      })
      .join("");
  } catch {
    return null;
  }
}

function sizeOf(value: unknown): number {
  if (value instanceof Map || value instanceof Set) return value.size;
  if (value instanceof Uint8Array) return value.length;
  return typeof value === "string" || Array.isArray(value) ? value.length : 0;
}

/** The Python 3 names of modules that were renamed. */
const PYTHON_2 = new Map([
  ["__builtin__", "builtins"],
  ["copy_reg", "copyreg"],
  ["torch.tensor", "torch._tensor"],
]);
