/** Fashion-MNIST: trained checkpoints, 1,000 held-out pictures, and PyTorch's own logits for them. */
import * as tf from "@tensorflow/tfjs-core";
import { readFile } from "node:fs/promises";
import * as nn from "sconce";
import { CLASSES, makeCnn, makeMlp } from "../models/fashion.js";

const asset = (name: string): URL => new URL(`../assets/fashion/${name}`, import.meta.url);

export interface TestSet {
  /** `(N, 28, 28)`, 0 to 255. */
  images: Uint8Array;
  labels: Uint8Array;
  /** PyTorch's logits, `(N, 10)`. */
  logits: Record<"mlp" | "cnn", Float32Array>;
}

export async function loadTestSet(): Promise<TestSet> {
  const arrays = await nn.load(await readFile(asset("test1000.npz")));
  const get = (key: string): Float32Array => arrays.get(key)!.toFloat32();
  return {
    images: Uint8Array.from(get("images")),
    labels: Uint8Array.from(get("labels")),
    logits: { mlp: get("mlp_logits"), cnn: get("cnn_logits") },
  };
}

export async function loadModel(name: "mlp" | "cnn"): Promise<nn.Sequential> {
  const model = nn.meta(name === "mlp" ? makeMlp : makeCnn);
  model.loadStateDict(await nn.load(await readFile(asset(`${name}.safetensors`))));
  return model;
}

/** The logits `(N, 10)`. Runs in batches, so that a progress bar can advance. */
export function predict(
  model: nn.Module,
  { images, labels }: TestSet,
  onProgress: (done: number) => void = () => {},
  batch = 100,
): Float32Array {
  const logits = new Float32Array(labels.length * 10);
  for (let begin = 0; begin < labels.length; begin += batch) {
    const end = Math.min(begin + batch, labels.length);
    const pixels = Float32Array.from(images.subarray(begin * 784, end * 784), (p) => p / 255);
    const x = tf.tensor(pixels, [end - begin, 1, 28, 28]);
    const y = model(x) as tf.Tensor;
    logits.set(y.dataSync(), begin * 10);
    tf.dispose([x, y]);
    onProgress(end);
  }
  return logits;
}

export interface Score {
  /** How many pictures were classified correctly. */
  correct: number;
  /** Whether exactly the same pictures are classified correctly as by PyTorch. */
  same: boolean;
  /** The largest difference from PyTorch's logits. */
  maxDifference: number;
}

const argmax = (values: Float32Array): number => values.indexOf(Math.max(...values));

const row = (logits: Float32Array, i: number): Float32Array =>
  logits.subarray(i * 10, (i + 1) * 10);

export function score(logits: Float32Array, torch: Float32Array, labels: Uint8Array): Score {
  const right = (all: Float32Array): boolean[] =>
    Array.from(labels, (label, i) => argmax(row(all, i)) === label);
  const ours = right(logits);
  const theirs = right(torch);
  return {
    correct: ours.filter(Boolean).length,
    same: ours.every((isRight, i) => isRight === theirs[i]),
    maxDifference: logits.reduce((max, value, i) => Math.max(max, Math.abs(value - torch[i]!)), 0),
  };
}

const SHADES = " ░▒▓█";

/** A picture as text of 28 columns and 14 lines. Each line shows two rows of pixels. */
export function drawPicture(pixels: Uint8Array): string[] {
  return Array.from({ length: 14 }, (_, line) =>
    Array.from({ length: 28 }, (_, column) => {
      const mean = (pixels[line * 56 + column]! + pixels[line * 56 + 28 + column]!) / 2;
      return SHADES[Math.round((mean / 255) * (SHADES.length - 1))];
    }).join(""),
  );
}

/** A picture with its label and the three classes that the model finds most probable. */
export function showPrediction(
  { images, labels }: TestSet,
  logits: Float32Array,
  i: number,
): string {
  const picture = drawPicture(images.subarray(i * 784, (i + 1) * 784));
  const scores = Array.from(row(logits, i));
  const top = Math.max(...scores);
  const exps = scores.map((value) => Math.exp(value - top));
  const sum = exps.reduce((a, b) => a + b, 0);
  const best = exps
    .map((value, k) => ({ name: CLASSES[k]!, p: value / sum }))
    .sort((a, b) => b.p - a.p)
    .slice(0, 3);
  const text = [
    `label: ${CLASSES[labels[i]!]}`,
    "",
    ...best.map(({ name, p }) => {
      const bar = "█".repeat(Math.round(p * 20)).padEnd(20, "·");
      return `${name.padEnd(12)} ${bar} ${(p * 100).toFixed(1).padStart(5)} %`;
    }),
  ];
  return picture.map((line, k) => `${line}  ${text[k - 4] ?? ""}`.trimEnd()).join("\n");
}
