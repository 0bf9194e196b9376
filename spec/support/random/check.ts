import * as tf from "@tensorflow/tfjs-core";
import { DECOMPOSED, optimise } from "../../../lib/compile/passes/index.js";
import { record } from "../../../lib/compile/trace.js";
import { kernelsFor } from "../../../lib/eager/index.js";
import { isInBody, setKernels } from "../../../lib/functional/op.js";
import type { Graph } from "../../../lib/graph/index.js";
import * as nn from "../../../lib/index.js";
import type { Tolerance } from "../backends.js";
import { attempt, expectSame, runGraph, tensorsIn } from "../graphs.js";
import { RandomModel, type Recipe } from "./model.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

/** Enough runs that a plan has been shared among threads. */
const TRIALS = 3;

type Args = tf.Tensor[];
type Call = (...args: Args) => unknown;

/** How far the results go for inputs that are a little different: what no rounding can better. */
function wobble(model: RandomModel, args: Args, by: number): number {
  const nudged = args.map((x) => (x.dtype === "float32" ? tf.mul(x, 1 + by) : x));
  const [a, b] = [model(...nudged), model(...args)].map((result) => tensorsIn(result));
  const far = a!.map((x, i) => {
    const [p, q] = [x.dataSync(), b![i]!.dataSync()];
    let most = by * Math.max(0, ...Array.from(q, (one) => (Number.isFinite(one) ? Math.abs(one) : 0))); // prettier-ignore
    for (let at = 0; at < p.length; at += 1) most = Math.max(most, Math.abs(p[at]! - q[at]!) || 0);
    return most;
  });
  return Math.max(...far);
}

/** On tfjs' other backends whole numbers, booleans and many dimensions are wrong here and there, or crash. */
const isPlain = (graph: Graph): boolean =>
  graph.nodes.every(({ meta }) =>
    [meta.value ?? []].flat().every((one) => one?.dtype === "float32" && one.shape.length < 5),
  );

/**
 * Compares a random model compiled on another backend with the bodies of its ops on the CPU.
 *
 * @returns whether the backend's own ops can run it.
 */
export async function checkOn(
  backend: nn.BackendName,
  close: Tolerance,
  recipe: Recipe,
): Promise<boolean> {
  const model = new RandomModel(recipe);
  const args = model.inputs;
  const { graph } = record(model, args, DECOMPOSED);
  if (!isPlain(graph)) return false;
  const want = model(...args);
  const wide = { ...close, atol: close.atol + 20 * wobble(model, args, 1e-5) };
  await nn.setBackend(backend);
  try {
    const eager = attempt((...all) => expectSame(model(...all), want, wide, "eager"), args);
    if (eager.error !== undefined) return false;
    const fast = (await nn.compile(model, args)) as unknown as Call & nn.Compiled;
    expectSame(fast(...args), want, wide, backend);
    fast.dispose();
    return true;
  } catch (error) {
    (error as Error).message += `\n${String(graph)}`;
    throw error;
  } finally {
    await nn.setBackend("cpu");
    setKernels("cpu", null);
  }
}

/** Compares what a call gives, or throws, with what the model itself does, for rounding so fine. */
function expectLike(call: Call, model: RandomModel, args: Args, what: string, fine = 1e-6): void {
  const [got, want] = [attempt(call, args), attempt(model, args)];
  if (want.error !== undefined || got.error !== undefined) {
    if (got.error === want.error) return;
    throw new Error(`${what}: ${got.error ?? "no error"}, want ${want.error ?? "none"}`);
  }
  try {
    expectSame(got.value, want.value, CLOSE, what);
  } catch (error) {
    const slack = (fine > 1e-6 ? 100 : 20) * wobble(model, args, fine);
    if (!(slack < Math.max(1e-2, 1000 * fine))) throw error;
    expectSame(got.value, want.value, { rtol: CLOSE.rtol, atol: CLOSE.atol + slack }, what);
  }
}

/** The same with NaN, infinities and -0 in the first places, or the last ones. */
function withHoles(x: tf.Tensor, isBehind: boolean): tf.Tensor {
  if (x.dtype !== "float32") return x;
  const values = x.dataSync().slice();
  const odd = [NaN, Infinity, -Infinity, -0].slice(0, values.length);
  values.set(odd, isBehind ? values.length - odd.length : 0);
  return tf.tensor(values, x.shape);
}

/** Twice as many of the first dimension; tfjs has no concat of nothing. */
function otherBatch(x: tf.Tensor): tf.Tensor {
  if (x.rank === 0) return x;
  const [n, ...rest] = x.shape;
  return x.size > 0 ? tf.concat([x, x], 0) : tf.zeros([2 * n, ...rest], x.dtype);
}

/** By the kernels that eager calls run. */
function byKernels(model: RandomModel, args: Args): unknown {
  setKernels("cpu", kernelsFor("cpu", isInBody));
  try {
    return model(...args);
  } finally {
    setKernels("cpu", null);
  }
}

/** Gives a model's parameters and buffers other values. */
function change(model: RandomModel, by: (x: tf.Tensor) => tf.Tensor): void {
  const state = [...model.stateDict()].map(([key, x]) => [key, by(x)] as const);
  model.loadStateDict(new Map(state), { strict: false });
}

export interface Trial extends Recipe {
  threads: number;
  precision: nn.Precision;
}

/** What half a last digit of a weight is, of its size. */
const ROUNDING = { float32: 1e-6, float16: 2 ** -11, bfloat16: 2 ** -8, int8: 2 ** -7 };

/**
 * Compares a random model run op by op, as a graph, by eager kernels, and compiled.
 *
 * @returns whether it was compiled at all.
 */
export async function check({ threads, precision, ...recipe }: Trial): Promise<boolean> {
  const model = new RandomModel(recipe);
  const args = model.inputs;
  const { graph } = record(model, args, DECOMPOSED);
  try {
    const like = (call: Call, what: string, all = args): void => expectLike(call, model, all, what);
    like((...all) => runGraph(graph, model, all), "the graph");
    const optimised = optimise(graph);
    like((...all) => runGraph(optimised, model, all), "the optimised graph");
    like((...all) => byKernels(model, all), "eager kernels");
    const fast = (await nn.compile(model, args, { threads })) as unknown as Call & nn.Compiled;
    // The first runs are shared and not shared, to see which is faster.
    for (let run = 0; run < (threads > 1 ? TRIALS : 1); run += 1) {
      like(fast, `compiled for ${threads} threads, run ${run}`);
    }
    const { compiled } = fast.explain();
    const holes = args.map((x) => withHoles(x, recipe.seed % 2 === 0));
    like(fast, "NaN and infinities", holes);
    like((...all) => byKernels(model, all), "NaN and infinities by eager kernels", holes);
    like(fast, "another batch", args.map(otherBatch)); // prettier-ignore
    change(model, (x) => tf.mul(x, 0.9));
    like(fast, "other weights");
    fast.dispose();
    if (precision !== "float32") {
      // Which every precision keeps as they are, save where something is folded into them.
      change(model, (x) => (x.rank > 1 ? tf.mul(tf.sign(tf.round(tf.mul(x, 9))), 0.5) : x));
      const narrow = (await nn.compile(model, args, { precision })) as unknown as Call &
        nn.Compiled;
      expectLike(narrow, model, args, precision, ROUNDING[precision]);
      narrow.dispose();
    }
    return compiled;
  } catch (error) {
    (error as Error).message += `\n${String(graph)}`;
    throw error;
  }
}
