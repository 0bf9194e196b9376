import * as tf from "@tensorflow/tfjs-core";

/** What an op runs. */
export type OpBody = (...args: unknown[]) => unknown;

/** Whoever sees every op before it runs: a tracer records it. */
export type Dispatcher = <R>(name: string, body: (...args: unknown[]) => R, args: unknown[]) => R;

/** A faster way to compute an op: its results, or `null` for arguments that it leaves to the body. */
export type OpKernel = (args: readonly unknown[]) => OpResult | null;

type OpResult = tf.Tensor | readonly (tf.Tensor | null)[];

let dispatcher: Dispatcher | null = null;
const bodies = new Map<string, OpBody>();
const kernels = new Map<string, ReadonlyMap<string, OpKernel>>();

/** Puts a dispatcher in front of all ops and gives back the one before it. `null`: none. */
export function setDispatcher(next: Dispatcher | null): Dispatcher | null {
  const previous = dispatcher;
  dispatcher = next;
  return previous;
}

/** Makes up what a kernel would give; `null`: it must be computed. */
export type Sketch = (name: string, args: readonly unknown[]) => tf.Tensor | tf.Tensor[] | null;

let sketch: Sketch | null = null;

/** Sets who makes up results while nobody wants their numbers. `null`: nobody. */
export function setSketch(next: Sketch | null): void {
  sketch = next;
}

let running = 0;

/** Whether what runs now is the body of an op that may have kernels: then those of tfjs may be replaced by better ones. */
export const isInBody = (backend: string): boolean => running > 0 && kernels.has(backend);

/** Runs tfjs' ops as those of a body. */
export function asBody<T>(run: () => T): T {
  running += 1;
  try {
    return run();
  } finally {
    running -= 1;
  }
}

/** Whether somebody sees all ops now. */
export const isDispatched = (): boolean => dispatcher !== null;

/** Lets ops run kernels on a tfjs backend, by the name of the op. `null`: their bodies alone. */
export function setKernels(backend: string, table: ReadonlyMap<string, OpKernel> | null): void {
  if (table === null) kernels.delete(backend);
  else kernels.set(backend, table);
}

/** The op of that name, as a graph calls it; `undefined` for one that was not declared. */
export function findOp(name: string): OpBody | undefined {
  return bodies.get(name);
}

/**
 * What the kernel of an op gives; `null` where there is none, or it declines. A body asks for another one
 * with what it has read and checked.
 */
export function tryKernel(name: string, ...args: readonly unknown[]): OpResult | null {
  if (sketch) return sketch(name, args);
  const kernel = kernels.get(tf.getBackend())?.get(name);
  const engine = tf.engine() as unknown as { state: { gradientDepth: number } };
  // A gradient is that of the body: a kernel has none. Nor would somebody see it who records what
  // tfjs runs, as another copy of this library may do.
  const isAlone = !dispatcher && !engine.state.gradientDepth && !Object.hasOwn(engine, "runKernel");
  return kernel && isAlone ? kernel(args) : null;
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

/** An op of so many dimensions, by a body that is given its name and their number first. */
export function opNd<N extends number, A extends unknown[], R>(
  stem: string,
  n: N,
  body: (name: string, n: N, ...args: A) => R,
): (...args: A) => R {
  const name = `${stem}${n}d`;
  return op(name, (...args: A) => body(name, n, ...args));
}
