/**
 * Writes what `run.ts` found into docs/exported.md:
 *
 *     npx tsx spec/zoo/table.ts FOLDER
 */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { version_core as tfjs } from "@tensorflow/tfjs-core";
import { format } from "prettier";
import { load } from "../../lib/index.js";
import type { Exported, Result } from "./run.js";

const PAGE = new URL("../../docs/exported.md", import.meta.url);
const BACKENDS = ["cpu", "wasm", "webgl"] as const;
const BATCHES = ["static", "dynamic"] as const;

type Found = Record<string, Result | undefined>;

const readJson = async <T>(file: string): Promise<T> =>
  JSON.parse(await readFile(file, "utf8")) as T;

function cell(result: Result | undefined): string {
  if (result === undefined) return "–";
  if ("failed" in result) return "fails";
  const share = `${(result.worst * 100).toPrecision(2)} %`;
  return result.worst <= 1 ? share : `differs: ${share}`;
}

/** Two cells that say the same are one. */
const joined = (cells: readonly string[]): string => [...new Set(cells)].join(" / ");

/** The largest number that comes out, of which the tolerance must be a small part. */
async function largest(stem: string): Promise<string> {
  let most = 0;
  for (const [key, entry] of await load(`${stem}-static.safetensors`)) {
    if (!key.startsWith("out") || entry.dtype !== "float32") continue;
    for (const value of entry.toFloat32()) most = Math.max(most, Math.abs(value));
  }
  return most.toPrecision(2);
}

async function main(folder: string): Promise<void> {
  const found = {} as Record<(typeof BACKENDS)[number], Found>;
  for (const backend of BACKENDS) {
    const file = join(folder, "results", `${backend}.json`);
    found[backend] = await readJson<Found>(file).catch(() => ({}));
  }
  const files = (await readdir(folder)).filter((name) => name.endsWith("-static.json"));
  const notes: string[] = [];
  const rows: string[] = [];
  let versions: Record<string, string> = {};
  for (const name of files.map((file) => file.replace("-static.json", "")).sort()) {
    const ops: string[] = [];
    let bytes = 0;
    for (const batch of BATCHES) {
      const stem = `${name}-${batch}`;
      const exported = await readJson<Exported>(join(folder, `${stem}.json`));
      if ("refused" in exported) {
        notes.push(`- \`${name}\`, ${batch}: ${exported.refused.split("\n")[0]}`);
        continue;
      }
      ({ versions } = exported);
      bytes = (await stat(join(folder, `${stem}.pt2`))).size;
      const result = BACKENDS.map((backend) => found[backend][stem]).find((one) => one);
      if (result !== undefined && "ops" in result) ops.push(String(result.ops));
    }
    const cells = BACKENDS.map((backend) =>
      joined(BATCHES.map((batch) => cell(found[backend][`${name}-${batch}`]))),
    );
    const size = bytes < 1e7 ? (bytes / 1e6).toPrecision(2) : String(Math.round(bytes / 1e6));
    rows.push([name, joined(ops), size, await largest(join(folder, name)), ...cells].join(" | "));
  }
  const names = Object.entries({ ...versions, "tfjs-core": tfjs }).map((pair) => pair.join(" "));
  const table = [
    `Of ${names.join(", ")}, Node ${process.version}; the batch is fixed / dynamic:`,
    "",
    `| model | ops | MB | largest output | ${BACKENDS.join(" | ")} |`,
    `| --- | --: | --: | --: | ${BACKENDS.map(() => "--:").join(" | ")} |`,
    ...rows.map((row) => `| ${row} |`),
    "",
    ...(notes.length > 0 ? ["torch.export itself refuses:", "", ...notes] : []),
  ];
  const page = await readFile(PAGE, "utf8");
  const [begin, end] = ["<!-- zoo -->", "<!-- /zoo -->"];
  const [before, rest] = page.split(begin);
  const after = rest!.split(end)[1];
  const text = `${before}${begin}\n\n${table.join("\n")}\n${end}${after}`;
  await writeFile(PAGE, await format(text, { parser: "markdown", printWidth: 100 }));
}

await main(process.argv[2]!);
