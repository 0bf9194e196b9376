/** What compiling costs besides time: bytes of the bundle, memory, and the overhead of a call. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { resnet18 } from "sconce/models";
import { NNTorch } from "../examples/models/lesson.js";
import {
  CLASSIFIER,
  type Downloads,
  downloadsOf,
  EVERYTHING,
  type Part,
  PARTS,
} from "./downloads.js";

export interface Footprint {
  /** Gzipped kilobytes that a page downloads at its start and with each part, without tfjs. */
  downloads: Record<"every name" | "a resnet", Record<string, number>>;
  /** Memory of the process for a compiled resnet18, as a multiple of the size of its weights. */
  memory: number;
  /** Microseconds for a compiled call of the lesson's network, whose arithmetic is negligible. */
  overhead: number;
}

/** Runs the measurements. Memory is measured for the whole process, so run nothing else in it. */
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

  const [all, resnet] = await Promise.all([EVERYTHING, CLASSIFIER].map(downloadsOf));
  const downloads = { "every name": table(all!), "a resnet": table(resnet!) };
  return { downloads, memory, overhead };
}

/** Kilobytes by part, leaving out parts that the app never loads. */
function table(downloads: Downloads): Record<string, number> {
  const parts = (Object.keys(PARTS) as Part[]).filter((part) => downloads.has(part));
  return {
    "at first": downloads.of(),
    ...Object.fromEntries(parts.map((part) => [part, downloads.of(part)])),
  };
}
