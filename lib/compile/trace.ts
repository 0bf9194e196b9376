import * as tf from "@tensorflow/tfjs-core";
import { setDispatcher } from "../functional/op.js";
import type { Graph } from "../graph/index.js";
import { setCallObserver } from "../module/call.js";
import type { Module } from "../module/index.js";
import { State } from "../module/parameter.js";
import { isModule } from "../module/walk.js";
import { RANDOM, Recorder, TraceError } from "./recorder.js";
import { Pattern, takeApart } from "./structure.js";

/** A model, or any plain function of tensors. */
export type Traceable = Module | ((...args: never[]) => unknown);

/** What the tracer needs of tfjs' engine, part of which its typings hide. */
interface Engine {
  runKernel: (name: string, inputs: tf.NamedTensorMap, attrs?: object) => tf.Tensor | tf.Tensor[];
  readSync: (dataId: object) => tf.TypedArray;
  read: (dataId: object) => Promise<tf.TypedArray>;
  keep: (tensor: tf.Tensor) => tf.Tensor;
}

export interface Traced {
  graph: Graph;
  /** What the traced call gave. */
  output: unknown;
  /** Disposes what the call gave, save inputs and weights that it gave back. */
  dispose: () => void;
}

/** Stands in for computing where only shapes are wanted; `null`: what it does not know is computed. */
export interface Pretence {
  /** `isAlive`: it depends on what the trace is given, or was made up, so nobody may look at it. */
  kernel(name: string, inputs: tf.NamedTensorMap, attrs: object | undefined, isAlive: boolean): tf.Tensor | null; // prettier-ignore
  op(name: string, body: (...args: unknown[]) => unknown, args: readonly unknown[]): tf.Tensor[] | null; // prettier-ignore
  /** The trace is done. */
  end(): void;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Runs a model once and records it as a graph: every op of `functional` as one node, a raw tfjs
 * call as the kernel that it is, parameters and buffers under their state_dict key.
 *
 * ```ts
 * console.log(String(nn.trace(model, tf.zeros([1, 3, 224, 224]))));
 * ```
 *
 * @param example a tensor, or the list of all arguments of a call.
 * @throws TraceError where the model reads the values of a tensor (`dataSync`) or draws random
 *   numbers: a graph would repeat those of the example for ever.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.jit.trace.html
 */
export function trace(model: Traceable, example: unknown): Graph {
  const { graph, dispose } = record(model, Array.isArray(example) ? example : [example]);
  dispose();
  return graph;
}

/** As {@link trace}, with the call's output; ops in `into` are not recorded, but what they call.
 * With a pretence, kernels give something of the right shape instead of running. `onModule` is told
 * each module before it is called. */
export function record(
  model: Traceable,
  args: readonly unknown[],
  into: ReadonlySet<string> = NONE,
  pretence: Pretence | null = null,
  onModule: (module: Module) => void = () => {},
): Traced {
  const engine = tf.engine() as unknown as Engine;
  const { runKernel, readSync, read, keep } = engine;
  const recorder = new Recorder(isModule(model) ? model : null, readSync.bind(engine));
  const { tensors, skeleton } = attempt(() => takeApart(args), "an argument");
  // Handles of their own: an argument may be a weight, or what else forward reads, in this call alone.
  const handles = tensors.map((tensor) => Object.create(tensor) as tf.Tensor);
  for (const handle of handles) {
    // It would dispose the numbers of the example, behind its back.
    handle.dispose = () => {
      throw new TraceError("forward disposes what it is given: a plan would not");
    };
    recorder.input(handle);
  }

  let inside = 0; // how many ops deep: what an op does inside is its own business
  const refuse = (dataId: object): void => {
    if (inside > 0 || !recorder.isAlive(dataId)) return;
    throw new TraceError(READS);
  };
  const within = <T>(run: () => T): T => {
    inside += 1;
    try {
      return run();
    } finally {
      inside -= 1;
    }
  };
  const restore = [
    patch(engine, "runKernel", (name, inputs, attrs) => {
      if (inside === 0 && SHAPED_BY_VALUES.test(name)) throw new TraceError(shapedBy(name));
      const isAlive = recorder.areAlive(inputs);
      const made = pretence?.kernel(name, inputs, attrs, isAlive) ?? null;
      const result = made ?? within(() => runKernel.call(engine, name, inputs, attrs));
      if (isAlive || made) for (const one of [result].flat()) recorder.enliven(one);
      if (inside === 0) recorder.call(`tfjs.${name}`, [inputs, attrs ?? {}], result);
      return result;
    }),
    patch(engine, "readSync", (dataId) => {
      refuse(dataId);
      return readSync.call(engine, dataId);
    }),
    patch(engine, "read", (dataId) => {
      refuse(dataId);
      return read.call(engine, dataId);
    }),
    ...(["dataSync", "data"] as const).map((name) => {
      const variable = tf.Variable.prototype as unknown as Readers;
      const reads = variable[name];
      return patch(variable, name, function (this: unknown) {
        if (inside === 0) throw new TraceError(READS);
        return reads.call(this);
      });
    }),
    patch(engine, "keep", (tensor) => {
      if (inside === 0 && recorder.knows(tensor)) throw new TraceError(KEEPS);
      return keep.call(engine, tensor);
    }),
    ...[tf.Variable.prototype, State.prototype].map((kind) => patch(kind, "assign", refuseWrite)),
    patch(
      Math,
      "random",
      ((random) => () => {
        if (inside === 0) throw new TraceError(RANDOM);
        return random();
      })(Math.random),
    ),
  ];
  const dispatcher = setDispatcher(
    <R>(name: string, body: (...all: unknown[]) => R, given: unknown[]): R => {
      if (inside > 0 || into.has(name)) return body(...given);
      if (name === "one_hot" && !hasClasses(given[1])) throw new TraceError(shapedBy(name));
      const result = within(() => (pretence?.op(name, body, given) as R) ?? body(...given));
      recorder.call(name, given, result);
      return result;
    },
  );
  const observer = setCallObserver({
    enter: (module) => {
      onModule(module);
      recorder.enter(module);
    },
    leave: () => recorder.leave(),
    // An op of functional may draw; what is recorded of it draws anew each time.
    draw: () => {
      if (inside === 0) recorder.draw();
    },
  });
  try {
    const pattern = new Pattern({ skeleton, tensors: handles });
    const given = pattern.fill(handles);
    // What a plain function leaves behind is as made up as its result, which nobody gets if this throws.
    const output: unknown = tf.tidy(() => {
      const result = (model as (...args: unknown[]) => unknown)(...given);
      recorder.output(result);
      const now: tf.Tensor[] = [];
      const isSame = pattern.match(given, now) && now.every((tensor, i) => tensor === handles[i]);
      if (!isSame) throw new TraceError(CHANGES);
      return result as tf.TensorContainer;
    });
    const dispose = (): void => {
      for (const tensor of takeApart(output).tensors) {
        if (recorder.isMade(tensor) && !(tensor instanceof State)) tensor.dispose();
      }
    };
    return { graph: recorder.graph, output, dispose };
  } finally {
    setCallObserver(observer);
    setDispatcher(dispatcher);
    for (const back of restore.reverse()) back();
    pretence?.end();
  }
}

/** Kernels whose results have as many numbers as the values of their inputs say. */
const SHAPED_BY_VALUES = /^(Unique|NonMaxSuppression|Ragged|Sparse(FillEmptyRows|Reshape|Segment)|String|Where$)/; // prettier-ignore
const shapedBy = (name: string): string =>
  `the shape of what ${name} gives depends on values: a trace would freeze that of the example`;

/** Whether `one_hot` is told how many classes there are, in either form. */
function hasClasses(given: unknown): boolean {
  const count = typeof given === "number" ? given : (given as { numClasses?: number } | undefined)?.numClasses; // prettier-ignore
  return count !== undefined && count >= 0;
}

/** How a tensor's values are read. */
type Readers = Record<"dataSync" | "data", (this: unknown) => unknown>;

const READS =
  "forward reads the values of a tensor (dataSync, arraySync, data or array): a trace would " +
  "freeze those of the example. Keep it in tensor ops, or read what is returned";

const CHANGES = "forward changes a list or an object that it is given: a plan would not";

const KEEPS =
  "forward keeps a tensor beyond the call (tf.keep): a trace would keep that of the example. Return it";

/** A trace runs once for all calls, and what it computes may be made up. */
function refuseWrite(this: tf.Variable): never {
  const kind = this instanceof State ? "a parameter or buffer" : "a variable";
  throw new TraceError(
    `forward writes to ${kind} of shape [${this.shape.join(", ")}], which a plan cannot do: ` +
      "is the model in training mode?",
  );
}

/** Puts a function in the place of a method; gives what puts the old one back. */
function patch<T extends object, K extends keyof T>(target: T, name: K, method: T[K]): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value: method, configurable: true, writable: true });
  return () => {
    if (before === undefined) delete target[name];
    else Object.defineProperty(target, name, before);
  };
}

function attempt<T>(run: () => T, what: string): T {
  try {
    return run();
  } catch (error) {
    throw new TraceError(`${what} cannot be traced: ${(error as Error).message}`);
  }
}
