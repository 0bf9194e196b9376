/** Runs in a page: measures one model in one way on the GPU. */
import { BENCH_MODELS } from "./models.js";
import { median } from "./timing.js";
import { type Peer, readExample } from "./peers.js";
import { WEBGL_PEERS, type WebglPeer } from "./webgl-peers.js";

export interface WebglRow {
  model: string;
  title: string;
  peer: WebglPeer;
  renderer: string;
  /** Milliseconds from a model with weights, or its file's bytes, to the first result in memory. */
  first: number;
  /** Median milliseconds of the timed run, including the transfer of its result from the GPU. */
  steady: number;
  rounds: number;
  /** Milliseconds of processor time: until the first result, and the least of the timed runs. */
  firstWork: number;
  steadyWork: number;
  /** Draw calls per call of the model. */
  draws: number;
  /** The number of linked programs. */
  programs: number;
  /** Bytes uploaded to WebGL: until the first result, and per call after that. */
  uploadedFirst: number;
  uploaded: number;
  /**
   * Tasks of the main thread over 50 ms until the first result: how many, and the longest in ms.
   */
  longTasks: number;
  longest: number;
  /**
   * Bytes of JavaScript objects that a timed run allocates, without the contents of ArrayBuffers.
   */
  allocated: number;
  /** The largest difference from PyTorch's output. */
  error: number;
}

/** The error message of a way that cannot run a model. */
export interface Failure {
  model: string;
  peer: WebglPeer;
  reason: string;
}

const counts = { draws: 0, programs: 0, bytes: 0 };

/**
 * Counts the WebGL calls of all contexts from now on. Returns a function that stops it, since
 * counting allocates.
 */
function watchGL(): () => void {
  const prototype = WebGL2RenderingContext.prototype as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const undo: (() => void)[] = [];
  const wrap = (name: string, note: (args: unknown[]) => void): void => {
    const plain = prototype[name]!;
    undo.push(() => (prototype[name] = plain));
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      note(args);
      return plain.apply(this, args);
    };
  };
  for (const name of ["drawArrays", "drawElements"]) wrap(name, () => (counts.draws += 1));
  wrap("linkProgram", () => (counts.programs += 1));
  wrap("bufferData", ([, data]) => (counts.bytes += bytesOf(data)));
  wrap("bufferSubData", ([, , data]) => (counts.bytes += bytesOf(data)));
  // The arguments before format, type and source are the size. A texel takes four values of four
  // bytes.
  const texels = (from: number, n: number) => (args: unknown[]) => {
    if (!args.some((one) => ArrayBuffer.isView(one))) return;
    const sizes = args.slice(from, from + n) as number[];
    const perTexel = args.includes(WebGL2RenderingContext.RGBA) ? 4 : 1;
    counts.bytes += 4 * perTexel * sizes.reduce((product, size) => product * size, 1);
  };
  wrap("texImage2D", texels(3, 2));
  wrap("texSubImage2D", texels(4, 2));
  wrap("texImage3D", texels(3, 3));
  wrap("texSubImage3D", texels(5, 3));
  return () => undo.forEach((one) => one());
}

const bytesOf = (data: unknown): number => (ArrayBuffer.isView(data) ? data.byteLength : 0);

function rendererName(): string {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  return String((info && gl?.getParameter(info.UNMASKED_RENDERER_WEBGL)) ?? "no WebGL2");
}

const get = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(`/${name}`)).arrayBuffer());

/** Functions that the bench gives to the page. */
interface Bench {
  startSampling: () => Promise<void>;
  stopSampling: () => Promise<number>;
  processorTime: () => Promise<number>;
}

const bench = globalThis as unknown as Bench;

/** What comes after it is a task of the page's own: the browser's answer would be none that is watched. */
async function processorTime(): Promise<number> {
  const worked = await bench.processorTime();
  await new Promise((resolve) => setTimeout(resolve));
  return worked;
}

/** Bytes that a run allocates on average over three seconds, or over a thousand runs. */
async function allocatedBy(run: () => unknown): Promise<number> {
  await bench.startSampling();
  const until = performance.now() + 3000;
  let runs = 0;
  do {
    await run();
    runs += 1;
  } while (runs < 1000 && performance.now() < until);
  return (await bench.stopSampling()) / runs;
}

/** The durations of tasks of the main thread that took more than 50 ms, from now on. */
function watchTasks(): { tasks: number[]; end: () => Promise<void> } {
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
  });
  observer.observe({ type: "longtask" });
  const end = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 100)); // tasks are reported late
    observer.disconnect();
  };
  return { tasks, end };
}

export async function benchWebgl(
  name: string,
  peer: WebglPeer,
  options: { rounds: number; seconds: number },
): Promise<WebglRow | Failure> {
  try {
    return await measure(name, peer, await WEBGL_PEERS[peer](), options);
  } catch (error) {
    return { model: name, peer, reason: String((error as Error)?.message ?? error) };
  }
}

async function measure(
  name: string,
  peer: WebglPeer,
  { open }: Peer,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<WebglRow> {
  const unwatchGL = watchGL();
  const model = BENCH_MODELS.find((one) => one.name === name)!;
  const { inputs, expected } = await readExample(await get(`${name}.io.safetensors`));
  const weights = await get(`${name}.safetensors`);
  const isOnnx = peer.startsWith("ort") || peer.startsWith("transformers");
  const onnx = isOnnx ? await get(`${name}.onnx`) : new Uint8Array(0);
  const ready = await open(model, { onnx, weights, inputs });
  await new Promise((resolve) => setTimeout(resolve, 100)); // what was done until here is no long task
  const { tasks, end } = watchTasks();
  const rested = await processorTime();
  let began = performance.now();
  const before = { ...counts };
  const session = await ready();
  const values = await session.call(inputs);
  const first = performance.now() - began;
  const firstWork = (await processorTime()) - rested;
  const uploadedFirst = counts.bytes - before.bytes;
  const programs = counts.programs - before.programs;
  await end();
  const error = values.reduce((most, one, i) => Math.max(most, Math.abs(one - expected[i]!)), 0);
  const still = { ...counts };
  await session.call(inputs);
  const draws = counts.draws - still.draws;
  const uploaded = counts.bytes - still.bytes;
  const run = (): unknown => (model.run ? model.run(session.call) : session.call(inputs));
  await run();
  const times: number[] = [];
  let steadyWork = Infinity;
  const until = performance.now() + 1000 * seconds;
  while (times.length < rounds && (times.length < 3 || performance.now() < until)) {
    const before = await processorTime();
    began = performance.now();
    await run();
    times.push(performance.now() - began);
    steadyWork = Math.min(steadyWork, (await processorTime()) - before);
  }
  unwatchGL();
  const allocated = await allocatedBy(run);
  return {
    ...{ model: name, title: model.title, peer, renderer: rendererName() },
    ...{ first, steady: median(times), rounds: times.length },
    ...{ firstWork, steadyWork, draws, programs, uploadedFirst, uploaded },
    ...{ longTasks: tasks.length, longest: Math.max(0, ...tasks), allocated, error },
  };
}
