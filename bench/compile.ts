/**
 * How fast a compiled model is beside other runtimes: same weights, same inputs, one process,
 * interleaved rounds, medians.
 */
import type { Files, Peer, Session } from "./peers.js";
import { type BenchModel, BENCH_MODELS } from "./models.js";
import { geometricMean, median } from "./timing.js";

export interface Measured {
  /** Median milliseconds. */
  ms: number;
  /** Milliseconds until the first result: made ready, and run once. */
  first: number;
  /** The largest difference to PyTorch's output, absolute. */
  error: number;
}

export interface ModelRow {
  model: string;
  title: string;
  peers: Record<string, Measured>;
}

export interface RunOptions {
  /** The most rounds. Default: 15. */
  rounds?: number;
  /** How long the rounds of one model may take in all, in ms. Default: 6000. */
  budget?: number;
  /** Clears away what was left before, so that no first result is charged with it. */
  settle?: () => Promise<void>;
}

interface Candidate {
  peer: Peer;
  session: Session;
  run: () => Promise<Float32Array>;
  first: number;
  error: number;
  times: number[];
}

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), a.length === b.length ? 0 : NaN); // prettier-ignore

/** Makes a model ready on a peer, and runs it once. */
export async function open(
  peer: Peer,
  model: BenchModel,
  files: Files,
  expected: Float32Array,
  settle?: () => Promise<void>,
): Promise<Candidate> {
  const ready = await peer.open(model, files);
  await settle?.();
  const began = performance.now();
  const session = await ready();
  const values = await session.call(files.inputs);
  const first = performance.now() - began;
  const error = largestDifference(values, expected);
  const run = async (): Promise<Float32Array> =>
    model.run ? model.run(session.call) : session.call(files.inputs);
  return { peer, session, run, first, error, times: [] };
}

/** How long a candidate runs before it is timed, in ms. */
const SETTLING = 1000;

async function time(run: () => Promise<unknown>, repeats: number): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < repeats; i += 1) await run();
  return (performance.now() - began) / repeats;
}

/** Times a model on all peers in turn; those that take seconds, once. */
export async function benchModel(
  model: BenchModel,
  files: Files,
  expected: Float32Array,
  peers: readonly Peer[],
  { rounds = 15, budget = 6000, settle }: RunOptions = {},
): Promise<ModelRow> {
  const candidates: Candidate[] = [];
  for (const peer of peers) candidates.push(await open(peer, model, files, expected, settle));
  const repeats = new Map<Candidate, number>();
  for (const candidate of candidates) {
    const { peer, run, times } = candidate;
    const once = await time(run, 1);
    if (peer.isSlow) {
      times.push(once < 500 ? await time(run, 1) : once);
      continue;
    }
    // Engines compile what is busy, in steps: a small model's calls become faster for most of a second.
    const settling = Math.ceil(SETTLING / once);
    await time(run, Math.max(settling, peer.settles ?? 0));
    repeats.set(candidate, Math.max(1, Math.ceil(10 / (await time(run, 1)))));
  }
  const began = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    if (round >= 3 && performance.now() - began > budget) break;
    for (const [{ run, times }, count] of repeats) times.push(await time(run, count));
  }
  const row: ModelRow = { model: model.name, title: model.title, peers: {} };
  for (const { peer, session, first, error, times } of candidates) {
    row.peers[peer.name] = { ms: median(times), first, error };
    session.dispose();
  }
  return row;
}

export function modelsNamed(names: readonly string[] | null): readonly BenchModel[] {
  const known = BENCH_MODELS.map(({ name }) => name);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`bench: no model '${unknown}'; there are ${known.join(", ")}`);
  return BENCH_MODELS.filter(({ name }) => names === null || names.includes(name));
}

/** The geometric mean of how many times longer a peer takes than another. */
export function meanRatio(rows: readonly ModelRow[], peer: string, to: string): number {
  const ratios = rows.flatMap(({ peers }) => {
    const [a, b] = [peers[peer], peers[to]];
    return a && b ? [a.ms / b.ms] : [];
  });
  return geometricMean(ratios);
}
