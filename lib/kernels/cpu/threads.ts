/**
 * Several threads on one heap. A program is recorded once, as the calls that each thread makes of
 * functions that are WebAssembly; the workers replay it. So a worker needs nothing of this library
 * but the few lines below, and no file of its own that a bundler would have to find.
 */
import type NodeThreads from "node:worker_threads";
import type { Call, Heap } from "./heap.js";
import { record } from "./record.js";
import { WORKER_SOURCE } from "./worker-source.js";

/** One step of a program: the threads meet after each. */
export interface ThreadStep {
  run: (part: number, parts: number) => void;
  /** Whether it works in JavaScript, on this thread alone: `Kernel.onOneThread`. */
  onOneThread?: boolean;
}

/** A recorded program. */
export interface ThreadProgram {
  /** Runs it on all threads; returns when all are done. */
  run: () => void;
  /** Frees what the workers know of it. */
  dispose: () => void;
}

/** Places in the control block, in int32; apart, so that they do not share a cache line. */
const ARRIVED = 0;
const JOB = 16;
const PROGRAM = 17;
const ADDRESSES = 32;
const MAX_THREADS = 32;

/** How often to look before going to sleep: some microseconds. */
const SPINS = 2000;
const SLEEP_MS = 5;

interface Crew {
  post: (message: object) => void;
  end: () => void;
  ready: Promise<void>;
}

function hireInNode({ Worker }: typeof NodeThreads): Crew {
  const worker = new Worker(
    `require("node:worker_threads").parentPort.once("message", (data) => {
      (${WORKER_SOURCE})(data, (message) => require("node:worker_threads").parentPort.postMessage(message));
    });`,
    { eval: true, execArgv: [] },
  );
  const ready = new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  return {
    post: (message) => worker.postMessage(message),
    end: () => void worker.terminate(),
    ready: ready.then(() => worker.unref()),
  };
}

function hireInBrowser(): Crew {
  const source = `onmessage = ({ data }) => (${WORKER_SOURCE})(data, postMessage);`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = ({ message }) => reject(new Error(message || "the worker did not start"));
  });
  return {
    post: (message) => worker.postMessage(message),
    end: () => worker.terminate(),
    ready: ready.finally(() => URL.revokeObjectURL(url)),
  };
}

/** Workers that share a heap with this thread. */
export class Threads {
  private readonly state: Int32Array;
  private readonly canSleep: boolean;
  private barriers = 0;
  private programs = 0;
  private isEnded = false;

  private constructor(
    private readonly heap: Heap,
    private readonly control: number,
    private readonly crew: readonly Crew[],
  ) {
    this.state = new Int32Array(heap.memory!.buffer, control, ADDRESSES + MAX_THREADS);
    this.canSleep = maySleep(this.state);
  }

  /** How many threads there are, this one included. */
  get count(): number {
    return this.crew.length + 1;
  }

  /**
   * Starts workers on a shared heap.
   * @param wanted - Threads in all, this one included: at least 2. There are 32 at most.
   * @returns `null` where there can be none: no shared memory, or workers are forbidden.
   */
  static async start(heap: Heap, wanted: number): Promise<Threads | null> {
    const count = Math.min(wanted, MAX_THREADS);
    if (!heap.shared || heap.build === "js" || !heap.memory) return null;
    const crew: Crew[] = [];
    try {
      const control = heap.alloc((ADDRESSES + MAX_THREADS) * 4);
      heap.i32.fill(0, control >>> 2, (control >>> 2) + ADDRESSES + MAX_THREADS);
      // Bun and Deno have a page's workers as well, but theirs keep a process alive, or must be modules.
      const isPage = typeof document === "object" && typeof Worker === "function";
      // No import: bundlers for browsers would look for the module.
      const node = isPage ? undefined : globalThis.process;
      const ofNode = node?.getBuiltinModule?.("node:worker_threads");
      for (let thread = 1; thread < count; thread += 1) {
        const one = ofNode ? hireInNode(ofNode) : hireInBrowser();
        crew.push(one);
        one.post({ memory: heap.memory, control, thread, count, spins: SPINS, sleep: SLEEP_MS });
      }
      await Promise.all(crew.map(({ ready }) => ready));
      return new Threads(heap, control, crew);
    } catch {
      for (const { end } of crew) end();
      return null;
    }
  }

