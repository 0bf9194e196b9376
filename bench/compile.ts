/**
 * Times compiled models beside other runtimes, with the same weights and inputs: in one process, in
 * interleaved rounds, of which the median counts.
 */
import type { Files, Peer, Session } from "./peers.js";
import { type BenchModel, BENCH_MODELS } from "./models.js";
import { geometricMean, median } from "./timing.js";

export interface Measured {
  /** Median milliseconds. */
  ms: number;
  /** Milliseconds until the first result, from opening the model to the end of the first run. */
  first: number;
  /** The largest absolute difference from PyTorch's output. */
  error: number;
}

export interface ModelRow {
  model: string;
  title: string;
  peers: Record<string, Measured>;
}

export interface RunOptions {
  /** The largest number of rounds. Default: 15. */
  rounds?: number;
  /** The longest time for all rounds of a model, in ms. Default: 6000. */
  budget?: number;
  /** Collects the garbage of earlier runs, so that it does not slow this first result. */
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

/** Opens a model on a peer and runs it once. */
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

/** Times a model on all peers in turn. Peers that need seconds per call run only once. */
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
    // Engines optimise busy code in stages: calls of a small model get faster for most of a second.
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

/** The geometric mean of the ratio of one peer's time to another's. */
export function meanRatio(rows: readonly ModelRow[], peer: string, to: string): number {
  const ratios = rows.flatMap(({ peers }) => {
    const [a, b] = [peers[peer], peers[to]];
    return a && b ? [a.ms / b.ms] : [];
  });
  return geometricMean(ratios);
}
