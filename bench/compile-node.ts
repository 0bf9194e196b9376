/** The compile bench in Node: fetches what it needs into a cache, runs, and writes what it measured. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Ort from "onnxruntime-web";
import * as nn from "sconce";
import { benchModel, type ModelRow, modelsNamed, open, type RunOptions } from "./compile.js";
import { cache, fetchPackage } from "./fetched.js";
import { settled } from "./settled.js";
import { eager, filesOf, onnx, ours, type Peer } from "./peers.js";

const { resolve } = createRequire(import.meta.url);

export const modelFolder = join(cache, "models");

/** What a page of the bench fetches lies here. */
export const pageFolders = [modelFolder, dirname(resolve("onnxruntime-web"))];

/** The models as ONNX files and safetensors, written by PyTorch the first time. */
export function exportModels(): void {
  if (existsSync(join(modelFolder, "minilm_lengths.onnx"))) return;
  console.log(`writing the models to ${modelFolder}`);
  execFileSync(process.env.PYTHON ?? "python3", ["bench/export-models.py", modelFolder], {
    stdio: "inherit",
  });
}

export const readFiles = (name: string): ReturnType<typeof filesOf> =>
  filesOf((kind) => readFile(join(modelFolder, `${name}.${kind}`)));

/**
 * How many threads onnxruntime-web has, is settled when it is first used: so the two are two builds of
 * it, on the same WebAssembly.
 */
async function onnxWeb(threads: number): Promise<Peer> {
  const dist = pathToFileURL(resolve("onnxruntime-web"));
  const build = threads === 1 ? "ort.wasm.bundle.min.mjs" : "ort.node.min.mjs";
  const ort = (await import(new URL(build, dist).href)) as typeof Ort;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  const wasm = new URL("ort-wasm-simd-threaded.wasm", dist);
  ort.env.wasm.wasmBinary = (await readFile(wasm)).buffer;
  return onnx(threads === 1 ? "ort-web" : `ort-web-${threads}t`, ort, threads);
}

/** onnxruntime-node is 290 MB, so it is no dependency: it is fetched for the bench. */
function onnxNode(): Peer {
  const folder = fetchPackage("onnxruntime-node", { ONNXRUNTIME_NODE_INSTALL: "skip" });
  const ort = createRequire(join(folder, "package.json"))(folder) as typeof Ort;
  return onnx("ort-node", ort, 1, "cpu");
}

const PEERS: Record<string, () => Promise<Peer> | Peer> = {
  ours: () => ours("ours", 1),
  "ours-2t": () => ours("ours-2t", 2),
  "ort-web": () => onnxWeb(1),
  "ort-web-2t": () => onnxWeb(2),
  "ort-node": onnxNode,
  "tfjs-wasm": () => eager("tfjs-wasm", "wasm"),
  "tfjs-cpu": () => eager("tfjs-cpu", "cpu"),
};

export interface NodeOptions extends RunOptions {
  models: readonly string[] | null;
  peers: readonly string[] | null;
}

export async function peerNamed(name: string): Promise<Peer> {
  const make = PEERS[name];
  if (!make)
    throw new Error(`bench: no peer '${name}'; there are ${Object.keys(PEERS).join(", ")}`);
  return make();
}

/** Milliseconds to a model's first result. */
export async function firstInNode(name: string, peer: string): Promise<number> {
  await nn.setBackend("cpu");
  const { expected, ...files } = await readFiles(name);
  const [model] = modelsNamed([name]);
  return (await open(await peerNamed(peer), model!, files, expected, settled)).first;
}

export async function compileInNode(given: NodeOptions): Promise<ModelRow[]> {
  const options = { ...given, settle: settled };
  exportModels();
  await nn.setBackend("cpu");
  const names = options.peers ?? Object.keys(PEERS);
  const peers: Peer[] = [];
  for (const name of names) peers.push(await peerNamed(name));
  const rows: ModelRow[] = [];
  // The threads of onnxruntime wait by spinning, and would take a core from whoever else is timed.
  const isSpinning = ({ name }: Peer): boolean => name === "ort-web-2t";
  for (const model of modelsNamed(options.models)) {
    const { expected, ...files } = await readFiles(model.name);
    const others = peers.filter((peer) => !isSpinning(peer));
    rows.push(await benchModel(model, files, expected, others, options));
  }
  for (const peer of peers.filter(isSpinning)) {
    for (const row of rows) {
      const [model] = modelsNamed([row.model]);
      const { expected, ...files } = await readFiles(row.model);
      const { peers: alone } = await benchModel(model!, files, expected, [peer], { ...options, budget: 1500 }); // prettier-ignore
      Object.assign(row.peers, alone);
    }
  }
  return rows;
}
