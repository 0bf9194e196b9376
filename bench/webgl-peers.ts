/** The ways of running a model that the WebGL bench compares. */
import * as tf from "@tensorflow/tfjs-core";
import type * as Ort from "onnxruntime-web";
import * as nn from "sconce";
import { DECOMPOSED, optimise } from "../lib/compile/passes/index.js";
import { SHAPES_ONLY } from "../lib/compile/shapes.js";
import { createTfjsEngine } from "../lib/compile/tfjs/engine.js";
import type { CompiledPlan } from "../lib/compile/target.js";
import { record } from "../lib/compile/trace.js";
import { type BenchModel, firstTensor, type Input, toTensor } from "./models.js";
import { loaded, onnx, type Peer } from "./peers.js";
import { transformers } from "./webgl-transformers.js";

/**
 * Eager; tfjs's fused ops on the optimised graph, as its converter would fuse them; compiled;
 * compiled on tfjs's webgpu backend; onnxruntime-web by provider; and transformers.js for MiniLM.
 */
export type WebglPeer =
  | "eager"
  | "fused"
  | "compiled"
  | "webgpu-eager"
  | "webgpu-compiled"
  | "ort-webgl"
  | "ort-webgpu"
  | "ort-wasm"
  | "transformers-wasm"
  | "transformers-webgpu";

type Run = (...args: unknown[]) => unknown;

/** One of our own ways. `open` returns a function that takes the model's arguments. */
const tensors = (
  name: string,
  backend: nn.BackendName,
  open: (model: nn.Module, args: unknown[]) => Promise<Run>,
): Peer => ({
  name,
  open: async (bench: BenchModel, files) => {
    if ((await nn.setBackend(backend)) !== backend) throw new Error(`no ${backend} here`);
    const model = await loaded(bench, files);
    const { args = (given: tf.Tensor[]) => given, result = firstTensor } = bench;
    return async () => {
      const example = files.inputs.map(toTensor);
      const run = await open(model, args(example));
      tf.dispose(example);
      const call = async (inputs: readonly Input[]): Promise<Float32Array> => {
        const given = inputs.map(toTensor);
        const output = await run(...args(given));
        const values = await result(output).data<"float32">();
        tf.dispose([given, output as tf.TensorContainer]);
        return values;
      };
      return { call, dispose: () => model.dispose() };
    };
  },
});

const eager = (name: string, backend: nn.BackendName): Peer =>
  tensors(name, backend, (model) => {
    const run: Run = (...args) => tf.tidy(() => model(...(args as never[])) as tf.TensorContainer);
    return Promise.resolve(run);
  });

const compiled = (name: string, backend: nn.BackendName): Peer =>
  tensors(name, backend, async (model, args) => {
    const fast = (await nn.compile(model, args, { plans: 16 })) as nn.Compiled;
    return (...given) => fast.run(...(given as never[]));
  });

/** The fused graph, traced anew for each shape of the first argument. */
const fused = tensors("fused", "webgl", (model) => {
  const plans = new Map<string, CompiledPlan>();
  const engine = createTfjsEngine(model);
  const run: Run = (...args) => {
    const inputs = args.flat() as tf.Tensor[];
    const key = inputs[0]!.shape.join();
    let plan = plans.get(key);
    if (plan === undefined) {
      const { graph, dispose } = record(model, args, DECOMPOSED, SHAPES_ONLY);
      dispose();
      plans.set(key, (plan = engine.plan(optimise(graph))));
    }
    const results = plan.execute(inputs);
    const [output, ...others] = [...new Set(plan.graph.output!.inputs())];
    for (const one of others) results(one).dispose();
    return results(output!);
  };
  return Promise.resolve(run);
});

/** onnxruntime-web as its makers build it, served beside the page. */
async function ort(
  build: string,
  provider: "wasm" | "webgl" | "webgpu",
  wasm: string,
): Promise<Peer> {
  if (provider === "webgpu" && !(await navigator.gpu?.requestAdapter())) {
    throw new Error("no WebGPU adapter here");
  }
  const runtime = (await import(/* @vite-ignore */ build)) as typeof Ort;
  runtime.env.logLevel = "error";
  runtime.env.wasm.numThreads = 1;
  if (wasm) runtime.env.wasm.wasmBinary = await (await fetch(wasm)).arrayBuffer();
  return onnx(`ort-${provider}`, runtime, 1, provider);
}

export const WEBGL_PEERS: Readonly<Record<WebglPeer, () => Peer | Promise<Peer>>> = {
  eager: () => eager("eager", "webgl"),
  fused: () => fused,
  compiled: () => compiled("compiled", "webgl"),
  "webgpu-eager": () => eager("webgpu-eager", "webgpu"),
  "webgpu-compiled": () => compiled("webgpu-compiled", "webgpu"),
  "ort-webgl": () => ort("/ort.webgl.min.mjs", "webgl", ""),
  "ort-webgpu": () => ort("/ort.webgpu.bundle.min.mjs", "webgpu", "/ort-wasm-simd-threaded.asyncify.wasm"), // prettier-ignore
  "ort-wasm": () => ort("/ort.wasm.bundle.min.mjs", "wasm", "/ort-wasm-simd-threaded.wasm"),
  "transformers-wasm": () => transformers("wasm"),
  "transformers-webgpu": () => transformers("webgpu"),
};
