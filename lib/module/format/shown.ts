/** PyTorch's print options and numpy's, at their defaults. */
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;

/** Which elements of an array are printed: all, or only the edges if there are more than 1000. */
export interface Shown {
  /** The printed indices along each axis; `null` stands for dots. */
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
