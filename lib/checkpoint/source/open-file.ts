import type { Stats } from "node:fs";
import { node } from "../node.js";

/**
 * An open file in Node, with callbacks: with `node:fs/promises`, each promise comes with a buffer
 * of its own, and V8 spends milliseconds on garbage collection for each one made after a large one.
 */
export class OpenFile {
  private readonly pending = new Set<Promise<unknown>>();

  private constructor(private readonly fd: number) {}

  static async open(path: string, flags: number): Promise<OpenFile> {
    return new OpenFile(await called<number>((done) => node.files().open(path, flags, done)));
  }

  stat(): Promise<Stats> {
    return this.during(called<Stats>((done) => node.files().fstat(this.fd, done)));
  }

  /**
   * Reads into the target from a position on; returns the number of bytes, 0 at the end of the
   * file.
   */
  read(target: Uint8Array, position: number): Promise<number> {
    const { length } = target;
    return this.during(
      called<number>((done) => node.files().read(this.fd, target, 0, length, position, done)),
    );
  }

  /** Waits for reads under way: after closing, another file may get the same descriptor. */
  async close(): Promise<void> {
    await Promise.allSettled(this.pending);
    await called<void>((done) => node.files().close(this.fd, done));
  }

  private during<T>(work: Promise<T>): Promise<T> {
    this.pending.add(work);
    const end = (): void => void this.pending.delete(work);
    work.then(end, end);
    return work;
  }
}

type Done<T> = (error: Error | null | undefined, result: T) => void;

function called<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
