/** What a model must not do while it is traced: a plan would not do it, or would do it only once. */
import * as tf from "@tensorflow/tfjs-core";
import { State } from "../module/parameter.js";
import { RANDOM, type Recorder, TraceError } from "./recorder.js";

/** What the tracer needs of tfjs' engine, part of which its typings hide. */
export interface Engine {
  runKernel: (name: string, inputs: tf.NamedTensorMap, attrs?: object) => tf.Tensor | tf.Tensor[];
  readSync: (dataId: object) => tf.TypedArray;
  read: (dataId: object) => Promise<tf.TypedArray>;
  keep: (tensor: tf.Tensor) => tf.Tensor;
}

/** How a tensor's values are read. */
type Readers = Record<"dataSync" | "data", (this: unknown) => unknown>;

const READS =
  "forward reads the values of a tensor (dataSync, arraySync, data or array): a trace would " +
  "freeze those of the example. Keep it in tensor ops, or read what is returned";

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

/**
 * Has tfjs, and `Math.random`, refuse what a trace cannot follow, as long as that is no op's own business.
 *
 * @returns what puts everything back as it was.
 */
export function refusing(
  engine: Engine,
  recorder: Recorder,
  isOutside: () => boolean,
): (() => void)[] {
  const { readSync, read, keep } = engine;
  const refuse = (dataId: object): void => {
    if (isOutside() && recorder.isAlive(dataId)) throw new TraceError(READS);
  };
  const variable = tf.Variable.prototype as unknown as Readers;
  const random = Math.random;
  return [
    patch(engine, "readSync", (dataId) => {
      refuse(dataId);
      return readSync.call(engine, dataId);
    }),
    patch(engine, "read", (dataId) => {
      refuse(dataId);
      return read.call(engine, dataId);
    }),
    ...(["dataSync", "data"] as const).map((name) => {
      const reads = variable[name];
      return patch(variable, name, function (this: unknown) {
        if (isOutside()) throw new TraceError(READS);
        return reads.call(this);
      });
    }),
    patch(engine, "keep", (tensor) => {
      if (isOutside() && recorder.knows(tensor)) throw new TraceError(KEEPS);
      return keep.call(engine, tensor);
    }),
    ...[tf.Variable.prototype, State.prototype].map((kind) => patch(kind, "assign", refuseWrite)),
    patch(Math, "random", () => {
      if (isOutside()) throw new TraceError(RANDOM);
      return random();
    }),
  ];
}

/** Puts a function in the place of a method; gives what puts the old one back. */
export function patch<T extends object, K extends keyof T>(
  target: T,
  name: K,
  method: T[K],
): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value: method, configurable: true, writable: true });
  return () => {
    if (before === undefined) delete target[name];
    else Object.defineProperty(target, name, before);
  };
}
