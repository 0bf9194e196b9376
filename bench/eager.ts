/**
 * Times eager calls, with our kernels under the ops, beside the compiled plan of the same model.
 */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { replaceTfjsKernels } from "../lib/eager/everywhere.js";
import { BENCH_MODELS } from "./models.js";
import { measure } from "./timing.js";

export interface EagerRow {
  model: string;
  eager: number;
  /** Eager with `sconce/cpu`, where raw tfjs calls use our kernels as well. */
  replaced: number;
  compiled: number;
}

export async function benchEager(): Promise<EagerRow[]> {
  await nn.setBackend("cpu");
  const rows: EagerRow[] = [];
  for (const { title, make, shape } of BENCH_MODELS) {
    if (shape === undefined) continue;
    nn.manualSeed(0);
    const model = make();
    const x = nn.randn(shape);
    const fast = (await nn.compile(model, x)) as unknown as (x: tf.Tensor) => unknown;
    const run = (call: (x: tf.Tensor) => unknown) => (): void =>
      tf.dispose(call(x) as tf.TensorContainer);
    const eager = run(model);
    const replaced = (): void => {
      const restore = replaceTfjsKernels();
      eager();
      restore();
    };
    const times = measure({ eager, compiled: run(fast), replaced }, { rounds: 9 });
    rows.push({ model: title, ...times });
    (fast as unknown as { dispose(): void }).dispose();
    model.dispose();
    x.dispose();
  }
  return rows;
}
