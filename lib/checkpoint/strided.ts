/** Tensors that do not lie row-major, put so. */

export interface Layout {
  shape: readonly number[];
  /** In elements, as is the offset. */
  stride: readonly number[];
  offset: number;
  /** Bytes of an element. */
  itemSize: number;
}

export const numelOf = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);

/** Whether the elements lie as they are read: row-major, without gaps. */
export function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Whether these are sizes, or strides: integers that are counted with exactly. */
export const areSizes = (values: readonly unknown[]): values is readonly number[] =>
  values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);

export const rowMajorStride = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => numelOf(shape.slice(axis + 1)));

/** The strides of an array whose first axis is the fastest. */
export const fortranStride = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => numelOf(shape.slice(0, axis)));

/** The elements in row-major order, copied. */
export function gather(bytes: Uint8Array, { shape, stride, offset, itemSize }: Layout): Uint8Array {
  const out = new Uint8Array(numelOf(shape) * itemSize);
  if (out.length === 0) return out;
  // Elements move as words of 4, 2 or 1 bytes: as numbers, NaNs would not keep their bits.
  const Words = itemSize % 4 === 0 ? Uint32Array : itemSize === 2 ? Uint16Array : Uint8Array;
  const words = itemSize / Words.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % Words.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const length = Math.floor(aligned.byteLength / Words.BYTES_PER_ELEMENT);
  const from = new Words(aligned.buffer as ArrayBuffer, aligned.byteOffset, length);
  const to = new Words(out.buffer);

  const last = shape.length - 1;
  const count = shape[last] ?? 1;
  const step = (stride[last] ?? 0) * words;
  const index = new Array<number>(Math.max(last, 0)).fill(0);
  let row = offset * words;
  let at = 0;
  while (at < to.length) {
    if (step === words) {
      to.set(from.subarray(row, row + count * words), at);
      at += count * words;
    } else {
      for (let i = 0, source = row; i < count; i += 1, source += step) {
        for (let k = 0; k < words; k += 1) to[at++] = from[source + k]!;
      }
    }
    for (let axis = last - 1; axis >= 0; axis -= 1) {
      row += stride[axis]! * words;
      if (++index[axis]! < shape[axis]!) break;
      row -= shape[axis]! * stride[axis]! * words;
      index[axis] = 0;
    }
  }
  return out;
}

/** The bytes with those of every word reversed, copied. */
export function swapBytes(bytes: Uint8Array, word: number): Uint8Array {
  if (word === 1) return bytes;
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += word) {
    for (let k = 0; k < word; k += 1) swapped[i + k] = bytes[i + word - 1 - k]!;
  }
  return swapped;
}
