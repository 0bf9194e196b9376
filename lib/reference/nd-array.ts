import { formatArray } from "./format.js";
import {
  broadcastShapes,
  broadcastStrides,
  checkMatmul,
  formatShape,
  offsetOf,
  sizeOf,
  stridesOf,
} from "./shape.js";

/** A number, or a nested list of numbers. */
export type Nested = number | readonly Nested[];

/** An array, or nested lists of numbers: what functions accept as arrays. */
export type ArrayLike = NdArray | Nested;

/**
 * A row-major array of float64 numbers, with the part of `numpy.ndarray` that the lesson needs.
 *
 * Source: https://numpy.org/doc/stable/reference/arrays.ndarray.html
 */
export class NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;

  /** @throws RangeError if the shape does not hold as many numbers as there are. */
  constructor(shape: readonly number[], data: Float64Array) {
    if (data.length !== sizeOf(shape)) {
      throw new RangeError(
        `cannot reshape array of size ${data.length} into shape ${formatShape(shape)}`,
      );
    }
    this.shape = [...shape];
    this.data = data;
  }

  /** An array of the values that `make` returns, one call for each element. */
  static generate(shape: readonly number[], make: (index: number) => number): NdArray {
    const length = sizeOf(shape);
    return new NdArray(
      shape,
      Float64Array.from({ length }, (_, index) => make(index)),
    );
  }

  get ndim(): number {
    return this.shape.length;
  }

  get size(): number {
    return this.data.length;
  }

  /** The array with its axes in reverse order: of a matrix, the transpose. */
  get T(): NdArray {
    return this.transpose();
  }

  /** The array with its axes in reverse order: of a matrix, the transpose. */
  transpose(): NdArray {
    const shape = this.shape.toReversed();
    const strides = stridesOf(this.shape).reverse();
    return NdArray.generate(shape, (index) => this.data[offsetOf(index, shape, strides)]!);
  }

  /** The array of `f(x)` for each number x. */
  map(f: (x: number) => number): NdArray {
    return new NdArray(
      this.shape,
      this.data.map((x) => f(x)),
    );
  }

  /**
   * The sum element by element; sizes of 1 and missing ones repeat (numpy's broadcasting).
   *
   * @throws RangeError if the shapes do not broadcast.
   */
  add(other: ArrayLike): NdArray {
    const right = array(other);
    const shape = broadcastShapes(this.shape, right.shape);
    const a = broadcastStrides(this.shape, shape);
    const b = broadcastStrides(right.shape, shape);
    return NdArray.generate(
      shape,
      (index) => this.data[offsetOf(index, shape, a)]! + right.data[offsetOf(index, shape, b)]!,
    );
  }

  /**
   * The matrix product, (..., n, k) by (k, m) to (..., n, m). A vector on the left counts as a row,
   * on the right as a column, and the result lacks that dimension.
   *
   * @throws RangeError if the inner sizes differ, or if the right operand has more than 2
   *   dimensions.
   */
  matmul(other: ArrayLike): NdArray {
    const right = array(other);
    checkMatmul(this.shape, right.shape);
    const [inner = 0, columns = 1] = right.shape;
    const shape = [...this.shape.slice(0, -1), ...right.shape.slice(1)];
    return NdArray.generate(shape, (index) => {
      const row = Math.floor(index / columns);
      const column = index % columns;
      let sum = 0;
      for (let i = 0; i < inner; i++) {
        sum += this.data[row * inner + i]! * right.data[i * columns + column]!;
      }
      return sum;
    });
  }

  /** The numbers as nested lists; a single number if there are no dimensions. */
  toList(): Nested {
    const strides = stridesOf(this.shape);
    const read = (axis: number, start: number): Nested =>
      axis === this.ndim
        ? this.data[start]!
        : Array.from({ length: this.shape[axis]! }, (_, i) =>
            read(axis + 1, start + i * strides[axis]!),
          );
    return read(0, 0);
  }

  /** What numpy's `print(array)` shows. */
  toString(): string {
    return formatArray(this.shape, this.data);
  }
}

/**
 * `np.array(values)`: an array of nested lists; an array stays as it is.
 *
 * @throws RangeError if lists of one depth differ in length.
 */
export function array(values: ArrayLike): NdArray {
  if (values instanceof NdArray) return values;
  const shape: number[] = [];
  for (let list: Nested | undefined = values; typeof list === "object"; list = list[0]) {
    shape.push(list.length);
  }
  const data: number[] = [];
  const read = (value: Nested, axis: number): void => {
    const isNumber = typeof value === "number";
    if (isNumber ? axis !== shape.length : value.length !== shape[axis]) {
      throw new RangeError(
        "setting an array element with a sequence. The requested array has an inhomogeneous " +
          `shape after ${axis} dimensions. The detected shape was ` +
          `${formatShape(shape.slice(0, axis))} + inhomogeneous part.`,
      );
    }
    if (isNumber) data.push(value);
    else value.forEach((item) => read(item, axis + 1));
  };
  read(values, 0);
  return new NdArray(shape, Float64Array.from(data));
}

/** `np.linspace`: `num` numbers in equal steps from `start` to `stop`, both included. */
export function linspace(start: number, stop: number, num = 50): NdArray {
  if (num < 0) throw new RangeError(`Number of samples, ${num}, must be non-negative.`);
  const step = (stop - start) / (num - 1);
  return NdArray.generate([num], (i) => {
    if (i === 0) return start;
    return i === num - 1 ? stop : i * step + start;
  });
}
