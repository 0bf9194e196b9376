/** The compile bench in Node: fetches what it needs into a cache, runs, and writes the results. */
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

/** The folders whose files a bench page fetches. */
export const pageFolders = [modelFolder, dirname(resolve("onnxruntime-web"))];

/** Has PyTorch write the models as ONNX and safetensors files, unless they are there already. */
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
 * onnxruntime-web fixes its number of threads at first use. Two numbers in one process therefore
 * need two of its builds, which share the same WebAssembly.
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

/**
 * onnxruntime-node takes 290 MB. It is fetched for the bench, to keep it out of the dependencies.
 */
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

/** Milliseconds until a model's first result. */
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
  // onnxruntime's threads spin while they wait, which would take a core from the other candidates.
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
