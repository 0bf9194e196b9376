/** Reads sequentially in a part of a file that contains pickles and raw numbers. */
import type { ByteSource } from "../byte-source.js";
import { CheckpointError } from "../errors.js";
import { CutOffError, unpickle } from "../pickle/machine.js";
import { TORCH_BUILDERS } from "./rebuild.js";

/** The size of reads; most pickles fit into one. */
const WINDOW = 65536;
const PICKLE = 512;

export class Cursor {
  private window: { begin: number; bytes: Uint8Array } = { begin: 0, bytes: new Uint8Array() };

  constructor(
    readonly file: ByteSource,
    /** The position in the file; below: the end of the part. */
    public at: number,
    private readonly end: number,
  ) {}

  async unpickle(persistentLoad?: (id: unknown) => unknown): Promise<unknown> {
    const { name, task } = this.file;
    for (let count = PICKLE; ; count *= 8) {
      const bytes = await this.peek(count);
      const options = { file: name, base: this.at, builders: TORCH_BUILDERS, persistentLoad, task };
      try {
        const { value, end } = await unpickle(bytes, options);
        this.at += end;
        return value;
      } catch (error) {
        if (!(error instanceof CutOffError) || this.at + bytes.length >= this.end) throw error;
      }
    }
  }

  /** A pickled tuple, or list of tuples. */
  async unpickleArray(): Promise<unknown[]> {
    const value = await this.unpickle();
    return Array.isArray(value) ? (value as unknown[]) : this.fail("a tuple is missing");
  }

  async count(): Promise<number> {
    const value = await this.unpickle();
    return typeof value === "number" ? value : this.fail("a count is missing");
  }

  async int64s(count: number): Promise<number[]> {
    const numbers = await this.peekInt64s(count);
    this.at += 8 * count;
    return numbers;
  }

  /** The next numbers, without advancing. */
  async peekInt64s(count: number): Promise<number[]> {
    if (!(count >= 0)) this.fail(`it has ${count} numbers`);
    const bytes = await this.peek(8 * count);
    if (bytes.length < 8 * count) this.fail("it is cut off");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  }

  fail(problem: string): never {
    throw new CheckpointError(problem, { file: this.file.name, offset: this.at });
  }

  /** The next bytes: at least `count`, or all that are left. */
  private async peek(count: number): Promise<Uint8Array> {
    const length = Math.min(count, this.end - this.at);
    const offset = this.at - this.window.begin;
    if (offset < 0 || offset + length > this.window.bytes.length) {
      const end = Math.min(this.end, this.at + Math.max(length, WINDOW));
      this.window = { begin: this.at, bytes: await this.file.read(this.at, end) };
    }
    return this.window.bytes.subarray(this.at - this.window.begin);
  }
}
