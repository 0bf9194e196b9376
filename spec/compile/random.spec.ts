import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { DECOMPOSED, optimise } from "../../lib/compile/passes/index.js";
import { record } from "../../lib/compile/trace.js";
import { dropKernels, useKernels } from "../../lib/eager/index.js";
import * as nn from "../../lib/index.js";
import { expectSame, runGraph } from "../support/graphs.js";

const F = nn.functional;

/** What a random model is made of: a tensor of `(N, C, H, W)` or `(N, T, E)` becomes another one. */
interface Piece {
  rank: 3 | 4;
  make: (shape: readonly number[]) => Run;
}

type Run = nn.Module | ((x: tf.Tensor) => tf.Tensor);

const unary = (...functions: ((x: tf.Tensor) => tf.Tensor)[]): Piece[] =>
  functions.flatMap((run) => [
    { rank: 3, make: () => run },
    { rank: 4, make: () => run },
  ]);

/** The last of each row along a dimension. */
function along(x: tf.Tensor, dim: number): tf.Tensor {
  const at = (dim + x.rank) % x.rank;
  const pick = (here: number, there: number): number[] => x.shape.map((_, i) => (i === at ? here : there)); // prettier-ignore
  return tf.slice(x, pick(x.shape[at]! - 1, 0), pick(1, -1));
}

const swapped = (x: tf.Tensor): tf.Tensor =>
  tf.transpose(x, x.rank === 3 ? [0, 2, 1] : [0, 1, 3, 2]);

