/** `npm run bench`: prints what was measured here and now; each question has its own file. */
import Table from "cli-table3";
import { cpus } from "node:os";
import type { BackendName } from "sconce";
import { inBrowser } from "./browser.js";
import { benchLayers, type Row } from "./layers.js";

function print(rows: readonly Row[]): void {
  const table = new Table({
    head: [
      "backend",
      "model",
      "batch",
      "model(x) ms",
      "bare tfjs ms",
      "ratio",
      "µs a layer over bare",
    ],
    style: { head: [], border: [] },
    colAligns: ["left", "left", "right", "right", "right", "right", "right"],
  });
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

console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`);
console.log("medians of interleaved rounds in one process; webgl in headless Chromium\n");
const rows: Row[] = [];
for (const backend of ["cpu", "wasm"] satisfies BackendName[])
  rows.push(...(await benchLayers(backend)));
rows.push(...(await inBrowser<Row[]>("bench/layers.ts", "benchLayers", "webgl")));
print(rows);
