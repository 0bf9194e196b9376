/** The compile bench in a page, where WebAssembly has multiply-add: against onnxruntime-web there. */
import * as ort from "onnxruntime-web/wasm";
import * as nn from "sconce";
import { supports } from "../lib/kernels/cpu/index.js";
import { benchModel, type ModelRow, modelsNamed, type RunOptions } from "./compile.js";
import { onnx, ours, readExample } from "./peers.js";

const get = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(`/${name}`)).arrayBuffer());

/** As `settled` does in Node. */
async function settle(): Promise<void> {
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

export interface BrowserResult {
  browser: string;
  fma: boolean;
  rows: ModelRow[];
}

export async function compileInBrowser(
  models: readonly string[] | null,
  options: RunOptions,
): Promise<BrowserResult> {
  await nn.setBackend("cpu");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await get("ort-wasm-simd-threaded.wasm")).buffer;
  const peers = [ours("ours", 1), onnx("ort-web", ort, 1)];
  const rows: ModelRow[] = [];
  for (const model of modelsNamed(models)) {
    const { inputs, expected } = await readExample(await get(`${model.name}.io.safetensors`));
    const files = {
      onnx: await get(`${model.name}.onnx`),
      weights: await get(`${model.name}.safetensors`),
      inputs,
    };
    rows.push(await benchModel(model, files, expected, peers, { ...options, settle }));
  }
  const browser = navigator.userAgent.match(/Chrome\/\d+/)?.[0] ?? navigator.userAgent;
  return { browser, fma: supports("fma"), rows };
}
