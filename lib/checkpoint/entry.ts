import { readOptions } from "../arguments.js";
import { toFloat32, toFloat64 } from "./convert.js";
import {
  type Dtype,
  DTYPES,
  type EntryData,
  type ForeignDtype,
  isComplex,
  isDtype,
  viewAs,
} from "./dtype.js";
import { CheckpointError } from "./errors.js";
import { dequantize, type Quantizer } from "./quantizer.js";

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** A tensor of a checkpoint, row-major, in the file's own dtype. */
export class Entry {
  private readonly values: EntryData;

  constructor(
    /** PyTorch's name; for numpy arrays without numbers, numpy's (`str`, `object`, …). */
    readonly dtype: Dtype | ForeignDtype,
    readonly shape: readonly number[],
    bytes: Uint8Array,
    /** The name of the tensor in the checkpoint, for messages. */
    readonly key = "",
    /** How to interpret the integers of a quantised tensor. */
    readonly quantizer?: Quantizer,
    /** The path or URL of the file, for messages. */
    readonly file?: string,
  ) {
    this.values = isDtype(dtype) ? viewAs(dtype, bytes) : bytes;
  }

  /**
   * The values in their own form: halves and float8 as raw bits, bool as 0 and 1, complex numbers
   * as alternating parts, quantised ones as integers, and types smaller than a byte as bytes.
   *
   * @throws CheckpointError if there are none: for a sparse tensor, or one on the meta device.
   */
  get data(): EntryData {
    return this.values;
  }

  /**
   * The values as float32: exact if float32 can hold them, else rounded; quantised ones are
   * dequantised. float32 arrays are not copied.
   *
   * @throws CheckpointError for complex numbers, and for types smaller than a byte.
   */
  toFloat32(): Float32Array {
    const dtype = this.realDtype();
    const { data, quantizer } = this;
    return quantizer ? dequantize(dtype, data, this.shape, quantizer) : toFloat32(dtype, data);
  }

  /**
   * The values as float64.
   *
   * @throws CheckpointError for complex numbers, and for types smaller than a byte.
   */
  toFloat64(): Float64Array {
    const dtype = this.realDtype();
    return this.quantizer ? new Float64Array(this.toFloat32()) : toFloat64(dtype, this.data);
  }

  /**
   * The values as int32, with fractions cut off.
   *
   * @throws CheckpointError if a value is out of range, unless `clamp` replaces it by the nearest
   *   that is not.
   */
  toInt32(options?: { clamp?: boolean }): Int32Array {
    const { clamp } = readOptions("toInt32", { clamp: false }, options);
    const { data, key, file } = this;
    if (data instanceof Int32Array && this.dtype === "int32") return data;
    const numbers = this.toFloat64();
    const integers = new Int32Array(numbers.length);
    for (let i = 0; i < numbers.length; i += 1) {
      const value = Math.trunc(numbers[i]!);
      if (value >= INT32_MIN && value <= INT32_MAX) integers[i] = value;
      else if (clamp) integers[i] = Math.min(Math.max(value, INT32_MIN), INT32_MAX);
      else {
        throw new CheckpointError(
          `'${key}' holds ${value} (${this.dtype}), which does not fit in int32; ` +
            "{ clamp: true } takes the nearest that does",
          { key, file },
        );
      }
    }
    return integers;
  }

  /** The dtype, if the values are real numbers; else an error. */
  private realDtype(): Dtype {
    const { dtype, key, file, quantizer } = this;
    const isBare = dtype.startsWith("q") && quantizer === undefined;
    const isPacked = isDtype(dtype) && DTYPES[dtype].bits < 8 && quantizer === undefined;
    const isOther = /^bits|_x2$/.test(dtype);
    if (isDtype(dtype) && !isComplex(dtype) && !isPacked && !isBare && !isOther) return dtype;
    const why = isBare ? " without a scale" : "";
    const message = `'${key}' is ${dtype}${why}, which has no real values: use its data`;
    throw new CheckpointError(message, { key, file });
  }
}

/** A tensor without plain values. It is listed; only reading its values is an error. */
export class UnreadableEntry extends Entry {
  constructor(
    /** What kind of tensor it is, with an article. */
    private readonly what: string,
    dtype: Dtype | ForeignDtype,
    shape: readonly number[],
    key: string,
    file: string,
  ) {
    super(dtype, shape, new Uint8Array(), key, undefined, file);
  }

  override get data(): never {
    const { key, file, what } = this;
    const message = `'${key}' is ${what}; only tensors of plain values are read`;
    throw new CheckpointError(message, { key, file });
  }

  // All accesses report what kind of tensor it is.
  override toFloat32(): never {
    return this.data;
  }

  override toFloat64(): never {
    return this.data;
  }

  override toInt32(): never {
    return this.data;
  }
}
