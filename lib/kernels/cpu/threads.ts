/**
 * Several threads on one heap. A program is recorded once, as the calls of WebAssembly functions
 * that each thread makes, and the workers replay it. So a worker needs only the few lines of code
 * below, not this library, and no file that a bundler would have to find.
 */
import type NodeThreads from "node:worker_threads";
import type { Call, Heap } from "./heap.js";
import { record } from "./record.js";
import { WORKER_SOURCE } from "./worker-source.js";

/** One step of a program; all threads wait for each other after it. */
export interface ThreadStep {
  run: (part: number, parts: number) => void;
  /** Whether it runs JavaScript, on this thread only: `Kernel.onOneThread`. */
  onOneThread?: boolean;
}

/** A recorded program. */
export interface ThreadProgram {
  /** Runs it on all threads; returns when all are done. */
  run: () => void;
  /** Frees what the workers keep for this program. */
  dispose: () => void;
}

/**
 * Indices into the control block, in int32. They are far apart so that no two share a cache line.
 */
const ARRIVED = 0;
const JOB = 16;
const PROGRAM = 17;
const ADDRESSES = 32;
const MAX_THREADS = 32;

/** How often to poll before going to sleep: for some microseconds. */
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

  /** The number of threads, this one included. */
  get count(): number {
    return this.crew.length + 1;
  }

  /**
   * Starts workers on a shared heap.
   *
   * @param wanted - The number of threads, this one included: 2 to 32.
   * @returns `null` where threads are impossible: no shared memory, or workers are forbidden.
   */
  static async start(heap: Heap, wanted: number): Promise<Threads | null> {
    const count = Math.min(wanted, MAX_THREADS);
    if (!heap.shared || heap.build === "js" || !heap.memory) return null;
    const crew: Crew[] = [];
    try {
      const control = heap.alloc((ADDRESSES + MAX_THREADS) * 4);
      heap.i32.fill(0, control >>> 2, (control >>> 2) + ADDRESSES + MAX_THREADS);
      // Bun and Deno have web workers as well, but these keep a process alive, or must be modules.
      const isPage = typeof document === "object" && typeof Worker === "function";
      // Not by import: bundlers for browsers would try to resolve the module.
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
        if (mine.length === 0) return; // without steps, nothing would wait for workers that are late
        this.send(id, addresses);
        let failure: { error: unknown } | null = null;
        for (const step of mine) {
          try {
            if (failure === null) step();
          } catch (error) {
            failure = { error };
          }
          // The other threads cannot be stopped: they wait at every step.
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

  /** Ends the workers; their programs cannot run any more. */
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

  /** Waits until all threads have arrived here. */
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

/** Whether this thread may block: a page's main thread may not. */
function maySleep(state: Int32Array): boolean {
  try {
    Atomics.wait(state, ARRIVED, -1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Modules and calls in the form that the worker reads, see `WORKER_SOURCE`. */
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

/** Where the bytes of a module are in the heap. */
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
