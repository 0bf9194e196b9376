import type { Stats } from "node:fs";
import { node } from "../node.js";

/**
 * A file that is open, in Node. By callbacks: each promise of `node:fs/promises` comes with a buffer of
 * its own, and V8 collects garbage for milliseconds at every one that is made after a large one.
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

  /** Reads into the target what lies from there on; gives how many bytes came, 0 at the end. */
  read(target: Uint8Array, position: number): Promise<number> {
    const { length } = target;
    return this.during(
      called<number>((done) => node.files().read(this.fd, target, 0, length, position, done)),
    );
  }

  /** After what has been begun: another file may get its number then. */
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
