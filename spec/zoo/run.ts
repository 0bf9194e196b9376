/**
 * Runs what `export.py` wrote, and compares with PyTorch:
 *
 *     npx tsx spec/zoo/run.ts FOLDER cpu|wasm [name ...]
 */
import * as tf from "@tensorflow/tfjs-core";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as nn from "../../lib/index.js";

type Nested = { $leaf: number } | Nested[] | { [key: string]: Nested } | number | null;

interface Golden {
  args: Nested[];
  kwargs: Record<string, Nested>;
  output: Nested;
}

const [folder, backend, ...names] = process.argv.slice(2) as [string, nn.BackendName, ...string[]];
const RTOL = 1e-3;
const ATOL = 1e-4;

const isLeaf = (value: Nested): value is { $leaf: number } =>
  typeof value === "object" && value !== null && "$leaf" in value;

function fill(nested: Nested, leaf: (index: number) => tf.Tensor): unknown {
  if (nested === null || typeof nested !== "object") return nested;
  if (isLeaf(nested)) return leaf(nested.$leaf);
  if (Array.isArray(nested)) return nested.map((one) => fill(one, leaf));
  return Object.fromEntries(Object.entries(nested).map(([key, one]) => [key, fill(one, leaf)]));
}

/** Pairs of what came out and the number of what should have. */
function* pairs(got: unknown, want: Nested, path = "output"): Generator<[tf.Tensor, number]> {
  if (want === null || typeof want !== "object") return;
  if (isLeaf(want)) {
    if (!(got instanceof tf.Tensor)) throw new Error(`${path} is ${typeof got}, not a tensor`);
    yield [got, want.$leaf];
    return;
  }
  for (const [key, one] of Object.entries(want)) {
    yield* pairs((got as Record<string, unknown>)[key], one, `${path}.${key}`);
  }
}

async function compare(stem: string): Promise<string> {
  const golden = JSON.parse(await readFile(join(folder, `${stem}.json`), "utf8")) as Golden;
  const values = await nn.load(join(folder, `${stem}.safetensors`));
  const program = await nn.loadExported(join(folder, `${stem}.pt2`));
  const leaf = (index: number): tf.Tensor => {
    const entry = values.get(`in${index}`)!;
    const isFloat = entry.dtype === "float32";
    const data = isFloat ? entry.toFloat32() : entry.toInt32();
    return tf.tensor(data, [...entry.shape], isFloat ? "float32" : "int32");
  };
  const args = fill(golden.args, leaf) as unknown[];
  const kwargs = fill(golden.kwargs, leaf) as Record<string, unknown>;
  const before = tf.memory().numTensors;
  const begin = performance.now();
  const output = program(...args, ...(Object.keys(kwargs).length > 0 ? [kwargs] : []));
  let worst = 0;
  let count = 0;
  for (const [got, index] of pairs(output, golden.output)) {
    const entry = values.get(`out${index}`)!;
    if (got.shape.join() !== entry.shape.join()) {
      throw new Error(`shape [${got.shape.join(", ")}] instead of [${entry.shape.join(", ")}]`);
    }
    const want = entry.toFloat32();
    const data = await got.data();
    for (let i = 0; i < want.length; i += 1) {
      const ratio = Math.abs(data[i]! - want[i]!) / (ATOL + RTOL * Math.abs(want[i]!));
      worst = Number.isNaN(ratio) ? Infinity : Math.max(worst, ratio);
    }
    count += 1;
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const left = tf.memory().numTensors - before - count;
  program.dispose();
  tf.dispose([args, kwargs, output] as tf.TensorContainer);
  const verdict = worst <= 1 ? "ok" : "DIFFERS";
  return `${verdict}, ${(worst * 100).toFixed(1)} % of the tolerance, ${seconds} s, ${left} left`;
}

await nn.setBackend(backend);
const stems = (await readdir(folder))
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.slice(0, -".json".length));
for (const stem of stems.sort()) {
  if (names.length > 0 && !names.some((name) => stem.startsWith(name))) continue;
  const result = await compare(stem).catch(
    (error: unknown) => `FAILED: ${(error as Error).message}`,
  );
  console.log(`${stem} on ${backend}: ${result}`);
}
