/** A border of one number around the two inner dimensions of planes. */
import type { Heap } from "./heap.js";
import { imageLibrary } from "./image.js";
import type { Kernel } from "./kernel.js";

export interface PadSpec {
  planes: number;
  rows: number;
  width: number;
  top: number;
  bottom: number;
  left: number;
  right: number;
  value: number;
}

export interface PadPointers {
  /** `[planes, rows, width]`. */
  x: number;
  /** Up to 12 bytes behind it are written, too. */
  out: number;
}

export function pad(heap: Heap, spec: PadSpec): Kernel<PadPointers> {
  const { planes, rows, width, top, bottom, left, right, value } = spec;
  const run = imageLibrary(heap).pad;
  return {
    workspaceBytes: 0,
    onOneThread: true, // what is written too far is the next plane's to put right
    run: ({ x, out }) =>
      run(x, planes, rows * width * 4, rows, width, out, top, bottom, left, right, value),
  };
}
