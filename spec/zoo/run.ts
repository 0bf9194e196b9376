/**
 * Runs what `export.py` wrote and compares with PyTorch; fails if anything differs:
 *
 *     npx tsx spec/zoo/run.ts FOLDER cpu|wasm|webgl [name ...]
 *
 * What was found is kept in `FOLDER/results/BACKEND.json`, from which `table.ts` writes the page.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inBrowserWith } from "../../bench/browser.js";
import type { BackendName } from "../../lib/index.js";
import { compare, type Golden, type Outcome } from "./compare.js";

/** What `export.py` wrote, or why it could not. */
export type Exported = (Golden & { versions: Record<string, string> }) | { refused: string };

export type Result = Outcome | { failed: string };

const readJson = async <T>(file: string): Promise<T> =>
  JSON.parse(await readFile(file, "utf8")) as T;

/** Chromium's own error stands before ours. */
const message = (error: unknown): string =>
  (error as Error).message.replace(/^page\.evaluate: (Error: )?/, "");

async function runOne(folder: string, stem: string, backend: BackendName): Promise<Result | null> {
  const golden = await readJson<Exported>(join(folder, `${stem}.json`));
  if ("refused" in golden) return null;
  try {
    if (backend !== "webgl") return await compare(join(folder, stem), golden, backend);
    const args = [`/${stem}`, golden, backend];
    return await inBrowserWith([folder], "spec/zoo/compare.ts", "compare", ...args);
  } catch (error) {
    return { failed: message(error) };
  }
}

const isGood = (result: Result): boolean =>
  !("failed" in result) && result.worst <= 1 && result.left === 0;

function describe(result: Result): string {
  if ("failed" in result) return `FAILED: ${result.failed}`;
  const { worst, where, seconds, left } = result;
  const text = `${(worst * 100).toFixed(1)} % of the tolerance, ${seconds.toFixed(1)} s`;
  if (left !== 0) return `LEAKS ${left} tensors, ${text}`;
  return worst <= 1 ? `ok, ${text}` : `DIFFERS, ${text}: ${where}`;
}

async function main([folder, backend, ...names]: string[]): Promise<void> {
  await mkdir(join(folder!, "results"), { recursive: true });
  const file = join(folder!, "results", `${backend}.json`);
  const stems = (await readdir(folder!))
    .flatMap((name) => (name.endsWith(".json") ? name.slice(0, -".json".length) : []))
    .filter((stem) => names.length === 0 || names.includes(stem.replace(/-(static|dynamic)$/, "")));
  for (const stem of stems.sort()) {
    const result = await runOne(folder!, stem, backend as BackendName);
    if (result === null) continue;
    console.log(`${stem} on ${backend}: ${describe(result)}`);
    if (!isGood(result)) process.exitCode = 1;
    // JSON has no infinity.
    const kept = { ...result, ...("worst" in result && { worst: Math.min(result.worst, 1e9) }) };
    // Others may have written meanwhile.
    const all = { ...(await readJson<object>(file).catch(() => ({}))), [stem]: kept };
    await writeFile(file, JSON.stringify(all, null, 1));
  }
}

await main(process.argv.slice(2));
