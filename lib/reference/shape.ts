/** A shape as Python prints a tuple: `(2, 4)`, `(4,)`, `()`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** As numpy prints a shape in the errors of its operators: `(2,4)`. */
const formatTight = (shape: readonly number[]): string => formatShape(shape).replaceAll(" ", "");

/** The number of elements of an array with that shape. */
export function sizeOf(shape: readonly number[]): number {
  for (const size of shape) {
    if (!Number.isInteger(size)) {
      throw new TypeError(`'${typeof size}' ${String(size)} cannot be interpreted as an integer`);
    }
    if (size < 0) throw new RangeError(`negative dimensions are not allowed, but got ${size}`);
  }
  return shape.reduce((product, size) => product * size, 1);
}

/** The strides of row-major data. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** The offset of an element for those strides; `index` counts in row-major order over `shape`. */
export function offsetOf(
  index: number,
  shape: readonly number[],
  strides: readonly number[],
): number {
  let offset = 0;
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    offset += (rest % size) * strides[axis]!;
    rest = Math.floor(rest / size);
  }
  return offset;
}

/**
 * The shape of `a + b`: aligned at the last axis, sizes of 1 and missing ones are repeated.
 *
 * @throws RangeError if two sizes differ and none is 1.
 */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const ndim = Math.max(a.length, b.length);
  return Array.from({ length: ndim }, (_, axis) => {
    const sizeA = a[axis - ndim + a.length] ?? 1;
    const sizeB = b[axis - ndim + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new RangeError(
        `operands could not be broadcast together with shapes ${formatTight(a)} ${formatTight(b)}`,
      );
    }
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/**
 * The strides by which an array of `shape` is read as one of shape `target`: 0 where it repeats.
 */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const missing = target.length - shape.length;
  const strides = stridesOf(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  return [...new Array<number>(missing).fill(0), ...strides];
}

/**
 * Refuses operands that `matmul` cannot multiply, with numpy's message.
 *
 * @throws RangeError
 */
export function checkMatmul(a: readonly number[], b: readonly number[]): void {
  const signature = "(n?,k),(k,m?)->(n?,m?)";
  [a, b].forEach((shape, operand) => {
    if (shape.length > 0) return;
    throw new RangeError(
      `matmul: Input operand ${operand} does not have enough dimensions ` +
        `(has 0, gufunc core with signature ${signature} requires 1)`,
    );
  });
  if (b.length > 2) {
    throw new RangeError(
      `matmul: Input operand 1 must have 1 or 2 dimensions here, but has shape ${formatShape(b)}`,
    );
  }
  if (a.at(-1) !== b[0]) {
    throw new RangeError(
      "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature " +
        `${signature} (size ${b[0]} is different from ${a.at(-1)})`,
    );
  }
}
