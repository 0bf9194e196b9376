/** Softmax and log-softmax over the last dimension. */
import type { Heap } from "./heap.js";
import { inJs } from "./on-demand.js";
import { type Kernel, share } from "./kernel.js";
import { emitSoftmax, emitStripSoftmax } from "./wasm/softmax.js";

type Softmax = (x: number, out: number, rows: number, n: number) => void;

export interface SoftmaxLibrary {
  softmax: Softmax;
  logSoftmax: Softmax;
  stripSoftmax: (
    x: number, xRow: number, out: number, queries: number, keys: number, scale: number,
    mask: number, maskRow: number, seen: number, least: number, along: number, adds: number,
  ) => void; // prettier-ignore
}

export const softmaxOf = (heap: Heap): SoftmaxLibrary =>
  heap.library(
    "softmax",
    (module) => {
      emitSoftmax(module);
      emitStripSoftmax(module);
    },
    (own: Heap) => inJs().softmaxInJs(own),
  );

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

/** A row of nothing but -∞ gives NaN, as in PyTorch. */
export function softmax(heap: Heap, { rows, n, log }: SoftmaxSpec): Kernel<SoftmaxPointers> {
  const run = softmaxOf(heap)[log ? "logSoftmax" : "softmax"];
  return {
    workspaceBytes: 0,
    run: ({ x, out }, part = 0, parts = 1) => {
      const [from, to] = share(rows, part, parts);
      const skip = from * n * 4;
      run(x + skip, out + skip, to - from, n);
    },
  };
}
