/** `npm run bench -- browser`: runs every model in every way on WebGL, each in its own page. */
import * as Plot from "@observablehq/plot";
import Table from "cli-table3";
import { parseHTML } from "linkedom";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { withPage } from "./browser.js";
import { exportModels, modelFolder } from "./compile-node.js";
import { standalone } from "./compile-report.js";
import { cache, fetchPackage } from "./fetched.js";
import { samplingHeap } from "./heap-sampling.js";
import { tellingProcessorTime } from "./processor-time.js";
import { geometricMean } from "./timing.js";
import type { Failure, WebglRow } from "./webgl.js";
import type { WebglPeer } from "./webgl-peers.js";
import { TRANSFORMERS_FILES } from "./webgl-transformers.js";

/** Written out, since importing the page's code would start a tfjs backend here. */
const MODELS = ["mlp_b1", "mlp_b64", "resnet18", "mobilenet_v2", "encoder", "minilm", "efficientnet_lite0", "silero_vad", "lstm", "wordgpt"]; // prettier-ignore

const LABELS: Readonly<Record<WebglPeer, string>> = {
  eager: "tfjs webgl, eager",
  fused: "tfjs webgl, fused graph",
  compiled: "sconce, compiled",
  "webgpu-eager": "tfjs webgpu, eager",
  "webgpu-compiled": "tfjs webgpu, fused graph",
  "ort-webgl": "onnxruntime-web webgl",
  "ort-webgpu": "onnxruntime-web webgpu",
  "ort-wasm": "onnxruntime-web wasm",
  "transformers-wasm": "transformers.js wasm",
  "transformers-webgpu": "transformers.js webgpu",
};

/** After this many seconds no new page is opened. */
const BUDGET_S = 9 * 60;
const SECONDS_EACH = 5;

/**
 * transformers.js needs hundreds of MB. It is fetched for the bench, to keep it out of the
 * dependencies.
 */
async function transformersFolder(): Promise<string> {
  const folder = join(cache, "transformers");
  if (existsSync(join(folder, TRANSFORMERS_FILES.build))) return folder;
  const found = fetchPackage("@huggingface/transformers");
  const { resolve } = createRequire(join(found, "package.json"));
  const wasm = join(dirname(resolve("onnxruntime-web")), "ort-wasm-simd-threaded.asyncify.wasm");
  await mkdir(folder, { recursive: true });
  await copyFile(wasm, join(folder, TRANSFORMERS_FILES.wasm)); // its own version of onnxruntime, under another name
  await copyFile(join(found, "dist", TRANSFORMERS_FILES.build), join(folder, TRANSFORMERS_FILES.build)); // prettier-ignore
  return folder;
}

const isTransformers = (peer: string): boolean => peer.startsWith("transformers");

export interface Choice {
  models: readonly string[] | null;
  peers: readonly string[] | null;
  rounds?: number;
  /** Keeps the results of other models and peers that are in `out/webgl.json`. */
  append?: boolean;
}

interface Saved {
  rows: WebglRow[];
  failures: Failure[];
}

async function readSaved(): Promise<Saved> {
  return JSON.parse(await readFile("out/webgl.json", "utf8")) as Saved;
}

export async function reportWebgl({ models, peers, rounds = 15, append }: Choice): Promise<void> {
  exportModels();
  const folders = [modelFolder, dirname(createRequire(import.meta.url).resolve("onnxruntime-web"))];
  const chosen = pick("peer", peers, Object.keys(LABELS) as WebglPeer[]);
  let missing = "";
  if (chosen.some(isTransformers)) {
    await transformersFolder().then(
      (folder) => folders.push(folder),
      (error: unknown) => (missing = `it cannot be fetched: ${String(error)}`),
    );
  }
  const saved = append ? await readSaved() : { rows: [], failures: [] };
  const isNew = ({ model, peer }: WebglRow | Failure): boolean =>
    (models?.includes(model) ?? true) && (peers?.includes(peer) ?? true);
  const rows = saved.rows.filter((row) => !isNew(row));
  const failures = saved.failures.filter((one) => !isNew(one));
  const began = Date.now();
  for (const model of pick("model", models, MODELS)) {
    for (const peer of chosen) {
      if (isTransformers(peer) && model !== "minilm") continue;
      if (isTransformers(peer) && missing) {
        failures.push({ model, peer, reason: missing });
        continue;
      }
      if (Date.now() - began > 1000 * BUDGET_S) {
        failures.push({ model, peer, reason: "left out for want of time" });
        continue;
      }
      const options = { rounds, seconds: SECONDS_EACH };
      const call = `import("/bench.js").then((m) => m.benchWebgl(...${JSON.stringify([model, peer, options])}))`;
      const row = await withPage(folders, "bench/webgl.ts", async (page) => {
        await samplingHeap(page);
        await tellingProcessorTime(page);
        return page.evaluate<WebglRow | Failure>(call);
      });
      if ("reason" in row) failures.push(row);
      else rows.push(row);
    }
  }
  const order = ({ model, peer }: WebglRow): number =>
    100 * MODELS.indexOf(model) + Object.keys(LABELS).indexOf(peer);
  rows.sort((a, b) => order(a) - order(b));
  console.log(`GPU: ${rows[0]?.renderer ?? "none"}`);
  print(rows);
  for (const { model, peer, reason } of failures) {
    console.log(`not measured: ${model} by ${LABELS[peer]}: ${reason.split("\n")[0]}`);
  }
  await mkdir("out", { recursive: true });
  await writeFile("out/webgl.json", JSON.stringify({ rows, failures }, null, 2));
  await writeFile("out/webgl.svg", draw(rows));
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  console.log(`${seconds} s; saved as out/webgl.json and out/webgl.svg`);
}

