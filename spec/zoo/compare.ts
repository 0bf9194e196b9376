/** Compares an exported program's output with PyTorch's, in Node and in a browser. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../lib/index.js";

const RTOL = 1e-3;
const ATOL = 1e-4;

interface Leaf {
  /** Which of the tensors of the `.safetensors` it is: `in3` or `out3`. */
  $leaf: number;
  dtype: "float32" | "int32" | "bool";
}

export type Nested = Leaf | Nested[] | { [key: string]: Nested } | string | number | boolean | null;

/** What `export.py` wrote beside a program. */
export interface Golden {
  args: Nested[];
  kwargs: Record<string, Nested>;
  output: Nested;
}

export interface Outcome {
  /** How many ops the program calls. */
  ops: number;
  /** The worst element's error, where 1 is all of the tolerance. */
  worst: number;
  /** Which element that was, and what it is here and in PyTorch. */
  where: string;
  /** How long the first call took. */
  seconds: number;
  /** Tensors that a call left behind. */
  left: number;
}

type Values = Awaited<ReturnType<typeof nn.load>>;

const isLeaf = (value: Nested): value is Leaf =>
  typeof value === "object" && value !== null && "$leaf" in value;

function fill(nested: Nested, leaf: (leaf: Leaf) => tf.Tensor): unknown {
  if (nested === null || typeof nested !== "object") return nested;
  if (isLeaf(nested)) return leaf(nested);
  if (Array.isArray(nested)) return nested.map((one) => fill(one, leaf));
  return Object.fromEntries(Object.entries(nested).map(([key, one]) => [key, fill(one, leaf)]));
}

/** Walks what came out beside what should have, which must have the same structure. */
function* pairs(got: unknown, want: Nested, path: string): Generator<[tf.Tensor, Leaf, string]> {
  if (want === null || typeof want !== "object") {
    if (got !== want) throw new Error(`${path} is ${String(got)}, not ${String(want)}`);
  } else if (isLeaf(want)) {
    if (!(got instanceof tf.Tensor)) throw new Error(`${path} is ${String(got)}, not a tensor`);
    yield [got as tf.Tensor, want, path];
  } else {
    if (got === null || typeof got !== "object" || Array.isArray(got) !== Array.isArray(want)) {
      throw new Error(`${path} is ${String(got)}, not ${JSON.stringify(want)}`);
    }
    const keys = Object.keys(got).join();
    if (keys !== Object.keys(want).join()) {
      throw new Error(`${path} has ${keys}, not ${Object.keys(want).join()}`);
    }
    for (const [key, one] of Object.entries(want)) {
      yield* pairs((got as Record<string, unknown>)[key], one, `${path}.${key}`);
    }
  }
}

/** The error of a number as a share of the tolerance; infinities and NaN must be the same. */
function errorOf(got: number, want: number): number {
  if (Object.is(got, want)) return 0;
  const ratio = Math.abs(got - want) / (ATOL + RTOL * Math.abs(want));
  return Number.isFinite(ratio) ? ratio : Infinity;
}

async function compareTensor(
  [got, { $leaf, dtype }, path]: [tf.Tensor, Leaf, string],
  values: Values,
): Promise<Pick<Outcome, "worst" | "where">> {
  const entry = values.get(`out${$leaf}`)!;
  const [is, was] = [got, entry].map(({ shape }) => `[${shape.join(", ")}]`);
  if (is !== was) throw new Error(`${path} has shape ${is}, not ${was}`);
  if (got.dtype !== dtype) throw new Error(`${path} is ${got.dtype}, not ${dtype}`);
  const want = entry.toFloat32();
  const data = await got.data();
  let [worst, at] = [0, 0];
  for (let i = 0; i < want.length; i += 1) {
    const error = errorOf(data[i]!, want[i]!);
    if (error > worst) [worst, at] = [error, i];
  }
  return { worst, where: `${path}[${at}] is ${data[at]}, not ${want[at]}` };
}

/** @param stem the path or URL of the model's files, without what follows the name's dot. */
export async function compare(
  stem: string,
  golden: Golden,
  backend: nn.BackendName,
): Promise<Outcome> {
  if ((await nn.setBackend(backend)) !== backend) throw new Error(`there is no ${backend} here`);
  const values = await nn.load(`${stem}.safetensors`, { cache: false });
  const program = await nn.loadExported(`${stem}.pt2`, { cache: false });
  const leaf = ({ $leaf, dtype }: Leaf): tf.Tensor => {
    const entry = values.get(`in${$leaf}`)!;
    const data = dtype === "float32" ? entry.toFloat32() : entry.toInt32();
    return tf.cast(tf.tensor(data, [...entry.shape], dtype === "bool" ? "int32" : dtype), dtype);
  };
  const inputs = tf.tidy(() => fill([golden.args, golden.kwargs], leaf) as tf.TensorContainer);
  const [args, kwargs] = inputs as unknown as [unknown[], Record<string, unknown>];
  const before = tf.memory().numTensors;
  const begin = performance.now();
  const output = program(...args, ...(Object.keys(kwargs).length > 0 ? [kwargs] : []));
  const found = [...pairs(output, golden.output, "output")];
  let [worst, where] = [0, ""];
  for (const pair of found) {
    const one = await compareTensor(pair, values);
    if (one.worst > worst) ({ worst, where } = one);
  }
  const seconds = (performance.now() - begin) / 1000;
  const left = tf.memory().numTensors - before - new Set(found.map(([tensor]) => tensor)).size;
  const ops = program.graph.nodes.filter(({ kind }) => kind === "call_function").length;
  program.dispose();
  tf.dispose([inputs, output] as tf.TensorContainer);
  return { ops, worst, where, seconds, left };
}
