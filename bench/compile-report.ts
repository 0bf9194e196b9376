/** The results of the compile bench: a table, geometric means, JSON, and a chart. */
import * as Plot from "@observablehq/plot";
import Table from "cli-table3";
import { parseHTML } from "linkedom";
import { meanRatio, type ModelRow } from "./compile.js";

/** Prints a row for each model: our milliseconds, and the ratio of each peer's time to ours. */
export function printRows(title: string, rows: readonly ModelRow[]): void {
  const names = [...new Set(rows.flatMap(({ peers }) => Object.keys(peers)))];
  const others = names.filter((name) => name !== "ours");
  const head = [title, ...names.map((name) => `${name} ms`), "first ours/ort-web", "error"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { title: model, peers } of rows) {
    const { ours, "ort-web": web } = peers;
    const cells = names.map((name) => {
      const ms = peers[name]?.ms;
      if (ms === undefined) return "";
      const ratio = name === "ours" || !ours ? "" : ` (${(ms / ours.ms).toFixed(2)}×)`;
      return `${ms.toFixed(ms < 10 ? 2 : 1)}${ratio}`;
    });
    const first = ours && web ? `${ours.first.toFixed(0)}/${web.first.toFixed(0)}` : "";
    table.push([model, ...cells, first, ours?.error.toExponential(0) ?? ""]);
  }
  console.log(table.toString());
  for (const name of others) {
    const mean = meanRatio(rows, name, "ours");
    if (!Number.isNaN(mean)) console.log(`geometric mean of ${name} / ours: ${mean.toFixed(2)}`);
  }
}

const LABELS: Record<string, string> = {
  ours: "sconce, compiled",
  "ort-web": "onnxruntime-web",
  "tfjs-wasm": "tfjs wasm",
  "tfjs-cpu": "tfjs cpu",
  "ort-node": "onnxruntime-node (native)",
};

/** A chart of the milliseconds of each model and peer on a logarithmic scale, as SVG. */
export function chart(rows: readonly ModelRow[]): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const data = rows.flatMap(({ title, peers }) =>
    Object.entries(LABELS).flatMap(([name, runtime]) => {
      const ms = peers[name]?.ms;
      return ms === undefined ? [] : [{ model: title, runtime, ms }];
    }),
  );
  const plot = Plot.plot({
    document,
    width: 760,
    height: 74 + rows.length * 34,
    marginLeft: 150,
    marginBottom: 44,
    style: { background: "white", fontSize: "12px" },
    x: {
      type: "log",
      label: "milliseconds a run, one thread (logarithmic) →",
      labelOffset: 40,
      tickFormat: (ms: number) => (Math.log10(ms) % 1 === 0 ? String(ms) : ""),
      grid: true,
    },
    y: { label: null, domain: rows.map(({ title }) => title) },
    symbol: { legend: false },
    color: { legend: true, domain: Object.values(LABELS).filter((one) => data.some(({ runtime }) => runtime === one)) }, // prettier-ignore
    marks: [
      Plot.ruleY(data, Plot.groupY({ x1: "min", x2: "max" }, { x: "ms", y: "model", stroke: "#ccc" })), // prettier-ignore
      Plot.dot(data, { x: "ms", y: "model", fill: "runtime", r: 5 }),
    ],
  });
  return standalone(plot);
}

/** The figure as a single SVG, with its legend drawn above the plot. */
export function standalone(figure: Element): string {
  const svgs = [...figure.querySelectorAll("svg")];
  const plot = figure.tagName.toLowerCase() === "svg" ? figure : svgs.at(-1)!;
  const swatches = [...figure.querySelectorAll("span")].filter((one) => one.querySelector("svg"));
  let x = 150;
  const legend = swatches.map((swatch) => {
    const text = swatch.textContent ?? "";
    const colour = swatch.querySelector("svg")!.getAttribute("fill") ?? "black";
    const at = x;
    x += 24 + text.length * 6.4;
    return `<circle cx="${at}" cy="12" r="5" fill="${colour}"/><text x="${at + 9}" y="16" fill="#333">${text}</text>`;
  });
  const inner = plot.outerHTML.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" y="24" ');
  const height = Number(plot.getAttribute("height")) + 24;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="${height}" font-family="system-ui, sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>${legend.join("")}${inner}</svg>\n`;
}
