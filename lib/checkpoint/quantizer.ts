/** How the integers of a quantised tensor become real: (q − zeroPoint) · scale. */
export interface Quantizer {
  /** One, or one for each index of the axis. */
  scale: readonly number[];
  zeroPoint: readonly number[];
  axis?: number;
}

export function dequantize(
  values: ArrayLike<number>,
  shape: readonly number[],
  { scale, zeroPoint, axis }: Quantizer,
): Float32Array {
  const inner = shape.slice((axis ?? -1) + 1).reduce((product, size) => product * size, 1);
  const channels = axis === undefined ? 1 : shape[axis]!;
  return Float32Array.from(values, (value, i) => {
    const channel = channels === 1 ? 0 : Math.floor(i / inner) % channels;
    return Math.fround(value - zeroPoint[channel]!) * Math.fround(scale[channel]!);
  });
}
