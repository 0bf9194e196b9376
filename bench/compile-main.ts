/** `npm run bench -- compile [--model a,b] [--peers a,b] [--rounds n] [--page] [--chart file.svg]` */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { inBrowserWith } from "./browser.js";
import type { BrowserResult } from "./compile-browser.js";
import { compileInNode, type NodeOptions, pageFolders } from "./compile-node.js";
import { chart, printRows } from "./compile-report.js";

export interface CompileBenchOptions extends NodeOptions {
  /** Whether to run in Chromium too. */
  page: boolean;
  /** Where to write the chart. */
  chart?: string;
}

export async function benchCompile(options: CompileBenchOptions): Promise<void> {
  const began = performance.now();
  const rows = await compileInNode(options);
  printRows(`Node ${process.version}`, rows);
  const result: Record<string, unknown> = {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    node: process.version,
    rows,
  };
  if (options.page) {
    const { models, rounds } = options;
    const page = await inBrowserWith<BrowserResult>(
      pageFolders, "bench/compile-browser.ts", "compileInBrowser", models, { rounds, budget: 3000 },
    ); // prettier-ignore
    printRows(`${page.browser}, ${page.fma ? "multiply-add" : "SIMD"}`, page.rows);
    result.page = page;
  }
  await mkdir("out", { recursive: true });
  await writeFile("out/compile.json", JSON.stringify(result, null, 2));
  if (options.chart) await writeFile(options.chart, chart(rows));
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s; numbers in out/compile.json`);
  process.exit(); // onnxruntime's threads would keep the process
}
