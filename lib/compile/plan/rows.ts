import { elementwise, type Heap } from "../../kernels/cpu/index.js";
import type { Node } from "../../graph/index.js";
import type { Statics } from "./statics.js";

/**
 * Copies the rows of a static weight into the heap piece by piece, see {@link Heap.inPieces}. A
 * scale that was folded into the weight is applied there, by a kernel.
 */
export function inPieces(
  heap: Heap,
  statics: Statics,
  weight: Node,
  sizes: { rows: number; row: number; grain: number },
  use: (piece: number, first: number, count: number) => void,
): void {
  const { of, factors } = statics.unscaled(weight);
  const write = statics.writer(of);
  if (factors === null) {
    heap.inPieces(write, sizes, use);
    return;
  }
  const by = heap.put(factors);
  const { row } = sizes;
  heap.inPieces(write, sizes, (piece, first, count) => {
    const strides = [[row, 1], [1, 0]]; // prettier-ignore
    const scale = elementwise(heap, { steps: [["mul", 0, 1]], shape: [count, row], strides });
    scale.run({ inputs: [piece, by + first * 4], out: piece });
    use(piece, first, count);
  });
  heap.free(by);
}
