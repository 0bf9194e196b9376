import type { Call, Heap } from "./heap.js";

/**
 * Runs something without effect and tells what compiled functions it calls. What runs in JavaScript
 * takes place all the same.
 */
export function record(heap: Heap, run: () => void): Call[] {
  const outer = heap.recorded;
  const calls: Call[] = [];
  heap.recorded = calls;
  try {
    run();
  } finally {
    heap.recorded = outer;
  }
  return calls;
}
