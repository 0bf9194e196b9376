/** Refuses an invalid number of elements, with PyTorch's message. */
export function checkSize(size: number): void {
  if (!Number.isInteger(size)) {
    throw new TypeError(`the number of elements must be an integer, but got ${String(size)}`);
  }
  if (size < 0) {
    throw new RangeError(`Trying to create tensor with negative dimension ${size}: [${size}]`);
  }
}

/** A number as C++ prints it: six significant digits. */
export const formatFloat = (x: number): string =>
  Number.isNaN(x) ? "nan" : String(Number(x.toPrecision(6)));
