import type { Memory } from "../../lib/eager/memory.js";
import {
  type Build,
  createHeap,
  type Heap,
  supports,
  loadFallback,
} from "../../lib/kernels/cpu/index.js";

/** The builds of the kernels that run here. */
export const BUILDS: readonly Build[] = (["fma", "simd", "js"] as const).filter(supports);

/** Declares the same specs once for each build, with a heap of its own. */
export function onEveryBuild(title: string, specs: (heap: () => Heap, build: Build) => void): void {
  for (const build of BUILDS) {
    describe(`${title}, ${build} kernels`, () => {
      let heap: Heap;
      before(async () => {
        if (build === "js") await loadFallback();
        heap = createHeap({ build });
      });
      after(() => heap.dispose());
      specs(() => heap, build);
    });
  }
}

/** Float32 numbers from -2 to 2 that depend on the seed alone. */
export function randomNumbers(length: number, seed = 1): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 4 - 2;
  });
}

/** The bytes that are allocated in a heap. */
export const usedOf = ({ allocator }: Heap): number =>
  [...(allocator?.sizes.values() ?? [])].reduce((sum, size) => sum + size, 0);

/** A copy of what is at an address of a heap. */
export const readFrom = ({ f32 }: Heap, address: number, length: number): Float32Array =>
  f32.slice(address >>> 2, (address >>> 2) + length);

/** Runs something with blocks of a heap, and frees them; checks that nothing else was allocated. */
export function withBlocks<T>(heap: Heap, run: (blocks: Blocks) => T): T {
  const before = usedOf(heap);
  const blocks = new Blocks(heap);
  const result = run(blocks);
  blocks.free();
  if (usedOf(heap) !== before) throw new Error(`${usedOf(heap) - before} bytes were not freed`);
  return result;
}

/** What is written before and after a block, to see whether a kernel writes outside of it. */
const GUARD = 12345.678;
const GUARDS = 16;

export class Blocks {
  private readonly addresses: number[] = [];
  private readonly guarded: { address: number; length: number }[] = [];

  constructor(private readonly heap: Heap) {}

  put(values: ArrayLike<number>): number {
    const address = this.heap.put(values);
    this.addresses.push(address);
    return address;
  }
  /** Bytes full of NaN, so that a kernel which reads what it did not write is found out; with guards. */
  scratch(bytes: number): number {
    return this.out(Math.ceil(bytes / 4));
  }
  /** A block to write to, with guards around it. */
  out(length: number): number {
    const guarded = new Float32Array(length + 2 * GUARDS).fill(GUARD);
    const address = this.put(guarded.fill(NaN, GUARDS, GUARDS + length)) + GUARDS * 4;
    this.guarded.push({ address, length });
    return address;
  }
  /** What is in a block made by `out`; fails if something was written around it. */
  read(address: number): Float32Array {
    const { length } = this.guarded.find((block) => block.address === address)!;
    const all = readFrom(this.heap, address - GUARDS * 4, length + 2 * GUARDS);
    const around = [...all.subarray(0, GUARDS), ...all.subarray(GUARDS + length)];
    const guard = Math.fround(GUARD);
    if (around.some((value) => value !== guard))
      throw new Error("a kernel wrote outside its block");
    return all.slice(GUARDS, GUARDS + length);
  }
  /** Fails likewise. */
  free(): void {
    for (const { address } of this.guarded) this.read(address);
    for (const address of this.addresses) this.heap.free(address);
  }
}

/** How many packed forms of weights a backend's memory keeps. */
export const keptBy = ({ packed }: Memory): number =>
  [...packed.values()].reduce((sum, forms) => sum + forms.size, 0);
