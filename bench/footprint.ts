/** What compiling costs beside time: bytes of a bundle, memory, and the overhead of a call. */
import * as tf from "@tensorflow/tfjs-core";
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as nn from "sconce";
import { resnet18 } from "../examples/models/resnet.js";
import { NNTorch } from "../examples/models/lesson.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Kilobytes, gzipped, of a bundle of the whole library without tfjs. */
async function bundleSize(without: readonly string[]): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: 'export * from "./lib/index.ts";', resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    external: ["@tensorflow/*", "node:*", ...without],
  });
  return gzipSync(outputFiles[0]!.contents).length / 1000;
}

export interface Footprint {
  /** Kilobytes of the whole library, gzipped. */
  whole: number;
  /** The same without what `nn.compile` loads when it is called. */
  withoutCompile: number;
  /** How much memory the process takes for a compiled resnet18, as a multiple of its weights. */
  memory: number;
  /** Microseconds of a call of the lesson's network, compiled. */
  overhead: number;
}

/** Memory is the whole process's: run this in a process of its own. */
export async function footprint(): Promise<Footprint> {
  await nn.setBackend("cpu");
  const model = resnet18();
  const x = nn.randn(1, 3, 224, 224);
  const weights = [...model.stateDict().values()].reduce((sum, { size }) => sum + size * 4, 0);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const fast = (await nn.compile(model, x)) as unknown as (x: tf.Tensor) => tf.Tensor;
  tf.dispose(fast(x));
  globalThis.gc?.();
  const memory = (process.memoryUsage().rss - before) / weights;

  const small = new NNTorch();
  const rows = nn.randn(10, 2);
  const quick = (await nn.compile(small, rows)) as unknown as (x: tf.Tensor) => tf.Tensor;
  const calls = 20_000;
  for (let i = 0; i < calls; i += 1) quick(rows).dispose();
  const began = performance.now();
  for (let i = 0; i < calls; i += 1) quick(rows).dispose();
  const overhead = ((performance.now() - began) / calls) * 1000;

  const whole = await bundleSize([]);
  const withoutCompile = await bundleSize([
    "./plan/engine.js",
    "./webgl/engine.js",
    "./tfjs/engine.js",
  ]);
  return { whole, withoutCompile, memory, overhead };
}
