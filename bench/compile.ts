/** How much faster a compiled model is than the same model eagerly: same weights, same input. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { BENCH_MODELS, type BenchModel } from "./models.js";
import { measure } from "./timing.js";

export interface CompileRow {
  model: string;
  /** Milliseconds of `nn.compile` and the first call. */
  ready: number;
  /** Medians in milliseconds. */
  one: number;
  two: number;
  eager: number;
  /** The largest difference to eager. */
  error: number;
}

type Call = (x: tf.Tensor) => unknown;

const first = (result: unknown): tf.Tensor => [result].flat()[0] as tf.Tensor;

/** One model: compiled with one and with two threads, interleaved, and eagerly on the cpu backend. */
async function benchModel({ name, make, example, isHeavy }: BenchModel): Promise<CompileRow> {
  nn.manualSeed(0);
  const model = make();
  const x = example();
  const began = performance.now();
  const fast = await nn.compile(model, x);
  tf.dispose((fast as Call)(x) as tf.TensorContainer);
  const ready = performance.now() - began;
  const both = await nn.compile(model, x, { threads: 2 });
  const run = (call: Call) => (): void => tf.dispose(call(x) as tf.TensorContainer);
  const eagerly = run(model);
  const error = tf.tidy(() => {
    const difference = tf.sub(first((fast as Call)(x)), first((model as unknown as Call)(x)));
    return tf.max(tf.abs(difference)).dataSync()[0]!;
  });
  const compiled = { one: run(fast as Call), two: run(both as Call) };
  // Seconds a call: not in turn with the others, and not as often.
  const times = isHeavy
    ? { ...measure(compiled), ...measure({ eager: eagerly }, { rounds: 3, warmUp: 0 }) }
    : measure({ ...compiled, eager: eagerly });
  fast.dispose();
  both.dispose();
  model.dispose();
  x.dispose();
  return { model: name, ready, error, ...times };
}

export async function benchCompile(): Promise<CompileRow[]> {
  await nn.setBackend("cpu");
  const rows: CompileRow[] = [];
  for (const model of BENCH_MODELS) rows.push(await benchModel(model));
  return rows;
}
