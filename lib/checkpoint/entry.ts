import { type Dtype, DTYPES, type EntryData, isComplex, viewAs } from "./dtype.js";
import { CheckpointError } from "./errors.js";
import { bfloat16ToFloat32, e8m0ToFloat32, isSmallFloat, smallToFloat32 } from "./float.js";
import { dequantize, type Quantizer } from "./quantizer.js";

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** A tensor of a checkpoint, row-major, in the file's own dtype. */
export class Entry {
  /**
   * The values; halves and float8 kinds as their raw bits, bool as 0 and 1, complex numbers as their
   * two parts in turn, quantised ones as their integers, what is smaller than a byte as bytes.
   *
   * @throws CheckpointError if it has none: a sparse tensor, one of the meta device.
   */
  get data(): EntryData {
    return this.values;
  }

  private readonly values: EntryData;

  constructor(
    readonly dtype: Dtype,
    readonly shape: readonly number[],
    bytes: Uint8Array,
    /** Its name in the checkpoint, for messages. */
    readonly key = "",
    /** Of a quantised tensor: what its integers mean. */
    readonly quantizer?: Quantizer,
  ) {
    this.values = viewAs(dtype, bytes);
  }

  /**
   * The values as float32: exactly for what float32 holds, else rounded to it; quantised ones
   * dequantised. float32 itself is not copied.
   *
   * @throws CheckpointError for complex numbers and packed ones of less than a byte.
   */
  toFloat32(): Float32Array {
    this.checkReal();
    const { dtype, data, quantizer } = this;
    if (quantizer && !isBig(data)) return dequantize(data, this.shape, quantizer);
    if (data instanceof Float32Array) return data;
    if (isSmallFloat(dtype)) return smallToFloat32(dtype, data as Uint8Array | Uint16Array);
    if (dtype === "bfloat16") return bfloat16ToFloat32(data as Uint16Array);
    if (dtype === "float8_e8m0fnu") return e8m0ToFloat32(data as Uint8Array);
    if (isBig(data)) return Float32Array.from(data, Number);
    return Float32Array.from(data);
  }

  /**
   * The values as float64.
   *
   * @throws CheckpointError for complex numbers and packed ones of less than a byte.
   */
  toFloat64(): Float64Array {
    this.checkReal();
    const { data } = this;
    if (data instanceof Float64Array) return data;
    if (isBig(data)) return Float64Array.from(data, Number);
    const isInteger = /^(u?int|bool)/.test(this.dtype);
    return Float64Array.from(isInteger ? data : this.toFloat32());
  }

  /**
   * The values as int32, fractions cut off.
   *
   * @throws CheckpointError if one does not fit, unless `clamp` moves it to the nearest that does.
   */
  toInt32({ clamp = false }: { clamp?: boolean } = {}): Int32Array {
    if (this.dtype === "int32") return this.data as Int32Array;
    return Int32Array.from(this.toFloat64(), (value) => {
      if (value >= INT32_MIN && value <= INT32_MAX) return value;
      if (clamp) return Math.min(Math.max(value, INT32_MIN), INT32_MAX);
      throw new CheckpointError(
        `'${this.key}' holds ${value} (${this.dtype}), which does not fit in int32; ` +
          "toInt32({ clamp: true }) takes the nearest that does",
        { key: this.key },
      );
    });
  }

  private checkReal(): void {
    const { dtype, key } = this;
    const isPacked = DTYPES[dtype].bits < 8 || dtype === "float4_e2m1fn_x2";
    const isBare = dtype.startsWith("q") && this.quantizer === undefined;
    if (!isComplex(dtype) && !isPacked && !isBare && !dtype.startsWith("bits")) return;
    const why = isBare && !isPacked ? " without a scale" : "";
    throw new CheckpointError(
      `'${key}' is ${dtype}${why}, which has no real values: use its data`,
      {
        key,
      },
    );
  }
}

/** A tensor that is there but has no plain values; only its use is an error. */
export class UnreadableEntry extends Entry {
  constructor(
    /** What it is, with its article. */
    private readonly what: string,
    dtype: Dtype,
    shape: readonly number[],
    key: string,
  ) {
    super(dtype, shape, new Uint8Array(), key);
  }

  override get data(): never {
    throw new CheckpointError(`'${this.key}' is ${this.what}, which has no plain values`, {
      key: this.key,
    });
  }
}

function isBig(data: EntryData): data is BigInt64Array | BigUint64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}
