import * as tf from "@tensorflow/tfjs-core";

/** What an op runs. */
export type OpBody = (...args: unknown[]) => unknown;

/** Whoever sees every op before it runs: a tracer records it. */
export type Dispatcher = <R>(name: string, body: (...args: unknown[]) => R, args: unknown[]) => R;

let dispatcher: Dispatcher | null = null;
const bodies = new Map<string, OpBody>();

/** Puts a dispatcher in front of all ops and gives back the one before it. `null`: none. */
export function setDispatcher(next: Dispatcher | null): Dispatcher | null {
  const previous = dispatcher;
  dispatcher = next;
  return previous;
}

/** The op of that name, as a graph calls it; `undefined` for one that was not declared. */
export function findOp(name: string): OpBody | undefined {
  return bodies.get(name);
}

/**
 * Declares an op: PyTorch's ATen name, and a body in tfjs ops that is right on every backend.
 *
 * The body runs inside `tf.tidy`, so only its result is left; an op that gives back its very input
 * (Dropout in eval mode) gives a second handle on it, so that results are always the caller's own.
 */
export function op<A extends unknown[], R>(
  name: string,
  body: (...args: A) => R,
): (...args: A) => R {
  const execute = (...args: A): R =>
    tf.tidy(() => {
      const result = body(...args);
      const isInput = result instanceof tf.Tensor && args.includes(result);
      return (isInput ? tf.clone(result) : result) as tf.TensorContainer;
    }) as R;
  const run = (...args: A): R => {
    if (dispatcher === null) return execute(...args);
    return dispatcher(name, execute as (...args: unknown[]) => R, args);
  };
  bodies.set(name, run as OpBody);
  return Object.defineProperty(run, "name", { value: name });
}
