/** Allocates blocks of a heap: first fit in a sorted list of gaps; adjacent gaps are merged. */

/** Kernels work on vectors: they may read (never write) this many bytes past the end of a block. */
export const SLACK = 128;
const ALIGNMENT = 64;

interface Gap {
  start: number;
  end: number;
}

export class Allocator {
  private readonly gaps: Gap[] = [];
  /** The size of each block by its address, including alignment and slack. */
  readonly sizes = new Map<number, number>();
  private top: number;

  /** The first block begins at `base`; `grow(bytes)` must make the heap at least so large. */
  constructor(
    base: number,
    private readonly grow: (bytes: number) => void,
  ) {
    this.top = align(base);
  }

  alloc(bytes: number): number {
    if (!(bytes >= 0)) throw new RangeError(`heap: cannot allocate ${bytes} bytes`);
    const size = align(Math.ceil(bytes) + SLACK);
    const index = this.gaps.findIndex(({ start, end }) => end - start >= size);
    const gap = this.gaps[index];
    let start = this.top;
    if (gap) {
      start = gap.start;
      gap.start += size;
      if (gap.start === gap.end) this.gaps.splice(index, 1);
    } else {
      this.grow(start + size);
      this.top = start + size;
    }
    this.sizes.set(start, size);
    return start;
  }

  free(start: number): void {
    const size = this.sizes.get(start);
    if (size === undefined) throw new RangeError(`heap: no block at ${start}`);
    this.sizes.delete(start);
    let at = this.gaps.findIndex((gap) => gap.start > start);
    if (at < 0) at = this.gaps.length;
    this.gaps.splice(at, 0, { start, end: start + size });
    this.join(at);
    this.join(at - 1);
    const last = this.gaps.at(-1);
    if (last?.end === this.top) {
      this.top = last.start;
      this.gaps.pop();
    }
  }

  /** Merges the gap at an index with the next one if they touch. */
  private join(index: number): void {
    const [left, right] = [this.gaps[index], this.gaps[index + 1]];
    if (!left || left.end !== right?.start) return;
    left.end = right.end;
    this.gaps.splice(index + 1, 1);
  }
}

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
