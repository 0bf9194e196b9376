/** Softmax and log-softmax over the last dimension. */
import type { Heap } from "./heap.js";
import { inJs } from "./on-demand.js";
import { type Kernel, share } from "./kernel.js";
import { emitSoftmax } from "./wasm/softmax.js";

export interface SoftmaxLibrary {
  softmax: (
    x: number, out: number, rows: number, n: number, xRow: number, outRow: number, scale: number,
    mask: number, maskRow: number, valid: number, validStep: number, emptyIsZero: number,
  ) => void; // prettier-ignore
  logSoftmax: (x: number, out: number, rows: number, n: number) => void;
}

export const softmaxOf = (heap: Heap): SoftmaxLibrary["softmax"] =>
  heap.library("softmax", emitSoftmax, (own: Heap) => inJs().softmaxInJs(own), ["softmax"]).softmax;
const logSoftmaxOf = (heap: Heap): SoftmaxLibrary["logSoftmax"] =>
  heap.library("softmax", emitSoftmax, (own: Heap) => inJs().softmaxInJs(own), ["logSoftmax"])
    .logSoftmax;

export interface SoftmaxSpec {
  rows: number;
  n: number;
  log?: boolean;
}

export interface SoftmaxPointers {
  x: number;
  /** May be x. */
  out: number;
}

/** A row of -∞ alone gives NaN, as PyTorch's softmax. */
export function softmax(heap: Heap, spec: SoftmaxSpec): Kernel<SoftmaxPointers> {
  const { rows, n } = spec;
  const row = n * 4;
  const log = spec.log ? logSoftmaxOf(heap) : undefined;
  const plain = log ? undefined : softmaxOf(heap);
  return {
    workspaceBytes: 0,
    run: ({ x, out }, part = 0, parts = 1) => {
      const [from, to] = share(rows, part, parts);
      const skip = from * n * 4;
      log?.(x + skip, out + skip, to - from, n);
      plain?.(x + skip, out + skip, to - from, n, row, row, 1, 0, 0, n, 0, 0);
    },
  };
}