function pick<T extends string>(
  what: string,
  wanted: readonly string[] | null,
  known: readonly T[],
): readonly T[] {
  const unknown = wanted?.find((one) => !known.includes(one as T));
  if (unknown) throw new Error(`bench: no ${what} '${unknown}'; there are ${known.join(", ")}`);
  return known.filter((one) => wanted?.includes(one) ?? true);
}

function print(rows: readonly WebglRow[]): void {
  const table = new Table({
    head: [
      ...["model", "by", "first ms", "steady ms", "its / ours", "first work", "work", "its / ours"],
      ...["draws", "programs"],
      ...["MB up first", "kB up a call", "kB made a run"],
      ...["long tasks", "longest ms", "error"],
    ],
    style: { head: [], border: [] },
  });
  const kinds = ["steady", "first", "steadyWork", "firstWork"] as const;
  const ratios = new Map<WebglPeer, Record<(typeof kinds)[number], number[]>>();
  for (const row of rows) {
    const ours = rows.find((one) => one.model === row.model && one.peer === "compiled");
    if (ours && ours !== row) {
      const known = ratios.get(row.peer) ?? {
        first: [],
        steady: [],
        firstWork: [],
        steadyWork: [],
      };
      for (const kind of kinds) known[kind].push(row[kind] / ours[kind]);
      ratios.set(row.peer, known);
    }
    table.push([
      ...[row.title, row.peer, row.first.toFixed(0), row.steady.toFixed(1)],
      ...[ours ? (row.steady / ours.steady).toFixed(2) : ""],
      ...[row.firstWork.toFixed(0), row.steadyWork.toFixed(1)],
      ...[ours ? (row.steadyWork / ours.steadyWork).toFixed(2) : "", row.draws, row.programs],
      ...[(row.uploadedFirst / 1e6).toFixed(1), (row.uploaded / 1e3).toFixed(0)],
      (row.allocated / 1e3).toFixed(1),
      ...[row.longTasks, row.longest.toFixed(0), row.error.toExponential(0)],
    ]);
  }
  console.log(table.toString());
  for (const [peer, known] of ratios) {
    const [a, b, c, d] = kinds.map((kind) => geometricMean(known[kind]).toFixed(2));
    console.log(
      `${LABELS[peer]} / compiled, geometric mean: steady ${a}, first result ${b}; ` +
        `of the processors' work ${c} and ${d}`,
    );
  }
}

function draw(rows: readonly WebglRow[]): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const data = rows.map(({ title, peer, steady }) => ({ title, by: LABELS[peer], ms: steady }));
  const titles = [...new Set(data.map(({ title }) => title))];
  const plot = Plot.plot({
    document,
    width: 760,
    height: 60 + 34 * titles.length,
    marginLeft: 150,
    style: { background: "white", fontSize: "12px" },
    x: { type: "log", label: "milliseconds a call, its numbers read (logarithmic) →", grid: true },
    y: { label: null, domain: titles },
    color: { legend: true, domain: Object.values(LABELS).filter((one) => data.some(({ by }) => by === one)) }, // prettier-ignore
    marks: [
      Plot.ruleY(data, Plot.groupY({ x1: "min", x2: "max" }, { x: "ms", y: "title", stroke: "#ccc" })), // prettier-ignore
      Plot.dot(data, { x: "ms", y: "title", fill: "by", r: 5 }),
    ],
  });
  return standalone(plot);
}
