/** The overhead of modules: `model(x)` beside the same tfjs ops called directly. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { makeCnn, makeMlp } from "../examples/models/fashion.js";
import { NNTorch } from "../examples/models/lesson.js";
import { measure } from "./timing.js";

export interface Row {
  backend: string;
  model: string;
  batch: number;
  layers: number;
  /** Median milliseconds of `model(x)` and of the bare ops, including reading the result. */
  ours: number;
  bare: number;
}

type Weights = Map<string, tf.Tensor>;
type Bare = (x: tf.Tensor, weights: Weights) => tf.Tensor;

function linear(x: tf.Tensor, weights: Weights, key: string): tf.Tensor {
  const y = tf.matMul(x, weights.get(`${key}.weight`) as tf.Tensor2D, false, true);
  return tf.add(y, weights.get(`${key}.bias`)!);
}

const bareLesson: Bare = (x, weights) =>
  linear(tf.sigmoid(linear(x, weights, "layer1")), weights, "layer2");

const bareMlp: Bare = (x, weights) =>
  linear(tf.relu(linear(tf.reshape(x, [-1, 784]), weights, "fc1")), weights, "fc2");

/** Convolution, batch norm and ReLU in PyTorch's layout, with the ops that the layers run. */
function block(x: tf.Tensor, weights: Weights, conv: number, stride: number): tf.Tensor {
  const nhwc = tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D;
  const kernel = tf.transpose(weights.get(`${conv}.weight`)!, [2, 3, 1, 0]) as tf.Tensor4D;
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], [1, 1], [1, 1], [0, 0]]; // prettier-ignore
  const y = tf.transpose(tf.conv2d(nhwc, kernel, stride, pad), [0, 3, 1, 2]);
  const get = (name: string): tf.Tensor => {
    const tensor = weights.get(`${conv + 1}.${name}`)!;
    return tf.reshape(tensor, [1, tensor.shape[0], 1, 1]);
  };
  const centred = tf.sub(y, get("running_mean"));
  const scale = tf.mul(tf.rsqrt(tf.add(get("running_var"), 1e-5)), get("weight"));
  return tf.relu(tf.add(tf.mul(centred, scale), get("bias")));
}

const windows = (x: tf.Tensor): tf.Tensor4D => {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return tf.reshape(x, [n * c, h, w, 1]);
};

/** 2 × 2 max pooling. NaN and -∞ are handled separately, as in the layer, since tfjs loses them. */
function maxPool(x: tf.Tensor): tf.Tensor {
  const planes = windows(x);
  const pool = (part: tf.Tensor4D): tf.Tensor => tf.maxPool(part, 2, 2, "valid");
  const isNaN = tf.cast(tf.isNaN(planes), "float32");
  const isLow = tf.cast(tf.equal(planes, -Infinity), "float32");
  const edge = pool(tf.sub(isNaN, isLow));
  const y = pool(planes);
  const low = tf.where(tf.less(edge, 0), tf.fill(y.shape, -Infinity), y);
  const all = tf.where(tf.greater(edge, 0), tf.fill(y.shape, NaN), low);
  return tf.reshape(all, [x.shape[0], x.shape[1]!, ...y.shape.slice(1, 3)] as number[]);
}

const bareCnn: Bare = (x, weights) => {
  let y = maxPool(block(x, weights, 0, 1));
  y = maxPool(block(y, weights, 4, 1));
  y = block(y, weights, 8, 2); // (N, 64, 4, 4), averaged to (N, 64, 2, 2)
  y = tf.reshape(tf.avgPool(windows(y), 2, 2, "valid"), [-1, 256]);
  return linear(tf.relu(linear(y, weights, "14")), weights, "16");
};

/** A chain of layers whose ops cost next to nothing, so that only the overhead of calls counts. */
const bareChain: Bare = (x, weights) => {
  let y = x;
  for (let i = 0; i < 10; i += 1) y = linear(y, weights, String(i));
  return y;
};

const makeChain = (): nn.Module =>
  new nn.Sequential(Array.from({ length: 10 }, () => new nn.Linear(4, 4)));

interface Case {
  model: string;
  make: () => nn.Module;
  shape: number[];
  layers: number;
  bare: Bare;
}

const CASES: Case[] = [
  { model: "10 × Linear(4, 4)", make: makeChain, shape: [4], layers: 10, bare: bareChain },
  { model: "lesson 2-4-3", make: () => new NNTorch(), shape: [2], layers: 3, bare: bareLesson },
  { model: "MLP 784-128-10", make: makeMlp, shape: [1, 28, 28], layers: 4, bare: bareMlp },
  { model: "CNN 28×28", make: makeCnn, shape: [1, 28, 28], layers: 17, bare: bareCnn },
];

/** Measures every model at batch sizes 1 and 64 on a backend. */
export async function benchLayers(backend: nn.BackendName): Promise<Row[]> {
  await nn.setBackend(backend);
  const rows: Row[] = [];
  for (const { model: name, make, shape, layers, bare } of CASES) {
    for (const batch of [1, 64]) {
      nn.manualSeed(0);
      const model = make();
      const weights = model.stateDict();
      const x = nn.rand(batch, ...shape);
      const run = (forward: (x: tf.Tensor) => tf.Tensor) => (): void => {
        tf.tidy(() => void forward(x).dataSync());
      };
      expectSame(
        x,
        (input) => model(input) as tf.Tensor,
        (input) => bare(input, weights),
        name,
      );
      const { ours, plain } = measure({
        ours: run((input) => model(input) as tf.Tensor),
        plain: run((input) => bare(input, weights)),
      });
      rows.push({ backend: tf.getBackend(), model: name, batch, layers, ours, bare: plain });
      x.dispose();
      model.dispose();
    }
  }
  return rows;
}

type Forward = (x: tf.Tensor) => tf.Tensor;

/** Throws unless both ways give the same result: otherwise their times could not be compared. */
function expectSame(x: tf.Tensor, a: Forward, b: Forward, name: string): void {
  const worst = tf.tidy(() => tf.max(tf.abs(tf.sub(a(x), b(x)))).dataSync()[0]!);
  if (!(worst < 1e-3)) throw new Error(`${name}: the bare ops give something else (${worst})`);
}
