/** PyTorch's print options and numpy's, at their defaults. */
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;

/** What of an array is printed: all, or the edges of what has more than 1000 elements. */
export interface Shown {
  /** The indices along each axis, and `null` for the dots. */
  axes: (number | null)[][];
  strides: number[];
  /** The elements at those indices. */
  values: number[];
}

export function shownOf(data: ArrayLike<number>, shape: readonly number[]): Shown {
  const axes = shape.map((size) => {
    const all = Array.from({ length: size }, (_, i): number | null => i);
    if (data.length <= THRESHOLD || size <= 2 * EDGE_ITEMS) return all;
    return [...all.slice(0, EDGE_ITEMS), null, ...all.slice(-EDGE_ITEMS)];
  });
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const visible = (axis: number, start: number): number[] =>
    axis === shape.length
      ? [data[start]!]
      : axes[axis]!.flatMap((i) =>
          i === null ? [] : visible(axis + 1, start + i * strides[axis]!),
        );
  return { axes, strides, values: visible(0, 0) };
}