  /** Records a program: what each step calls on each thread. */
  program(steps: readonly ThreadStep[]): ThreadProgram {
    const { count, heap } = this;
    const perThread = Array.from({ length: count }, (_, part): Call[][] =>
      steps.map(({ run, onOneThread }) =>
        onOneThread ? [] : record(heap, () => run(part, count)),
      ),
    );
    const mine = steps.map(({ run, onOneThread }, i) => {
      if (onOneThread) return () => run(0, 1);
      const calls = perThread[0]![i]!.map(({ call, args }) => ({ call, args }));
      return () => {
        for (const { call, args } of calls) call(...args);
      };
    });
    const addresses = perThread.slice(1).map((calls) => putDoubles(heap, encode(heap, calls)));
    this.programs += 1;
    const id = this.programs;
    return {
      run: () => {
        if (mine.length === 0) return; // nobody would wait for those who come late to it
        this.send(id, addresses);
        let failure: { error: unknown } | null = null;
        for (const step of mine) {
          try {
            if (failure === null) step();
          } catch (error) {
            failure = { error };
          }
          // The others cannot be called off: they wait at every step.
          this.meet();
        }
        if (failure !== null) throw failure.error;
      },
      dispose: () => {
        if (this.isEnded) return;
        this.send(-id, addresses);
        this.meet();
        for (const address of addresses) heap.free(address);
      },
    };
  }

  /** Ends the workers; programs cannot run any more. */
  dispose(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    for (const { end } of this.crew) end();
    this.heap.free(this.control);
  }

  private send(program: number, addresses: readonly number[]): void {
    if (this.isEnded) throw new Error("threads: they were disposed of");
    addresses.forEach((address, i) => (this.state[ADDRESSES + i + 1] = address | 0));
    Atomics.store(this.state, PROGRAM, program);
    Atomics.add(this.state, JOB, 1);
    Atomics.notify(this.state, JOB);
  }

  /** Waits until all threads have come as far. */
  private meet(): void {
    const { state, count } = this;
    this.barriers = (this.barriers + count) | 0;
    let arrived = (Atomics.add(state, ARRIVED, 1) + 1) | 0;
    if (arrived === this.barriers) {
      Atomics.notify(state, ARRIVED);
      return;
    }
    for (let spins = 0; ((arrived - this.barriers) | 0) < 0; spins += 1) {
      if (spins > SPINS && this.canSleep) Atomics.wait(state, ARRIVED, arrived, SLEEP_MS);
      arrived = Atomics.load(state, ARRIVED);
    }
  }
}

/** A page's own thread must not sleep. */
function maySleep(state: Int32Array): boolean {
  try {
    Atomics.wait(state, ARRIVED, -1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Modules and calls as the worker reads them, see `WORKER_SOURCE`. */
function encode(heap: Heap, steps: readonly Call[][]): Float64Array {
  const used = new Set(steps.flat().map(({ module }) => module));
  const words: number[] = [used.size];
  for (const module of used) words.push(module, ...moduleBytes(heap, module));
  words.push(steps.length);
  for (const calls of steps) {
    words.push(calls.length);
    for (const { module, args } of calls) words.push(module, args.length, ...args);
  }
  return new Float64Array(words);
}

/** Where the bytes of a module lie in the heap: address and length. */
function moduleBytes(heap: Heap, module: number): [address: number, length: number] {
  const entry = heap.modules[module]!;
  if (entry.address === undefined) {
    entry.address = heap.alloc(entry.bytes.length);
    heap.u8.set(entry.bytes, entry.address);
  }
  return [entry.address, entry.bytes.length];
}

function putDoubles(heap: Heap, values: Float64Array): number {
  const address = heap.alloc(values.byteLength);
  heap.u8.set(new Uint8Array(values.buffer), address);
  return address;
}
