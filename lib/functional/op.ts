import * as tf from "@tensorflow/tfjs-core";

/** The function behind an op: it takes the op's arguments and returns its results. */
export type OpBody = (...args: unknown[]) => unknown;

/** Sees every call of an op instead of the op itself; a tracer records it. */
export type Dispatcher = <R>(name: string, body: (...args: unknown[]) => R, args: unknown[]) => R;

/**
 * A faster way to compute an op. Returns its results, or `null` to leave these arguments to the
 * body.
 */
export type OpKernel = (args: readonly unknown[]) => OpResult | null;

type OpResult = tf.Tensor | readonly (tf.Tensor | null)[];

let dispatcher: Dispatcher | null = null;
const bodies = new Map<string, OpBody>();
const kernels = new Map<string, ReadonlyMap<string, OpKernel>>();

/** Sets the dispatcher that all ops go through, and returns the previous one. `null`: none. */
export function setDispatcher(next: Dispatcher | null): Dispatcher | null {
  const previous = dispatcher;
  dispatcher = next;
  return previous;
}

/** Makes up a result of the right shape in the place of a kernel; `null`: it must be computed. */
export type Sketch = (name: string, args: readonly unknown[]) => tf.Tensor | tf.Tensor[] | null;

let sketch: Sketch | null = null;

/** Sets what makes up results, while a model is traced for its shapes only. `null`: nothing. */
export function setSketch(next: Sketch | null): void {
  sketch = next;
}

let running = 0;

/**
 * Whether the body of an op is running, on a backend with kernels: only then, tfjs' kernels may be
 * replaced by ours.
 */
export const isInBody = (backend: string): boolean => running > 0 && kernels.has(backend);

/** Runs tfjs ops as if in the body of an op, so that they may use our kernels. */
export function asBody<T>(run: () => T): T {
  running += 1;
  try {
    return run();
  } finally {
    running -= 1;
  }
}

/** Whether a dispatcher is set. */
export const isDispatched = (): boolean => dispatcher !== null;

/** Sets the kernels for ops on a tfjs backend, by the name of the op. `null`: none. */
export function setKernels(backend: string, table: ReadonlyMap<string, OpKernel> | null): void {
  if (table === null) kernels.delete(backend);
  else kernels.set(backend, table);
}

/** The op with that name, for calls from a graph; `undefined` if there is none. */
export function findOp(name: string): OpBody | undefined {
  return bodies.get(name);
}

/**
 * The result of an op's kernel; `null` if there is none or it declines. Bodies call it too, after
 * they have checked their arguments, for kernels that take these checked arguments.
 */
export function tryKernel(name: string, ...args: readonly unknown[]): OpResult | null {
  if (sketch) return sketch(name, args);
  const kernel = kernels.get(tf.getBackend())?.get(name);
  const engine = tf.engine() as unknown as { state: { gradientDepth: number } };
  // Gradients come from the bodies, since kernels have none. And if something else records what
  // tfjs runs (such as another copy of this library), a kernel would hide it.
  const isAlone = !dispatcher && !engine.state.gradientDepth && !Object.hasOwn(engine, "runKernel");
  return kernel && isAlone ? kernel(args) : null;
}

/**
 * Declares an op by PyTorch's ATen name and a body in tfjs ops that is correct on every backend.
 *
 * The body runs inside `tf.tidy`, so only its result is left. If the result is the input itself
 * (Dropout in eval mode), the caller gets a second handle of it, so that results are always the
 * caller's own.
 */
export function op<A extends unknown[], R>(
  name: string,
  body: (...args: A) => R,
): (...args: A) => R {
  const execute = (...args: A): R =>
    tf.tidy(() => {
      const result = asBody(() => body(...args));
      const isInput = result instanceof tf.Tensor && args.includes(result);
      return (isInput ? tf.clone(result) : result) as tf.TensorContainer;
    }) as R;
  const run = (...args: A): R => {
    if (dispatcher) return dispatcher(name, execute as (...args: unknown[]) => R, args);
    // A kernel only succeeds or declines: every error is the body's.
    return (tryKernel(name, ...args) as R | null) ?? execute(...args);
  };
  bodies.set(name, run as OpBody);
  return Object.defineProperty(run, "name", { value: name });
}

/** Declares an op for `n` dimensions; its body gets the name and `n` first. */
export function opNd<N extends number, A extends unknown[], R>(
  stem: string,
  n: N,
  body: (name: string, n: N, ...args: A) => R,
): (...args: A) => R {
  const name = `${stem}${n}d`;
  return op(name, (...args: A) => body(name, n, ...args));
}
