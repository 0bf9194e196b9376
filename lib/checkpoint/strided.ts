/** Makes tensors row-major. */
import { allocate } from "./allocate.js";
import { numelOf } from "./sizes.js";
import { inPieces, type LoadTask } from "./task.js";

export interface Layout {
  shape: readonly number[];
  /** In elements, as the offset is. */
  stride: readonly number[];
  offset: number;
  /** The bytes of an element. */
  itemSize: number;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/** How many elements are moved before others have a turn: some milliseconds' work. */
export const PIECE = 2 ** 18;

/** Copies the elements in row-major order. */
export async function gather(
  bytes: Uint8Array,
  { shape, stride, offset, itemSize }: Layout,
  task?: LoadTask,
): Promise<Uint8Array> {
  const out = allocate(numelOf(shape) * itemSize);
  if (out.length === 0) return out;
  // Elements are moved as words of 4, 2 or 1 bytes, since as numbers NaNs would not keep their
  // bits.
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
  let column = 0;
  await inPieces(task, to.length / words, PIECE, (begin, end) => {
    for (let at = begin; at < end;) {
      const run = Math.min(count - column, end - at);
      const source = row + column * step;
      if (step === words) to.set(from.subarray(source, source + run * words), at * words);
      else copyRun({ from, source, step, words }, to, at * words, (at + run) * words);
      at += run;
      column += run;
      if (column < count) break;
      column = 0;
      for (let axis = last - 1; axis >= 0; axis -= 1) {
        row += stride[axis]! * words;
        if (++index[axis]! < shape[axis]!) break;
        row -= shape[axis]! * stride[axis]! * words;
        index[axis] = 0;
      }
    }
  });
  return out;
}

interface Run {
  from: Words;
  source: number;
  step: number;
  words: number;
}

/** Fills [at, end) with elements at a distance of `step` words. */
function copyRun({ from, source, step, words }: Run, to: Words, at: number, end: number): void {
  for (; at < end; source += step) {
    for (let k = 0; k < words; k += 1) to[at++] = from[source + k]!;
  }
}

/** A copy with the bytes of every word reversed. */
export async function swapBytes(
  bytes: Uint8Array,
  word: number,
  task?: LoadTask,
): Promise<Uint8Array> {
  if (word === 1) return bytes;
  const swapped = allocate(bytes.length);
  await inPieces(task, bytes.length, PIECE, (begin, end) => {
    for (let i = begin; i < end; i += word) {
      for (let k = 0; k < word; k += 1) swapped[i + k] = bytes[i + word - 1 - k]!;
    }
  });
  return swapped;
}
