import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 30));

/**
 * Clears away what the last run left. The engine gives memory outside its heap back when more of it is
 * asked for, partly in the tasks that follow: it would be charged to the next run, if that waits for
 * anything.
 */
export async function settled(): Promise<void> {
  for (let i = 0; i < 2; i += 1) {
    await pause(); // the last result is let go of; memory is given back by other threads
    collect();
  }
  await pause();
}
