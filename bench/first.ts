/**
 * `npm run bench -- first [--model a,b] [--rounds n] [--page]`: the time to the first result in a
 * fresh process or page, which is how long a user waits. The bench `compile` also reports a first
 * result, but in a process that has run other models before.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inBrowserWith } from "./browser.js";
import { exportModels, pageFolders } from "./compile-node.js";
import { modelsNamed } from "./compile.js";
import { median } from "./timing.js";

export interface FirstRow {
  title: string;
  /** `Node` or `page`. */
  where: string;
  /** Medians in milliseconds. */
  ours: number;
  web: number;
}

export interface FirstOptions {
  models: readonly string[] | null;
  rounds: number;
  page: boolean;
}

const MAIN = fileURLToPath(new URL("main.js", import.meta.url));

function inProcess(model: string, peer: string): Promise<number> {
  const output = execFileSync(process.execPath, [MAIN, "first-of", model, peer], {
    encoding: "utf8",
  });
  return Promise.resolve(Number(output.trim().split("\n").at(-1)));
}

const inPage = (model: string, peer: string): Promise<number> =>
  inBrowserWith(pageFolders, "bench/compile-browser.ts", "firstInBrowser", model, peer);

export async function benchFirst({ models, rounds, page }: FirstOptions): Promise<FirstRow[]> {
  exportModels();
  const places = { Node: inProcess, ...(page && { page: inPage }) };
  const rows: FirstRow[] = [];
  for (const { name, title } of modelsNamed(models)) {
    for (const [where, first] of Object.entries(places)) {
      const times: Record<"ours" | "ort-web", number[]> = { ours: [], "ort-web": [] };
      for (let round = 0; round < rounds; round += 1) {
        for (const peer of ["ours", "ort-web"] as const) times[peer].push(await first(name, peer));
      }
      rows.push({ title, where, ours: median(times.ours), web: median(times["ort-web"]) });
    }
  }
  return rows;
}
