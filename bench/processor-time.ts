/** What a browser's processes have computed: unlike time by the clock, other work barely changes it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended meanwhile
  }
};

/** The parent, from `pid (name) state parent …`. */
const parentOf = (pid: string): string => read(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ")[1] ?? ""; // prettier-ignore

function isOurs(pid: string): boolean {
  for (let one = pid; one && one !== "0"; one = parentOf(one)) {
    if (Number(one) === process.pid) return true;
  }
  return false;
}

/** The browser's GPU process and those of its pages. */
function processes(): string[] {
  return readdirSync("/proc").filter((pid) => {
    const isKind = /--type=(gpu-process|renderer)/.test(read(`/proc/${pid}/cmdline`));
    return /^\d+$/.test(pid) && isKind && isOurs(pid);
  });
}

/** Milliseconds that all threads of a process have run. */
const worked = (pid: string): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const nanoseconds = read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0];
    return sum + Number(nanoseconds) / 1e6;
  }, 0);

/** Lets a page ask `processorTime()`, in ms of one processor; 0 where no `/proc` tells. */
export async function tellingProcessorTime(page: Page): Promise<void> {
  let known: string[] | null = null;
  const ask = (): number => {
    if (!existsSync("/proc/self/schedstat")) return 0;
    known ??= processes();
    return known.reduce((sum, pid) => sum + worked(pid), 0);
  };
  await page.exposeFunction("processorTime", ask);
}
