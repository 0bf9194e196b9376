/** The messages between page and worker; tensors are sent as arrays of numbers. */
import * as tf from "@tensorflow/tfjs-core";

/** From the page: a call, or its cancellation. */
export type Request = { sconce: "call"; id: number; args: unknown } | { sconce: "cancel"; id: number }; // prettier-ignore

/** From the worker: that it listens, the result of a call, or its error. */
export type Reply =
  | { sconce: "listening" }
  | { sconce: "result"; id: number; value: unknown }
  | { sconce: "failure"; id: number; error: PackedError };

export interface PackedError {
  name: string;
  message: string;
  stack: string | undefined;
}

interface PackedTensor {
  sconceTensor: tf.TypedArray;
  shape: number[];
  dtype: tf.DataType;
}

/** A message port of a browser or of Node. */
export interface Port {
  post(message: Request | Reply, transfer: Transferable[]): void;
  /** Calls `receive` with every message. */
  listen(receive: (message: unknown) => void): void;
}

export const isOurs = (message: unknown): message is { sconce: string } =>
  typeof message === "object" && message !== null && "sconce" in message;

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value with tensors replaced by their numbers; buffers to transfer are added to `transfer`. */
export async function pack(value: unknown, transfer: Transferable[]): Promise<unknown> {
  if (value instanceof tf.Tensor) {
    const tensor = value as tf.Tensor;
    const values = (await tensor.data()).slice(); // a copy, because the backend may hold on to its array
    transfer.push(values.buffer);
    const { shape, dtype } = tensor;
    return { sconceTensor: values, shape, dtype } satisfies PackedTensor;
  }
  if (Array.isArray(value)) return Promise.all(value.map((one) => pack(one, transfer)));
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(
    async ([name, one]) => [name, await pack(one, transfer)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** The inverse of {@link pack}: makes the tensors again. */
export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (!isPlain(value)) return value;
  if ("sconceTensor" in value) {
    const { sconceTensor, shape, dtype } = value as unknown as PackedTensor;
    return tf.tensor(sconceTensor, shape, dtype);
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unpack(one)]));
}

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined };
  const { name, message, stack } = error;
  return { name, message, stack };
}

const KNOWN: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
};

/** An error with that name and message, of JavaScript's class with that name if there is one. */
export function unpackError({ name, message, stack }: PackedError): Error {
  const error = new (KNOWN[name] ?? Error)(message);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true }); // prettier-ignore
  if (stack !== undefined) error.stack = stack;
  return error;
}
