/** The memory that kernels work in, with its allocator and the functions compiled for it. */
import { Allocator } from "./allocator.js";
import { bestBuild, type Build, supports } from "./build.js";
import { type Emitted, ModuleBuilder } from "./wasm/module.js";

/**
 * Address 0 stands for "absent". One page before and one behind all blocks are reserved, because
 * kernels may read past the ends.
 */
const PAGE = 65536;
/** A shared memory reserves address space for its maximum: 2 GB. */
const SHARED_PAGES = 32768;
const MAX_BYTES = 4 * 1024 ** 3 - PAGE;
const PIECE_BYTES = 128 * 1024;

export interface HeapOptions {
  /** The initial size in bytes; the heap grows as needed. */
  bytes?: number;
  /** Whether threads may share it. */
  shared?: boolean;
  /** Which build of the kernels to run, the best one by default. */
  build?: Build;
  /** A memory that somebody else manages; this heap cannot allocate blocks in it then. */
  memory?: WebAssembly.Memory;
}

type Run = (...args: number[]) => void;

/** One call of a compiled function, as it is recorded. */
export interface Call {
  module: number;
  args: number[];
  call: Run;
}

interface Compiled extends Emitted {
  code: WebAssembly.Module;
}

/**
 * Compiled modules by their keys. Code does not depend on the heap, so that a later heap finds it
 * already optimised.
 */
const modules = new Map<string, Compiled>();
/** There is no limit to different chains of arithmetic; the oldest modules are dropped. */
const MOST_MODULES = 256;

function compiled(name: string, emit: () => Emitted): Compiled {
  const known = modules.get(name);
  if (known !== undefined) return known;
  const emitted = emit();
  const made = { ...emitted, code: new WebAssembly.Module(emitted.bytes) };
  modules.set(name, made);
  if (modules.size > MOST_MODULES) modules.delete(modules.keys().next().value!);
  return made;
}

export class Heap {
  readonly build: Build;
  /** Absent where there is no WebAssembly. */
  readonly memory: WebAssembly.Memory | undefined;
  readonly shared: boolean;
  /** Absent if somebody else manages the memory. */
  allocator: Allocator | undefined;
  private readonly libraries = new Map<string, unknown>();
  private plainBuffer = new ArrayBuffer(0);
  private views: { f32: Float32Array; i32: Int32Array; u8: Uint8Array } | undefined;
  /** Receives calls while they are recorded instead of made, see `record.ts`. */
  recorded: Call[] | undefined;
  /** The modules compiled for this heap, and where other threads find their bytes in it. */
  readonly modules: (Emitted & { address?: number })[] = [];

  constructor({ bytes = PAGE, shared = false, build = bestBuild(), memory }: HeapOptions = {}) {
    if (!supports(build)) throw new Error(`heap: this engine has no ${build}`);
    this.build = build;
    this.shared = shared;
    if (!memory) this.allocator = new Allocator(PAGE, (size) => this.grow(size + PAGE));
    const initial = Math.ceil(Math.max(bytes, PAGE) / PAGE);
    if (memory) this.memory = memory;
    else if (shared) {
      this.memory = new WebAssembly.Memory({ initial, maximum: SHARED_PAGES, shared });
    } else if (typeof WebAssembly === "object") this.memory = new WebAssembly.Memory({ initial });
    else this.plainBuffer = new ArrayBuffer(initial * PAGE);
  }

  /** The whole memory as floats. The view is replaced when the memory grows, so do not keep it. */
  get f32(): Float32Array {
    return this.current().f32;
  }
  get i32(): Int32Array {
    return this.current().i32;
  }
  get u8(): Uint8Array {
    return this.current().u8;
  }
  /** The size of the memory in bytes; it never shrinks. */
  get bytes(): number {
    return this.buffer.byteLength;
  }

  /** Allocates a block and returns its address; its contents are arbitrary. */
  alloc(bytes: number): number {
    if (!this.allocator) throw new Error("heap: it cannot allocate");
    return this.allocator.alloc(bytes);
  }
  free(address: number): void {
    this.allocator?.free(address);
  }

