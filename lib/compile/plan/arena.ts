import type { Heap } from "../../kernels/cpu/index.js";
import type { Block } from "./value.js";

/** Kernels may read this many bytes past the end of a block. */
const SLACK = 128;
const ALIGNMENT = 64;

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

interface Place {
  block: Block;
  first: number;
  last: number;
  start: number;
  end: number;
}

/**
 * The block whose memory this one uses: its own, or that of the block at the end of its `heir`
 * chain.
 */
function ownerOf(block: Block): Block {
  return block.heir === null ? block : ownerOf(block.heir);
}

/**
 * Gives each block an address such that blocks needed at the same time do not overlap: the largest
 * first, each at the lowest address that is free during its lifetime.
 *
 * @returns the total size in bytes; addresses count from 0.
 */
export function layOut(blocks: readonly Block[]): number {
  const owners = new Map<Block, { first: number; last: number; bytes: number }>();
  for (const block of blocks) {
    const owner = ownerOf(block);
    const life = owners.get(owner) ?? { first: Infinity, last: -1, bytes: 0 };
    life.first = Math.min(life.first, block.first);
    life.last = Math.max(life.last, block.last);
    life.bytes = Math.max(life.bytes, block.bytes);
    owners.set(owner, life);
  }
  const placed: Place[] = []; // sorted by their start
  const sorted = [...owners].sort(([, a], [, b]) => b.bytes - a.bytes);
  for (const [block, { first, last, bytes }] of sorted) {
    const size = align(bytes + SLACK);
    let start = 0;
    for (const other of placed) {
      if (other.last < first || other.first > last) continue;
      if (start + size <= other.start) break;
      start = Math.max(start, other.end);
    }
    const place = { block, first, last, start, end: start + size };
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, place);
    block.address = start;
  }
  for (const block of blocks) block.address = ownerOf(block).address;
  return placed.reduce((most, { end }) => Math.max(most, end), 0);
}

/** The working memory that all plans of a model share, one after the other. */
export class Arena {
  private address = 0;
  private bytes = 0;
  /** Rises whenever the memory has moved. */
  version = 0;

  constructor(private readonly heap: Heap) {}

  /** The address of at least this many bytes. */
  reserve(bytes: number): number {
    if (bytes <= this.bytes) return this.address;
    if (this.bytes > 0) this.heap.free(this.address);
    this.bytes = 0; // in case the allocation below fails
    this.address = this.heap.alloc(bytes);
    this.bytes = bytes;
    this.version += 1;
    return this.address;
  }
}
