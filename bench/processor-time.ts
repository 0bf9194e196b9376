/**
 * The processor time of a browser's processes. Other load on the machine affects it much less than
 * time by the clock.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended meanwhile
  }
};

/** A process's parent, from `pid (name) state parent …`. */
const parentOf = (pid: string): string => read(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ")[1] ?? ""; // prettier-ignore

function isOurs(pid: string): boolean {
  for (let one = pid; one && one !== "0"; one = parentOf(one)) {
    if (Number(one) === process.pid) return true;
  }
  return false;
}

/** The browser's GPU process and its pages' processes. */
function processes(): string[] {
  return readdirSync("/proc").filter((pid) => {
    const isKind = /--type=(gpu-process|renderer)/.test(read(`/proc/${pid}/cmdline`));
    return /^\d+$/.test(pid) && isKind && isOurs(pid);
  });
}

/** Milliseconds of processor time of all threads of a process. */
const worked = (pid: string): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const nanoseconds = read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0];
    return sum + Number(nanoseconds) / 1e6;
  }, 0);

/** Gives a page `processorTime()`, in milliseconds; 0 on systems without `/proc`. */
export async function tellingProcessorTime(page: Page): Promise<void> {
  let known: string[] | null = null;
  const ask = (): number => {
    if (!existsSync("/proc/self/schedstat")) return 0;
    known ??= processes();
    return known.reduce((sum, pid) => sum + worked(pid), 0);
  };
  await page.exposeFunction("processorTime", ask);
}
