import { Sequence } from "../../kernels/webgl/launch.js";
import type { GpuMemory } from "./gpu.js";
import { type Ready, runHost } from "./ready.js";

/**
 * A draw is repeated for at least so long, so that the time of waiting for the GPU does not matter.
 */
const LEAST_MS = 4;
const MOST_TIMES = 1024;

/** How many times waiting for an idle GPU is measured. */
const WAITS = 5;

/**
 * Milliseconds of each step of a plan that has just run. A GPU's own timers answer only after the
 * page has had a turn, and `profile` is synchronous. So each draw is repeated (which gives the same
 * numbers again) until waiting for the GPU is small in comparison, and the time of waiting for an
 * idle GPU is subtracted.
 */
export function timesOf(memory: GpuMemory, ready: Ready): number[] {
  const { device } = memory;
  const timed = (run: () => void): number => {
    const began = performance.now();
    run();
    device.wait();
    return performance.now() - began;
  };
  device.wait();
  const nothing = (): void => {};
  const wait = Math.min(...Array.from({ length: WAITS }, () => timed(nothing)));
  return ready.sequences.flatMap((step) => {
    // Reads results back, and so waits by itself.
    if (!(step instanceof Sequence)) return timed(() => runHost(memory, ready, step));
    return step.launches.map((_, i) => {
      for (let times = 1; ; times *= 4) {
        const all = timed(() => {
          for (let n = 0; n < times; n += 1) step.run(i, i + 1);
        });
        const took = Math.max(0, all - wait);
        if (took >= LEAST_MS || times >= MOST_TIMES) return took / times;
      }
    });
  });
}
