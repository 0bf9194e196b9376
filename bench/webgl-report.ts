/** `npm run bench -- browser`: every model by every way of running it on WebGL, each in a page of its own. */
import * as Plot from "@observablehq/plot";
import Table from "cli-table3";
import { parseHTML } from "linkedom";
import { mkdir, writeFile } from "node:fs/promises";
import { inBrowser } from "./browser.js";
import { geometricMean } from "./timing.js";
import type { WebglPeer, WebglRow } from "./webgl.js";

/** Spelt out: importing the page's code would start a backend here. */
const MODELS = ["mlp_b1", "mlp_b64", "mobilenet_v2", "encoder", "lstm", "efficientnet_lite0", "resnet18"]; // prettier-ignore
const PEERS: readonly WebglPeer[] = ["eager", "fused", "compiled"];

/** A new page is opened only within this time. */
const BUDGET_S = 9 * 60;
const SECONDS_EACH = 5;

export interface Choice {
  models: readonly string[] | null;
  peers: readonly string[] | null;
  rounds?: number;
}

export async function reportWebgl({ models, peers, rounds = 15 }: Choice): Promise<void> {
  const rows: WebglRow[] = [];
  const until = Date.now() + 1000 * BUDGET_S;
  for (const model of pick("model", models, MODELS)) {
    for (const peer of pick("peer", peers, PEERS)) {
      if (Date.now() > until) {
        console.log(`left out for want of time: ${model}, ${peer}`);
        continue;
      }
      const options = { rounds, seconds: SECONDS_EACH };
      rows.push(await inBrowser<WebglRow>("bench/webgl.ts", "benchWebgl", model, peer, options));
    }
  }
  console.log(`GPU: ${rows[0]?.renderer ?? "none"}`);
  print(rows);
  await mkdir("out", { recursive: true });
  await writeFile("out/webgl.json", JSON.stringify(rows, null, 2));
  await writeFile("out/webgl.svg", draw(rows));
  console.log("saved as out/webgl.json and out/webgl.svg");
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
      ...["model", "by", "first ms", "steady ms", "eager / it", "draws", "programs"],
      ...["MB up first", "kB up a call", "long tasks", "longest ms"],
    ],
    style: { head: [], border: [] },
  });
  const ratios = new Map<WebglPeer, number[]>();
  for (const row of rows) {
    const eager = rows.find((one) => one.model === row.model && one.peer === "eager");
    const ratio = eager ? eager.steady / row.steady : null;
    if (ratio !== null) ratios.set(row.peer, [...(ratios.get(row.peer) ?? []), ratio]);
    table.push([
      ...[row.model, row.peer, row.first.toFixed(0), row.steady.toFixed(1)],
      ...[ratio?.toFixed(2) ?? "", row.draws, row.programs],
      ...[(row.uploadedFirst / 1e6).toFixed(1), (row.uploaded / 1e3).toFixed(0)],
      ...[row.longTasks, row.longest.toFixed(0)],
    ]);
  }
  console.log(table.toString());
  for (const [peer, all] of ratios) {
    console.log(`geometric mean of eager / ${peer}: ${geometricMean(all).toFixed(2)}`);
  }
}

function draw(rows: readonly WebglRow[]): string {
  const { document } = parseHTML("<html></html>");
  const plot = Plot.plot({
    document,
    width: 760,
    marginLeft: 130,
    x: { type: "log", label: "ms a call", grid: true },
    y: { label: null },
    color: { legend: false, domain: PEERS, range: ["#a8a29e", "#0f766e", "#c2410c"] },
    marks: [
      Plot.ruleY(rows, { y: "model", stroke: "#e7e5e4" }),
      Plot.dot(rows, { x: "steady", y: "model", fill: "peer", r: 6, title: "peer" }),
    ],
  });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return plot.outerHTML;
}
