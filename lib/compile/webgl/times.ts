import type { Device } from "../../kernels/webgl/device.js";
import { Sequence } from "../../kernels/webgl/launch.js";
import type { Host } from "./builder.js";

/** A draw is repeated for so long that waiting for the GPU does not count, and not more often. */
const LEAST_MS = 4;
const MOST_TIMES = 1024;

/** How often a wait for nothing is timed. */
const WAITS = 5;

/**
 * Milliseconds of each step of a plan that has just run. A GPU's timers tell only after the page has had
 * its turn, and `profile` answers at once: so the GPU is waited for, a draw is repeated until that is
 * little beside it, which gives the same numbers again, and what a wait for nothing takes is deducted.
 */
export function timesOf(
  device: Device,
  sequences: readonly (Sequence | Host)[],
  runHost: (step: Host) => void,
): number[] {
  const timed = (run: () => void): number => {
    const began = performance.now();
    run();
    device.wait();
    return performance.now() - began;
  };
  device.wait();
  const nothing = (): void => {};
  const wait = Math.min(...Array.from({ length: WAITS }, () => timed(nothing)));
  return sequences.flatMap((step) => {
    if (!(step instanceof Sequence)) return timed(() => runHost(step)); // reads back, and so waits itself
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
