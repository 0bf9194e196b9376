import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 30));

/**
 * Waits until memory of the last run has been freed. The engine frees memory outside its heap when
 * more is requested, partly in later tasks, which would otherwise fall into the next run.
 */
export async function settled(): Promise<void> {
  for (let i = 0; i < 2; i += 1) {
    await pause(); // the last result becomes garbage, and other threads free its memory
    collect();
  }
  await pause();
}