const PIECES: readonly Piece[] = [
  ...unary(
    F.relu,
    F.sigmoid,
    (x) => F.gelu(x, { approximate: "tanh" }),
    (x) => F.leakyRelu(x, { negativeSlope: 0.2 }),
    (x) => tf.mul(tf.sigmoid(x), x),
    (x) => tf.add(x, tf.neg(tf.abs(x))),
    (x) => tf.div(x, tf.add(1, tf.square(x))),
    (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
    (x) => tf.softmax(x),
    (x) => tf.sub(x, tf.mean(x, -1, true)),
    (x) => tf.add(x, F.tanh(x)),
    (x) => tf.concat([tf.relu(x), x], 1),
    (x) => F.softmax(x, { dim: 1 }),
    (x) => F.logSoftmax(x, { dim: 0 }),
    (x) => tf.where(tf.greater(x, 0), x, tf.mul(x, 0.1)),
    (x) => tf.where(tf.logicalAnd(tf.less(x, 1), tf.logicalNot(tf.equal(x, 0))), x, tf.square(x)),
    // Steps would make a large difference of a small one.
    (x) => tf.mul(x, tf.cast(tf.greaterEqual(x, 0), "float32")),
    (x) => tf.mul(x, tf.cast(tf.cast(tf.add(tf.mul(x, 0), 2.5), "int32"), "float32")),
    (x) => F.pad(x, [2, 1], { value: 0.5 }),
    (x) => F.pad(x, [-1, 2]),
    // One tensor read in two ways by one step.
    (x) => tf.sub(x, along(x, 1)),
    (x) => tf.sub(x, along(x, -1)),
    (x) => tf.add(x, tf.reverse(x, 1)),
    (x) => (x.shape.at(-1) === x.shape.at(-2) ? tf.add(x, swapped(x)) : x),
  ),
  { rank: 3, make: ([, , e]) => new nn.Linear(e!, 6) },
  { rank: 3, make: ([, , e]) => new nn.Linear(e!, 4, { bias: false }) },
  { rank: 3, make: ([, , e]) => new nn.LayerNorm(e!) },
  { rank: 3, make: ([, , e]) => new nn.RMSNorm(e!) },
  { rank: 3, make: ([, t]) => new nn.BatchNorm1d(t!) },
  { rank: 3, make: ([, t]) => new nn.Conv1d(t!, 3, 3, { padding: 1 }) },
  { rank: 3, make: () => (x: tf.Tensor) => tf.transpose(x, [0, 2, 1]) },
  { rank: 3, make: () => (x: tf.Tensor) => tf.reverse(x, 1) },
  { rank: 3, make: ([, , e]) => new Attention(e!) },
  { rank: 3, make: ([, , e]) => new nn.TransformerEncoderLayer(e!, 1, { dimFeedforward: 5, batchFirst: true }) }, // prettier-ignore
  { rank: 3, make: ([, , e]) => new Recurrent(e!) },
  { rank: 4, make: ([, c]) => new nn.Conv2d(c!, 4, 3, { padding: 1 }) },
  { rank: 4, make: ([, c]) => new nn.Conv2d(c!, 3, 1, { bias: false }) },
  { rank: 4, make: ([, c]) => new nn.Conv2d(c!, c!, 3, { padding: 1, groups: c! }) },
  { rank: 4, make: ([, c]) => new nn.BatchNorm2d(c!) },
  { rank: 4, make: ([, c]) => new nn.GroupNorm(1, c!) },
  { rank: 4, make: (shape) => new nn.MaxPool2d(shape.slice(2).map((size) => Math.min(size, 2)), { stride: 1 }) }, // prettier-ignore
  { rank: 4, make: () => new nn.AvgPool2d(3, { stride: 1, padding: 1 }) },
  { rank: 4, make: () => new nn.AdaptiveAvgPool2d(2) },
  { rank: 4, make: ([, c]) => new Residual(new nn.Conv2d(c!, c!, 3, { padding: 1 })) },
  { rank: 4, make: ([, c]) => new Residual(new nn.Conv2d(c!, c!, 1)) },
  { rank: 3, make: ([, , e]) => new Residual(new nn.Linear(e!, e!)) },
  { rank: 4, make: () => (x: tf.Tensor) => tf.transpose(x, [0, 1, 3, 2]) },
  { rank: 4, make: ([, c]) => new nn.PReLU({ numParameters: c! }) },
  { rank: 4, make: ([, c]) => new nn.ConvTranspose2d(c!, 2, 3, { stride: 2, padding: 1 }) },
  { rank: 4, make: () => new nn.AdaptiveAvgPool2d([3, 4]) },
  { rank: 4, make: () => new nn.AdaptiveMaxPool2d([4, 3]) },
  { rank: 4, make: () => new nn.ReplicationPad2d([1, 2, 0, 1]) },
  { rank: 4, make: () => new nn.CircularPad2d([1, 1, 0, 1]) },
  { rank: 4, make: () => (x: tf.Tensor) => F.interpolate(x, { size: [5, 6], mode: "bilinear" }) },
  { rank: 4, make: () => (x: tf.Tensor) => F.interpolate(x, { size: [7, 3], mode: "nearest" }) },
  { rank: 4, make: () => (x: tf.Tensor) => tf.mul(x, tf.sigmoid(tf.mean(x, [2, 3], true))) },
];

class Residual extends nn.Module {
  constructor(readonly inner: nn.Module) {
    super();
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return F.relu(tf.add(x, this.inner(x) as tf.Tensor));
  }
}

class Attention extends nn.Module {
  readonly qkv: nn.Linear;
  constructor(size: number) {
    super();
    this.qkv = new nn.Linear(size, 3 * size);
  }
  override forward(x: tf.Tensor): tf.Tensor {
    const [q, k, v] = tf.split(this.qkv(x), 3, -1) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const scores = tf.mul(tf.matMul(q, k, false, true), 0.5);
    return tf.matMul(tf.softmax(scores), v);
  }
}

class Recurrent extends nn.Module {
  readonly gru: nn.GRU;
  constructor(size: number) {
    super();
    this.gru = new nn.GRU(size, 3, { batchFirst: true, bidirectional: true });
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return (this.gru(x) as [tf.Tensor, tf.Tensor])[0];
  }
}

/** Pieces one after the other, each made for the shape that comes. */
class RandomModel extends nn.Module {
  private readonly functions = new Map<number, Run>();
  constructor(picks: readonly number[], shape: readonly number[]) {
    super();
    const pieces = PIECES.filter(({ rank }) => rank === shape.length);
    let x = tf.zeros([...shape]);
    picks.forEach((pick, i) => {
      const run = pieces[pick % pieces.length]!.make(x.shape);
      if (run instanceof nn.Module) this.registerModule(String(i), run);
      else this.functions.set(i, run);
      x = tf.tidy(() => (run as (x: tf.Tensor) => tf.Tensor)(x));
    });
    this.count = picks.length;
  }
  private readonly count: number;
  override forward(x: tf.Tensor): tf.Tensor {
    let y = x;
    for (let i = 0; i < this.count; i += 1) {
      const run = this.functions.get(i) ?? (this as unknown as Record<string, Run>)[i]!;
      y = (run as (x: tf.Tensor) => tf.Tensor)(y);
    }
    return y;
  }
}

const shapes = fc.constantFrom<number[]>([2, 5, 4], [1, 4, 3], [2, 2, 6, 6], [1, 3, 5, 7]);
const models = fc.tuple(
  shapes,
  fc.array(fc.nat(1000), { minLength: 1, maxLength: 7 }),
  fc.nat(),
  fc.constantFrom(1, 1, 2, 3),
);

/** Enough runs that a plan has been shared among threads. */
const TRIALS = 3;

/** How many models, and for how long at most; more with `COMPILE_RUNS`. */
const RUNS = Number(globalThis.process?.env?.COMPILE_RUNS ?? 120);
const SEED = globalThis.process?.env?.SEED ? { seed: Number(process.env.SEED) } : {};
const MOST_MS = RUNS > 120 ? 3_600_000 : 20_000;

describe("Random models", () => {
  before(async () => {
    await nn.setBackend("cpu");
    dropKernels("cpu"); // the bodies are the reference
  });
  after(() => useKernels("cpu"));

  it(`give the same eagerly, as a graph, and compiled (${RUNS} models)`, async function () {
    this.timeout(MOST_MS * 10);
    let compiled = 0;
    const property = fc.asyncProperty(models, async ([shape, picks, seed, threads]) => {
      nn.manualSeed(seed);
      const model = new RandomModel(picks, shape);
      const close = { rtol: 1e-4, atol: 1e-5 };
      const x = nn.randn(shape);
      const { graph } = record(model, [x], DECOMPOSED);
      const eager = model(x);
      expectSame(runGraph(optimise(graph), model, [x]), eager, close, "the optimised graph");
      const fast = await nn.compile(model, x, { threads });
      // The first runs are shared and not shared, to see which is faster.
      for (let run = 0; run < (threads > 1 ? TRIALS : 1); run += 1) {
        expectSame(fast(x), eager, close, `compiled for ${threads} threads, run ${run}`);
      }
      compiled += Number(fast.explain().compiled);
      const y = nn.randn([3, ...shape.slice(1)]);
      expectSame(fast(y), model(y), close, "another batch");
      const odd = tf.tensor([NaN, Infinity, -Infinity, -0]);
      const holes = tf.concat([odd, tf.slice(tf.reshape(x, [-1]), 4)]);
      const strange = tf.reshape(holes, shape);
      expectSame(fast(strange), model(strange), close, "NaN and infinities");
      fast.dispose();
    });
    const began = Date.now();
    const result = await fc.check(property, {
      numRuns: RUNS,
      interruptAfterTimeLimit: MOST_MS,
      ...SEED,
    });
    tf.disposeVariables();
    console.log(`\n${result.numRuns} models in ${Date.now() - began} ms, ${compiled} compiled, seed ${result.seed}`); // prettier-ignore
    if (result.failed) {
      const { message } = result.errorInstance as Error;
      throw new Error(`${fc.defaultReportMessage(result)}\n${message}`);
    }
  });
});
