import type { Call, Heap } from "./heap.js";

/**
 * Runs something while calls of compiled functions are recorded instead of made. JavaScript code
 * runs as usual.
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
