import type * as tf from "@tensorflow/tfjs-core";
import type { CompiledPlan } from "./target.js";

/** What one kernel call of a run took. */
export interface ProfileRow {
  /** The node of the graph. */
  node: string;
  /** The path of the module that called it. */
  module: string;
  kernel: string;
  milliseconds: number;
  /** Floating point operations; 0 where they are not counted. */
  flops: number;
  /** Billions of operations per second; 0 also where the time was too short to measure. */
  gflops: number;
  /** The bytes that it reads and writes. */
  bytes: number;
}

/** Where the time of a run goes: per kernel call and per module. */
export interface Profile {
  rows: ProfileRow[];
  /** Milliseconds of each module by its path, including the modules in it. */
  modules: Map<string, number>;
  milliseconds: number;
  toString(): string;
}

export function profileOf(plan: CompiledPlan, inputs: readonly tf.Tensor[]): Profile {
  const { times } = plan.profile(inputs);
  const rows = plan.describe().map(({ node, kernel, flops, bytes }, i): ProfileRow => {
    const milliseconds = times[i]!;
    const gflops = milliseconds > 0 ? flops / milliseconds / 1e6 : 0;
    const { module = "" } = node.meta;
    return { node: node.name, module, kernel, milliseconds, flops, gflops, bytes };
  });
  const modules = new Map<string, number>();
  for (const { module, milliseconds } of rows) {
    const path = module.split(".");
    for (let i = module === "" ? 0 : path.length; i >= 0; i -= 1) {
      const at = path.slice(0, i).join(".");
      modules.set(at, (modules.get(at) ?? 0) + milliseconds);
    }
  }
  const milliseconds = rows.reduce((sum, row) => sum + row.milliseconds, 0);
  return { rows, modules, milliseconds, toString: () => table(rows, milliseconds) };
}

function table(rows: readonly ProfileRow[], total: number): string {
  const cells = rows.map((row) => [
    row.module || "-",
    row.node,
    row.kernel,
    row.milliseconds.toFixed(3),
    row.gflops ? row.gflops.toFixed(1) : "",
    (row.bytes / 1024).toFixed(0),
  ]);
  const all = [["module", "node", "kernel", "ms", "GFLOP/s", "KiB"], ...cells];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const lines = all.map((row) =>
    row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
  return [...lines, `${total.toFixed(3)} ms in all`].join("\n");
}
