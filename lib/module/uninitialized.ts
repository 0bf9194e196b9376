import * as tf from "@tensorflow/tfjs-core";
import { Buffer, Empty, Parameter, type State } from "./parameter.js";

const MARK = Symbol.for("sconce.Uninitialized");

function isMarked(value: unknown): boolean {
  return (value as { [MARK]?: boolean } | null | undefined)?.[MARK] === true;
}

function noShape(): never {
  throw new Error(
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens " +
      "in `load_state_dict` when trying to load an uninitialized parameter into an initialized " +
      "one. Call `forward` to initialize the parameters before accessing their attributes.",
  );
}

function hideShape(state: State): void {
  Object.defineProperty(state, MARK, { value: true, configurable: true, writable: true });
  for (const name of ["shape", "size"]) {
    Object.defineProperty(state, name, { configurable: true, get: noShape });
  }
}

function giveShape(state: State, shape: readonly number[]): void {
  const own = [...shape];
  const fields = {
    shape: own,
    size: tf.util.sizeFromShape(own),
    strides: tf.util.computeStrides(own),
    rankType: own.length < 5 ? String(own.length) : "higher",
  };
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(state, name, { value, configurable: true, writable: true });
  }
  (state as unknown as Record<symbol, boolean>)[MARK] = false;
}

/**
 * A parameter of a lazy module, whose shape is not known until the module is called or loaded.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedParameter.html
 */
export class UninitializedParameter extends Parameter {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isMarked(value) && value instanceof Parameter;
  }

  constructor(options?: { requiresGrad?: boolean }) {
    super(new Empty([0]), options);
    hideShape(this);
  }

  /** Becomes a parameter of that shape, which has no values yet. */
  materialize(shape: readonly number[]): void {
    giveShape(this, shape);
    Object.setPrototypeOf(this, Parameter.prototype);
  }

  override toString(): string {
    return "<UninitializedParameter>";
  }
}

/**
 * A buffer of a lazy module, whose shape is not known until the module is called or loaded.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedBuffer.html
 */
export class UninitializedBuffer extends Buffer {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isMarked(value) && value instanceof Buffer;
  }

  constructor(options?: { persistent?: boolean }) {
    super(new Empty([0]), options);
    hideShape(this);
  }

  /** Becomes a buffer of that shape, which has no values yet. */
  materialize(shape: readonly number[]): void {
    giveShape(this, shape);
    Object.setPrototypeOf(this, Buffer.prototype);
  }

  override toString(): string {
    return "<UninitializedBuffer>";
  }
}
