import * as tf from "@tensorflow/tfjs-core";

/** Whoever sees every op before it runs: a tracer records it, a kernel table runs its own. */
export type Dispatcher = <R>(name: string, body: (...args: unknown[]) => R, args: unknown[]) => R;

let dispatcher: Dispatcher | null = null;

/** Puts a dispatcher in front of all ops and gives back the one before it. `null`: none. */
export function setDispatcher(next: Dispatcher | null): Dispatcher | null {
  const previous = dispatcher;
  dispatcher = next;
  return previous;
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
  const run = (...args: A): R => {
    if (dispatcher !== null) return dispatcher(name, body as (...args: unknown[]) => R, args);
    return tf.tidy(() => {
      const result = body(...args);
      const isInput = result instanceof tf.Tensor && args.includes(result);
      return (isInput ? tf.clone(result) : result) as tf.TensorContainer;
    }) as R;
  };
  return Object.defineProperty(run, "name", { value: name });
}
