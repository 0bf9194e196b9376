import * as tf from "@tensorflow/tfjs-core";
import { isOurs, pack, packError, type Port, type Request, unpack } from "./messages.js";

/**
 * How many calls of a compiled model may be under way: the next one is sent while the GPU computes.
 */
const PIPELINED = 2;

/** What a worker can expose: a model, a compiled one, or any function of tensors. */
type Callable = (...args: never[]) => unknown;

/**
 * Whether it can be called without blocking the worker. (A module may have a `run` of its own,
 * which does not count.)
 */
const isCompiled = (made: Callable): made is Callable & { run: Callable } =>
  "run" in made && !("forward" in made);

/**
 * Makes a model callable from the page that started this worker; see {@link connect}.
 *
 * ```ts
 * // model.worker.ts
 * import * as nn from "sconce";
 * import { expose } from "sconce/worker";
 *
 * expose(async () => nn.compile(await nn.loadExported("model.pt2"), example));
 * ```
 *
 * Calls are processed one after the other; only a compiled model gets the next call while the GPU
 * still computes. Results are sent and then disposed.
 *
 * @param make makes the model, once; if it fails, every call fails with its error.
 * @throws if this is not a worker.
 */
export function expose(make: () => Callable | Promise<Callable>): void {
  const port = ownPort();
  const queue: Extract<Request, { sconce: "call" }>[] = [];
  let underWay = 0;
  let most = 1;
  const model = Promise.resolve().then(make);
  model.then(
    (made) => (most = isCompiled(made) ? PIPELINED : 1),
    () => {}, // each call reports the error
  );

  const answer = async ({ id, args }: (typeof queue)[number]): Promise<void> => {
    let given: unknown[] = [];
    try {
      const made = await model;
      given = unpack(args) as unknown[]; // on the backend that the model has chosen
      // A compiled model waits for the GPU without blocking this worker.
      const call = (isCompiled(made) ? made.run : made) as (...args: unknown[]) => unknown;
      const result = await call(...given);
      const transfer: Transferable[] = [];
      const value = await pack(result, transfer);
      tf.dispose(result as tf.TensorContainer);
      port.post({ sconce: "result", id, value }, transfer);
    } catch (error) {
      port.post({ sconce: "failure", id, error: packError(error) }, []);
    } finally {
      tf.dispose(given as tf.TensorContainer);
    }
  };
  const work = (): void => {
    while (underWay < most && queue.length > 0) {
      underWay += 1;
      void answer(queue.shift()!).then(() => {
        // Later, so that cancellations can arrive first.
        setTimeout(() => {
          underWay -= 1;
          work();
        });
      });
    }
  };
  port.listen((message) => {
    if (!isOurs(message)) return;
    const request = message as Request;
    if (request.sconce === "call") {
      queue.push(request);
      work();
    } else if (request.sconce === "cancel") {
      const at = queue.findIndex(({ id }) => id === request.id);
      if (at >= 0) queue.splice(at, 1);
    }
  });
  // Messages that arrive before a worker listens may be lost, so the page waits for this one.
  port.post({ sconce: "listening" }, []);
}

/** The port through which this worker communicates with its page. */
function ownPort(): Port {
  const scope = globalThis as unknown as DedicatedWorkerScope;
  if ("WorkerGlobalScope" in globalThis && typeof scope.postMessage === "function") {
    return {
      post: (message, transfer) => scope.postMessage(message, transfer),
      listen: (receive) => scope.addEventListener("message", ({ data }) => receive(data)),
    };
  }
  const parent = globalThis.process?.getBuiltinModule?.("node:worker_threads").parentPort ?? null;
  if (parent === null) throw new Error("expose: expects to be called in a worker, but this is none"); // prettier-ignore
  return {
    post: (message, transfer) => parent.postMessage(message, transfer as ArrayBuffer[]),
    listen: (receive) => void parent.on("message", receive),
  };
}

interface DedicatedWorkerScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
}
