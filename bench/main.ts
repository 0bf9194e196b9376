/** `npm run bench`: runs benches and prints their results. Each bench has its own file. */
import Table from "cli-table3";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import type { BackendName } from "sconce";
import type { CompileBenchOptions } from "./compile-main.js";
import type { EagerRow } from "./eager.js";
import type { FirstRow } from "./first.js";
import type { Row } from "./layers.js";
import type { LengthsRow } from "./lengths.js";
import type { LoadExportedRow } from "./load-exported.js";
import type { LoadRow } from "./load.js";
import type { MemoryRow } from "./memory.js";
import type { PrecisionRow } from "./precision.js";

/** A table with names aligned left and numbers aligned right. */
const tableOf = (head: string[], names: number): Table.Table =>
  new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, i) => (i < names ? "left" : "right")),
  });

function print(rows: readonly Row[]): void {
  const table = tableOf(
    ["backend", "model", "batch", "model(x) ms", "bare tfjs ms", "ratio", "µs a layer over bare"],
    2,
  );
  for (const { backend, model, batch, layers, ours, bare } of rows) {
    const over = ((ours - bare) / layers) * 1000;
    table.push([
      backend,
      model,
      batch,
      ours.toFixed(3),
      bare.toFixed(3),
      (ours / bare).toFixed(2),
      over.toFixed(1),
    ]);
  }
  console.log(table.toString());
}

function printLoad(rows: readonly LoadRow[]): void {
  const table = tableOf(["90 MB in Node", "ms", "of a bare read, or copy"], 1);
  for (const { what, ms, ratio } of rows) {
    table.push([what, ms.toFixed(1), ratio === null ? "" : ratio.toFixed(2)]);
  }
  console.log(table.toString());
}

function printLoadExported(rows: readonly LoadExportedRow[]): void {
  const table = tableOf(
    ["100 MB .pt2 in Node", "read ms", "read, upload ms", "loadExported ms", "ratio"],
    1,
  );
  for (const { backend, read, readAndUpload, load } of rows) {
    const times = [read, readAndUpload, load].map((ms) => ms.toFixed(0));
    table.push([backend, ...times, (load / readAndUpload).toFixed(2)]);
  }
  console.log(table.toString());
}

function printEager(rows: readonly EagerRow[]): void {
  const table = tableOf(
    ["model on cpu", "eager ms", "with sconce/cpu ms", "compiled ms", "ratios"],
    1,
  );
  for (const { model, eager, replaced, compiled } of rows) {
    const ratios = [eager, replaced].map((ms) => (ms / compiled).toFixed(2));
    const times = [eager, replaced, compiled].map((ms) => ms.toFixed(2));
    table.push([model, ...times, ratios.join(", ")]);
  }
  console.log(table.toString());
}

function printPrecision(rows: readonly PrecisionRow[]): void {
  const table = tableOf(["model on cpu", "weights as", "MB", "error", "ms", "of float32"], 2);
  for (const { model, precision, weights, error, ms, ratio } of rows) {
    table.push([model, precision, weights.toFixed(1), error.toExponential(1), ms.toFixed(2), ratio.toFixed(2)]); // prettier-ignore
  }
  console.log(table.toString());
}

function printLengths(rows: readonly LengthsRow[]): void {
  const table = tableOf(
    ["MiniLM on texts of", "texts", "ours ms", "onnxruntime-web ms", "ratio"],
    1,
  );
  for (const { of, texts, ours, web } of rows) {
    table.push([of, texts, ours.toFixed(1), web.toFixed(1), (web / ours).toFixed(2)]);
  }
  console.log(table.toString());
}

function printMemory(rows: readonly MemoryRow[]): void {
  const table = tableOf(["500 MB", "to", "memory beyond the tensors, in files"], 2);
  for (const { file, where, over } of rows) table.push([file, where, over.toFixed(2)]);
  console.log(table.toString());
}

function printFirst(rows: readonly FirstRow[]): void {
  const table = tableOf(["first result of", "in", "ours ms", "onnxruntime-web ms", "ratio"], 2);
  for (const { title, where, ours, web } of rows) {
    table.push([title, where, ours.toFixed(0), web.toFixed(0), (web / ours).toFixed(1)]);
  }
  console.log(table.toString());
}

async function layers(): Promise<void> {
  const { benchLayers } = await import("./layers.js");
  const { inBrowser } = await import("./browser.js");
  const rows: Row[] = [];
  for (const backend of ["cpu", "wasm"] satisfies BackendName[])
    rows.push(...(await benchLayers(backend)));
  rows.push(...(await inBrowser<Row[]>("bench/layers.ts", "benchLayers", "webgl")));
  print(rows);
}

/**
 * Each bench imports only what it needs: other modules would lengthen the engine's garbage
 * collections.
 */
const BENCHES: Record<string, () => Promise<void>> = {
  layers,
  load: async () => printLoad(await (await import("./load.js")).benchLoad()),
  memory: async () => printMemory(await (await import("./memory.js")).benchMemory()),
  "load-exported": async () =>
    printLoadExported(await (await import("./load-exported.js")).benchLoadExported()),
  eager: async () => printEager(await (await import("./eager.js")).benchEager()),
  precision: async () => printPrecision(await (await import("./precision.js")).benchPrecision()),
  compile: async () => (await import("./compile-main.js")).benchCompile(options()),
  first: async () => {
    const { benchFirst } = await import("./first.js");
    printFirst(await benchFirst({ ...options(), rounds: Number(flags.rounds ?? 5) }));
  },
  // Prints the milliseconds of one first result. The bench `first` starts it in a new process.
  "first-of": async () => {
    const [, model, peer] = positionals;
    console.log(await (await import("./compile-node.js")).firstInNode(model!, peer!));
    process.exit();
  },
  lengths: async () => printLengths(await (await import("./lengths.js")).benchLengths()),
  footprint: async () => console.log(await (await import("./footprint.js")).footprint()),
  browser: async () =>
    (await import("./webgl-report.js")).reportWebgl({ ...options(), append: flags.append }),
};

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    peers: { type: "string" },
    rounds: { type: "string" },
    page: { type: "boolean", default: false },
    chart: { type: "string" },
    append: { type: "boolean", default: false },
  },
});
const options = (): CompileBenchOptions => ({
  models: flags.model?.split(",") ?? null,
  peers: flags.peers?.split(",") ?? null,
  rounds: Number(flags.rounds ?? 15),
  page: flags.page,
  chart: flags.chart,
});
const [name = "layers"] = positionals;
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (!bench)
  throw new Error(`bench: unknown '${name}'; there are ${Object.keys(BENCHES).join(", ")}`);
console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`);
console.log("medians of interleaved rounds; webgl in headless Chromium\n");
await bench();
