/**
 * What a model must not do while it is traced, because a plan would do it only once or not at all.
 */
import * as tf from "@tensorflow/tfjs-core";
import { State } from "../module/parameter.js";
import { RANDOM, type Recorder } from "./recorder.js";

/** The parts of tfjs' engine that the tracer needs; some are missing from its typings. */
export interface Engine {
  runKernel: (name: string, inputs: tf.NamedTensorMap, attrs?: object) => tf.Tensor | tf.Tensor[];
  readSync: (dataId: object) => tf.TypedArray;
  read: (dataId: object) => Promise<tf.TypedArray>;
  keep: (tensor: tf.Tensor) => tf.Tensor;
}

const READS =
  "forward reads the values of a tensor (dataSync, arraySync, data or array): a trace would " +
  "freeze those of the example. Keep it in tensor ops, or read what is returned";

const KEEPS =
  "forward keeps a tensor beyond the call (tf.keep): a trace would keep that of the example. Return it";

/**
 * Makes tfjs, and `Math.random`, throw for what a trace cannot follow, unless it happens inside an
 * op.
 *
 * @returns a function that puts everything back as it was.
 */
export function refusing(
  engine: Engine,
  recorder: Recorder,
  isOutside: () => boolean,
): (() => void)[] {
  const refuse = <T extends object, K extends keyof T>(
    target: T,
    name: K,
    message: string,
    isRefused: (given: never) => boolean = () => true,
  ): (() => void) => {
    const before = target[name] as (...args: unknown[]) => unknown;
    const method = function (this: unknown, ...args: unknown[]): unknown {
      if (isOutside() && isRefused(args[0] as never)) recorder.refuse(message);
      return before.apply(this, args);
    };
    return patch(target, name, method as T[K]);
  };
  // A trace runs once in the place of all calls, and with made-up numbers.
  const refuseWrite = function (this: tf.Variable): never {
    const kind = this instanceof State ? "a parameter or buffer" : "a variable";
    return recorder.refuse(
      `forward writes to ${kind} of shape [${this.shape.join(", ")}], which a plan cannot do: ` +
        "is the model in training mode?",
    );
  };
  const isAlive = (dataId: object): boolean => recorder.isAlive(dataId);
  const variable = tf.Variable.prototype;
  return [
    refuse(engine, "readSync", READS, isAlive),
    refuse(engine, "read", READS, isAlive),
    refuse(variable, "dataSync", READS),
    refuse(variable, "data", READS),
    refuse(engine, "keep", KEEPS, (tensor: tf.Tensor) => recorder.knows(tensor)),
    refuse(Math, "random", RANDOM),
    ...[variable, State.prototype].map((kind) => patch(kind, "assign", refuseWrite)),
  ];
}

/** Replaces a method; returns a function that restores the old one. */
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
