/** In a page: what a model costs on WebGL, by one way of running it. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { DECOMPOSED, optimise } from "../lib/compile/passes/index.js";
import { createTfjsEngine } from "../lib/compile/tfjs/engine.js";
import { SHAPES_ONLY } from "../lib/compile/shapes.js";
import { record } from "../lib/compile/trace.js";
import { BENCH_MODELS, firstTensor } from "./models.js";
import { median } from "./timing.js";

/** Eager tfjs; tfjs' fused ops on the optimised graph, as its converter would fuse; compiled. */
export type WebglPeer = "eager" | "fused" | "compiled";

export interface WebglRow {
  model: string;
  peer: WebglPeer;
  renderer: string;
  /** Milliseconds from a model with weights to its first numbers. */
  first: number;
  /** Median milliseconds of a call, its numbers read. */
  steady: number;
  rounds: number;
  /** Draw calls of one call. */
  draws: number;
  /** Programs that were linked. */
  programs: number;
  /** Bytes given to the GPU until the first result, and by a call after that. */
  uploadedFirst: number;
  uploaded: number;
  /** The main thread's tasks of more than 50 ms until the first result, and the longest in ms. */
  longTasks: number;
  longest: number;
  /** The first number of the result, which all peers must agree on. */
  value: number;
}

const counts = { draws: 0, programs: 0, bytes: 0 };

/** Counts what any context of the page is told from now on. */
function watchGL(): void {
  const prototype = WebGL2RenderingContext.prototype as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const wrap = (name: string, note: (args: unknown[]) => void): void => {
    const plain = prototype[name]!;
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      note(args);
      return plain.apply(this, args);
    };
  };
  for (const name of ["drawArrays", "drawElements"]) wrap(name, () => (counts.draws += 1));
  wrap("linkProgram", () => (counts.programs += 1));
  for (const name of [
    "texImage2D",
    "texSubImage2D",
    "texImage3D",
    "texSubImage3D",
    "bufferData",
    "bufferSubData",
  ]) {
    wrap(name, (args) => {
      for (const one of args) if (ArrayBuffer.isView(one)) counts.bytes += one.byteLength;
    });
  }
}

function rendererName(): string {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  return String((info && gl?.getParameter(info.UNMASKED_RENDERER_WEBGL)) ?? "no WebGL2");
}

type Call = (x: tf.Tensor) => Promise<tf.Tensor>;

async function open(peer: WebglPeer, model: nn.Module, x: tf.Tensor): Promise<Call> {
  if (peer === "compiled") {
    const fast = (await nn.compile(model, x)) as nn.Compiled;
    return async (input) => firstTensor(await fast.run(...([input] as never)));
  }
  if (peer === "fused") {
    const { graph, dispose } = record(model, [x], DECOMPOSED, SHAPES_ONLY);
    dispose();
    const plan = createTfjsEngine(model).plan(optimise(graph));
    const [output] = plan.graph.output!.inputs();
    return (input) => Promise.resolve(plan.execute([input])(output!));
  }
  return (input) => Promise.resolve(tf.tidy(() => firstTensor(model(input as never))));
}

export async function benchWebgl(
  name: string,
  peer: WebglPeer,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<WebglRow> {
  watchGL();
  await nn.setBackend("webgl");
  nn.manualSeed(0);
  const { make, shape } = BENCH_MODELS.find((one) => one.name === name)!;
  const model = make();
  const x = nn.randn(shape!);
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
  });
  observer.observe({ type: "longtask" });
  const call = async (run: Call): Promise<number> => {
    const y = await run(x);
    const values = await y.data();
    y.dispose();
    return values[0]!;
  };
  let began = performance.now();
  const before = { ...counts };
  const run = await open(peer, model, x);
  const value = await call(run);
  const first = performance.now() - began;
  const uploadedFirst = counts.bytes - before.bytes;
  const programs = counts.programs - before.programs;
  await new Promise((resolve) => setTimeout(resolve, 100)); // tasks are reported late
  observer.disconnect();
  await call(run);
  const still = { ...counts };
  await call(run);
  const draws = counts.draws - still.draws;
  const uploaded = counts.bytes - still.bytes;
  const times: number[] = [];
  const until = performance.now() + 1000 * seconds;
  while (times.length < rounds && (times.length < 3 || performance.now() < until)) {
    began = performance.now();
    await call(run);
    times.push(performance.now() - began);
  }
  return {
    ...{ model: name, peer, renderer: rendererName(), first, steady: median(times) },
    ...{ rounds: times.length, draws, programs, uploadedFirst, uploaded },
    ...{ longTasks: tasks.length, longest: Math.max(0, ...tasks), value },
  };
}
