/** What narrow weights cost and save: memory, error and time of each model by precision. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { BENCH_MODELS, firstTensor } from "./models.js";
import { measure } from "./timing.js";

// With random weights, the results of the other models barely depend on the input, so that no error
// would show.
const MODELS = ["mlp_b1", "mlp_b64", "resnet18", "encoder", "lstm"];
const PRECISIONS: readonly nn.Precision[] = ["float32", "float16", "bfloat16", "int8"];

export interface PrecisionRow {
  model: string;
  precision: nn.Precision;
  /** Megabytes of packed weights. */
  weights: number;
  /** The largest difference from the eager model, relative to the largest value of its result. */
  error: number;
  /** Milliseconds per call. */
  ms: number;
  /** The time relative to that with float32 weights. */
  ratio: number;
}

export async function benchPrecision(): Promise<PrecisionRow[]> {
  await nn.setBackend("cpu");
  const rows: PrecisionRow[] = [];
  for (const { name, title, make, shape } of BENCH_MODELS) {
    if (!MODELS.includes(name)) continue;
    nn.manualSeed(0);
    const model = make();
    const x = nn.randn(shape!);
    const want = firstTensor(model(x));
    const compiled = await Promise.all(
      PRECISIONS.map(async (precision) => (await nn.compile(model, x, { precision })) as Fast),
    );
    const runs = compiled.map((fast, i) => [
      PRECISIONS[i]!,
      () => tf.dispose(fast(x) as tf.Tensor),
    ]);
    const times = measure(Object.fromEntries(runs) as Record<nn.Precision, () => void>, {
      rounds: 7,
    });
    compiled.forEach((fast, i) => {
      const error = tf.tidy(() => {
        const difference = tf.max(tf.abs(tf.sub(firstTensor(fast(x)), want)));
        return tf.div(difference, tf.max(tf.abs(want))).dataSync()[0]!;
      });
      const precision = PRECISIONS[i]!;
      const [ms, ratio] = [times[precision], times[precision] / times.float32];
      const weights = fast.explain().weightBytes / 1e6;
      rows.push({ model: title, precision, weights, error, ms, ratio });
      fast.dispose();
    });
    tf.dispose([x, want]);
    model.dispose();
  }
  return rows;
}

type Fast = nn.Compiled<(x: tf.Tensor) => unknown>;
