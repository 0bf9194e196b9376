import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";
import { format } from "./print.js";

/**
 * What a parameter can be made from: a tensor, numbers as `tf.tensor` takes them, or an `Empty`
 * shape.
 */
export type TensorSource = tf.Tensor | tf.TensorLike | Empty;

/** A shape without values yet, which an initialiser or `loadStateDict` fills. */
export class Empty {
  constructor(
    readonly shape: readonly number[],
    readonly dtype: tf.DataType = "float32",
  ) {
    const wrong = shape.findIndex((size) => !Number.isInteger(size) || size < 0);
    if (wrong === -1) return;
    const size = shape[wrong];
    const rule =
      typeof size === "number" && size < 0
        ? `negative dimension ${size}`
        : `a size that is no integer (${describe(size)} at position ${wrong})`;
    throw new RangeError(`Trying to create tensor with ${rule}: [${shape.join(", ")}]`);
  }
}

/**
 * Identifies our classes, even of another copy of this package: tfjs' `instanceof` only looks at
 * the structure.
 */
const KIND = Symbol.for("sconce.State");

function isKind(value: unknown, kind: "parameter" | "buffer"): boolean {
  return (value as { [KIND]?: string } | null | undefined)?.[KIND] === kind;
}

/**
 * A tensor that a module owns. As a `tf.Variable` it can be used in any tfjs op, and no `tf.tidy`
 * disposes it. Unlike other variables it may have a shape without storage (`isMeta`).
 */
export abstract class State extends tf.Variable {
  abstract readonly [KIND]: "parameter" | "buffer";

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isKind(value, "parameter") || isKind(value, "buffer");
  }

  /** Rises with every new value, so that whoever copied the values can notice. */
  version = 0;
  /** The data id of the values, which `dataId` returns. */
  declare protected held?: object;

  protected constructor(data: TensorSource, trainable: boolean) {
    const ready = data instanceof tf.Tensor || data instanceof Empty;
    const source = ready ? data : tf.tensor(data);
    const { shape, dtype } = source;
    // A tf.Variable takes the data of an initial tensor; this one is made without, and gets it by
    // `assign`.
    super({ shape, dtype } as tf.Tensor, trainable, "", nextTensorId());
    if (source instanceof tf.Tensor) this.assign(source);
    if (source instanceof tf.Tensor && !ready) source.dispose();
  }

  /** Whether there is no storage yet. */
  get isMeta(): boolean {
    return !this.isDisposed && !this.held;
  }

  /**
   * Takes the values of a tensor of the same shape and dtype (their data is shared, not copied). The
   * given tensor stays the caller's.
   */
  override assign(value: tf.Tensor): void {
    this.throwIfDisposed();
    if (value.dtype !== this.dtype || !tf.util.arraysEqual(value.shape, this.shape)) {
      throw new Error(
        `assign: expected ${this.dtype} [${this.shape.join(", ")}], ` +
          `got ${value.dtype} [${value.shape.join(", ")}]`,
      );
    }
    const { dataId } = value;
    if (this.held) tf.engine().disposeTensor(this);
    this.held = dataId;
    tf.engine().incRef(this, tf.backend());
    this.version += 1;
  }

  /** Sets the values from an array of numbers, row-major. */
  fill(values: tf.TypedArray): void {
    const tensor = tf.tensor(values, this.shape, this.dtype);
    this.assign(tensor);
    tensor.dispose();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    if (this.held) super.dispose();
    else this.isDisposedInternal = true;
    this.held = undefined;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

// Defined once on the prototype: V8 reads objects slowly if an own property is redefined as an
// accessor.
Object.defineProperty(State.prototype, "dataId", {
  get(this: Held) {
    return this.held ?? noData(this);
  },
  set(this: Held, dataId?: object) {
    this.held = dataId;
  },
});

interface Held extends Pick<State, "isDisposed" | "shape"> {
  held?: object;
}

/** tfjs identifies tensors by a counter, which its typings hide. */
function nextTensorId(): number {
  return (tf.engine() as unknown as { nextTensorId(): number }).nextTensorId();
}

function noData(state: Held): never {
  if (state.isDisposed) {
    throw new Error("Tensor is disposed: so is the module that it belonged to");
  }
  throw new Error(
    "Cannot copy out of meta tensor; no data! " +
      `This [${state.shape.join(", ")}] has no values yet: call loadStateDict or initialise it`,
  );
}

/**
 * A tensor that is a module's parameter: `this.weight = new nn.Parameter(tf.zeros([4, 2]))`.
 * The given tensor stays the caller's (its data is shared, not copied).
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
 */
export class Parameter extends State {
  readonly [KIND] = "parameter";

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isKind(value, "parameter");
  }

  constructor(data: TensorSource, { requiresGrad = true }: { requiresGrad?: boolean } = {}) {
    super(data, requiresGrad);
  }

  get requiresGrad(): boolean {
    return this.trainable;
  }

  set requiresGrad(value: boolean) {
    this.trainable = value;
  }

  /** `Parameter containing:\ntensor([[...]], requires_grad=True)`, as PyTorch prints it. */
  override toString(): string {
    return `Parameter containing:\n${format(this, { requiresGrad: this.requiresGrad })}`;
  }
}

/**
 * A tensor that belongs to a module and is not a parameter (a running mean, a mask):
 * `this.mask = new nn.Buffer(tf.ones([8]), { persistent: false })`. Persistent ones (the default)
 * are in the state_dict.
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
 */
export class Buffer extends State {
  readonly [KIND] = "buffer";

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isKind(value, "buffer");
  }

  readonly persistent: boolean;

  constructor(data: TensorSource, { persistent = true }: { persistent?: boolean } = {}) {
    super(data, false);
    this.persistent = persistent;
  }

  /** `tensor([...])`, as PyTorch prints it. */
  override toString(): string {
    return format(this);
  }
}