  /** Allocates a block and writes numbers into it. */
  put(values: ArrayLike<number>): number {
    const address = this.alloc(values.length * 4);
    this.f32.set(values, address >>> 2);
    return address;
  }
  /**
   * Copies rows of numbers into the heap piece by piece; each piece is there only while the
   * callback runs. A piece stays in the cache, where all rows at once would need fresh memory.
   *
   * @param write - Writes `count` rows, from row `first` on, into an array from index `at` on.
   * @param grain - The number of rows in a piece is a multiple of this.
   */
  inPieces(
    write: (first: number, count: number, to: Float32Array, at: number) => void,
    { rows, row, grain }: { rows: number; row: number; grain: number },
    use: (piece: number, first: number, count: number) => void,
  ): void {
    const most = Math.max(1, Math.floor(PIECE_BYTES / (grain * row * 4))) * grain;
    const piece = this.alloc(Math.min(most, rows) * row * 4);
    for (let first = 0; first < rows; first += most) {
      const count = Math.min(most, rows - first);
      write(first, count, this.f32, piece >>> 2);
      use(piece, first, count);
    }
    this.free(piece);
  }

  /** Drops the memory and everything compiled for it. */
  dispose(): void {
    this.allocator = undefined;
    this.libraries.clear();
    this.views = undefined;
    this.plainBuffer = new ArrayBuffer(0);
    (this as { memory: WebAssembly.Memory | undefined }).memory = undefined;
  }

  /**
   * The functions of a family, each of which is compiled at its first call.
   *
   * @param key - Identifies the family and everything that its code depends on.
   * @param emit - Emits the functions as WebAssembly.
   * @param fallback - The same functions in JavaScript, for the same addresses and layouts.
   */
  library<T extends object>(
    key: string,
    emit: (module: ModuleBuilder) => void,
    fallback: (heap: Heap) => T,
  ): T {
    let library = this.libraries.get(key) as T | undefined;
    if (!library) {
      library = this.build === "js" ? fallback(this) : this.inWasm<T>(key, emit);
      this.libraries.set(key, library);
    }
    return library;
  }

  private inWasm<T>(key: string, emit: (module: ModuleBuilder) => void): T {
    const { build, shared } = this;
    const sharedPages = shared ? SHARED_PAGES : undefined;
    const family = new ModuleBuilder({ fma: build === "fma", sharedPages });
    emit(family);
    const functions = [...family.functions].map(([name, one]): [string, Run] => [
      name,
      this.onDemand(`${build} ${shared} ${key} ${name}`, one),
    ]);
    return Object.fromEntries(functions) as T;
  }

  private onDemand(name: string, emit: () => Emitted): Run {
    let known: Omit<Call, "args"> | null = null;
    return (...args) => {
      const { module, call } = (known ??= this.instantiate(name, emit));
      if (this.recorded) this.recorded.push({ module, args, call });
      else call(...args);
    };
  }

  private instantiate(name: string, emit: () => Emitted): Omit<Call, "args"> {
    const { code, ...emitted } = compiled(name, emit);
    const { exports } = new WebAssembly.Instance(code, {
      env: { memory: this.memory! },
      math: Math as unknown as WebAssembly.ModuleImports,
    });
    return { module: this.modules.push(emitted) - 1, call: exports[""] as Run };
  }

  private growMemory(wanted: number, needed: number): void {
    try {
      this.memory!.grow(wanted);
    } catch {
      this.memory!.grow(needed);
    }
  }

  private get buffer(): ArrayBufferLike {
    return this.memory?.buffer ?? this.plainBuffer;
  }

  private current(): { f32: Float32Array; i32: Int32Array; u8: Uint8Array } {
    const { buffer } = this;
    if (this.views?.u8.buffer !== buffer) {
      this.views = {
        f32: new Float32Array(buffer),
        i32: new Int32Array(buffer),
        u8: new Uint8Array(buffer),
      };
    }
    return this.views;
  }

  private grow(size: number): void {
    const missing = size - this.bytes;
    if (missing <= 0) return;
    if (size > MAX_BYTES) throw new RangeError(`heap: ${size} bytes are more than its 4 GB`);
    // Grows by more than is missing, because growing takes time, and untouched memory costs
    // nothing.
    const most = (this.shared ? SHARED_PAGES * PAGE : MAX_BYTES) - this.bytes;
    const wanted = Math.max(missing, Math.min(this.bytes >>> 1, most));
    if (this.memory) this.growMemory(Math.ceil(wanted / PAGE), Math.ceil(missing / PAGE));
    else {
      const buffer = new ArrayBuffer(Math.ceil(size / PAGE) * PAGE);
      new Uint8Array(buffer).set(new Uint8Array(this.plainBuffer));
      this.plainBuffer = buffer;
    }
  }
}

/** Whether memory can be shared here: in browsers only on pages that are cross-origin isolated. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined" || typeof WebAssembly === "undefined") return false;
  return typeof document === "undefined" || globalThis.crossOriginIsolated;
}

/** Makes a heap, which the caller has to dispose. */
export function createHeap(options?: HeapOptions): Heap {
  return new Heap(options);
}
