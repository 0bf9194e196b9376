/**
 * The compile bench in a page, where WebAssembly has fused multiply-add, beside onnxruntime-web.
 */
import * as ort from "onnxruntime-web/wasm";
import * as nn from "sconce";
import { supports } from "../lib/kernels/cpu/index.js";
import { benchModel, type ModelRow, modelsNamed, open, type RunOptions } from "./compile.js";
import { filesOf, onnx, ours, type Peer } from "./peers.js";

const get = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(`/${name}`)).arrayBuffer());

/** The counterpart of `settled`, which runs in Node. */
async function settle(): Promise<void> {
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

export interface BrowserResult {
  browser: string;
  fma: boolean;
  rows: ModelRow[];
}

const readFiles = (name: string): ReturnType<typeof filesOf> =>
  filesOf((kind) => get(`${name}.${kind}`));

async function makePeers(): Promise<Peer[]> {
  await nn.setBackend("cpu");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await get("ort-wasm-simd-threaded.wasm")).buffer;
  return [ours("ours", 1), onnx("ort-web", ort, 1)];
}

/** Milliseconds until a model's first result. */
export async function firstInBrowser(name: string, peer: string): Promise<number> {
  const peers = await makePeers();
  const { expected, ...files } = await readFiles(name);
  const [model] = modelsNamed([name]);
  const one = peers.find((each) => each.name === peer)!;
  return (await open(one, model!, files, expected, settle)).first;
}

export async function compileInBrowser(
  models: readonly string[] | null,
  options: RunOptions,
): Promise<BrowserResult> {
  const peers = await makePeers();
  const rows: ModelRow[] = [];
  for (const model of modelsNamed(models)) {
    const { expected, ...files } = await readFiles(model.name);
    rows.push(await benchModel(model, files, expected, peers, { ...options, settle }));
  }
  const browser = navigator.userAgent.match(/Chrome\/\d+/)?.[0] ?? navigator.userAgent;
  return { browser, fma: supports("fma"), rows };
}
