import { readOptions } from "../arguments.js";
import { isOurs, pack, type Port, type Reply, unpack, unpackError } from "./messages.js";

export interface CallOptions {
  /** Aborts the call: it rejects at once, and is not started if it is still waiting for others. */
  signal?: AbortSignal | null;
  /** What is transferred instead of copied, such as an `ImageBitmap` among the arguments. */
  transfer?: readonly Transferable[];
}

const CALL: Required<CallOptions> = { signal: null, transfer: [] };

type AnyFunction = (...args: never[]) => unknown;

/** A model in a worker: takes the arguments of the model, and returns a promise of its result. */
export interface Connected<F extends AnyFunction = AnyFunction> {
  (...args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
  /** A call with options; the arguments are given as a list. */
  run(args: Parameters<F>, options?: CallOptions): Promise<Awaited<ReturnType<F>>>;
  /** Ends the worker; calls that are under way reject. */
  dispose(): void;
}

/** A `Worker` of a browser or of `node:worker_threads`. */
export interface AnyWorker {
  postMessage(message: unknown, transfer?: never): void;
  terminate(): unknown;
}

type Events = {
  addEventListener?(type: string, listener: (event: { data: unknown; message?: string }) => void): void; // prettier-ignore
  on?(type: string, listener: (value: never) => void): void;
  ref?(): void;
  unref?(): void;
};

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

/**
 * Makes the model that a worker exposes callable from this thread.
 *
 * ```ts
 * const worker = new Worker(new URL("./model.worker.js", import.meta.url), { type: "module" });
 * const model = connect<(x: tf.Tensor) => tf.Tensor>(worker);
 * const y = await model(x);
 * ```
 *
 * Tensors, also nested in lists and plain objects, are copied, and those of the result belong to
 * the caller; anything else is copied as by `postMessage`. Errors arrive with name and message. In
 * Node, an idle worker does not keep the process alive.
 */
export function connect<F extends AnyFunction>(worker: AnyWorker): Connected<F> {
  const connection = new Connection(worker);
  const call = (...args: Parameters<F>): unknown => connection.call(args, CALL);
  return Object.assign(call, {
    run: (args: Parameters<F>, options?: CallOptions) =>
      connection.call(args, readOptions<Required<CallOptions>>("run", CALL, options)),
    dispose: () => connection.end(new Error("connect: this model is disposed")),
  }) as Connected<F>;
}

/** After this time a page that still waits for its worker prints a hint. */
const PATIENCE_SECONDS = 10;

class Connection {
  private readonly waiting = new Map<number, Waiting>();
  private readonly port: Port;
  private readonly events: Events;
  private readonly listening: Promise<void>;
  private readonly patience: ReturnType<typeof setTimeout>;
  private ended: Error | null = null;
  private calls = 0;

  constructor(private readonly worker: AnyWorker) {
    this.events = worker as Events;
    const fail = (error: unknown): void =>
      this.end(error instanceof Error ? error : new Error("connect: the worker failed to start"));
    this.port = portOf(worker, fail);
    let heard: () => void = () => {};
    this.listening = new Promise((resolve) => (heard = resolve));
    this.patience = setTimeout(() => {
      console.warn(
        `connect: the worker has not called expose for ${PATIENCE_SECONDS} seconds, so calls wait: ` +
          "does its script reach it? A bundler drops what is only imported for its effect where " +
          "package.json says sideEffects: false",
      );
    }, PATIENCE_SECONDS * 1000);
    (this.patience as { unref?: () => void }).unref?.();
    this.port.listen((message) => {
      if (!isOurs(message)) return;
      const reply = message as Reply;
      if (reply.sconce === "listening") {
        clearTimeout(this.patience);
        heard();
      } else this.settle(reply);
    });
    this.events.unref?.();
  }

  async call(args: readonly unknown[], options: Required<CallOptions>): Promise<unknown> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.ended !== null) throw this.ended;
    const id = (this.calls += 1);
    const result = new Promise<unknown>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
    this.events.ref?.();
    const abort = (): void => {
      this.port.post({ sconce: "cancel", id }, []);
      this.waiting.get(id)?.reject(signal!.reason);
    };
    signal?.addEventListener("abort", abort);
    // Whatever goes wrong while sending rejects the call.
    this.send(id, args, options).catch((error: unknown) => this.waiting.get(id)?.reject(error));
    try {
      return await result;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.waiting.delete(id);
      if (this.waiting.size === 0) this.events.unref?.();
    }
  }

  private async send(
    id: number,
    args: readonly unknown[],
    options: Required<CallOptions>,
  ): Promise<void> {
    const transfer = [...options.transfer];
    const packed = await pack(args, transfer);
    await this.listening;
    if (options.signal?.aborted || this.ended) return;
    this.port.post({ sconce: "call", id, args: packed }, transfer);
  }

  private settle(reply: Exclude<Reply, { sconce: "listening" }>): void {
    const one = this.waiting.get(reply.id);
    // The call was cancelled while it ran.
    if (one === undefined) return;
    if (reply.sconce === "failure") {
      one.reject(unpackError(reply.error));
      return;
    }
    try {
      one.resolve(unpack(reply.value));
    } catch (error) {
      one.reject(error);
    }
  }

  end(error: Error): void {
    if (this.ended !== null) return;
    this.ended = error;
    clearTimeout(this.patience);
    for (const { reject } of this.waiting.values()) reject(error);
    void this.worker.terminate();
  }
}

function portOf(worker: AnyWorker, fail: (error: unknown) => void): Port {
  const events = worker as Events;
  const post: Port["post"] = (message, transfer) => worker.postMessage(message, transfer as never);
  if (events.addEventListener) {
    events.addEventListener("error", ({ message }) =>
      fail(message ? new Error(`connect: the worker failed: ${message}`) : null),
    );
    return {
      post,
      listen: (receive) => events.addEventListener!("message", ({ data }) => receive(data)),
    };
  }
  events.on!("error", fail);
  events.on!("exit", (code: number) => fail(new Error(`connect: the worker ended with code ${code}`))); // prettier-ignore
  return { post, listen: (receive) => events.on!("message", receive) };
}
