/** Sizes and strides, in elements. */

export const numelOf = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);

/** Whether the elements are row-major and without gaps. */
export function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Whether values are valid sizes or strides: integers that can be counted exactly. */
export const areSizes = (values: readonly unknown[]): values is readonly number[] =>
  values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);

export const rowMajorStride = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => numelOf(shape.slice(axis + 1)));

/** The strides of a column-major array. */
export const fortranStride = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => numelOf(shape.slice(0, axis)));
