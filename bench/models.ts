/** The models of the compile bench, with random weights, and what they are called with. */
import type * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { resnet18 } from "../examples/models/resnet.js";

export interface BenchModel {
  name: string;
  make: () => nn.Module;
  example: () => tf.Tensor;
  /** Whether the cpu backend takes seconds for one call. */
  isHeavy?: boolean;
}

const mlp = (): nn.Module =>
  new nn.Sequential(
    new nn.Linear(784, 1024),
    new nn.ReLU(),
    new nn.Linear(1024, 1024),
    new nn.ReLU(),
    new nn.Linear(1024, 10),
  );

const encoder = (): nn.Module => {
  const options = { dimFeedforward: 1536, activation: "gelu", batchFirst: true } as const;
  return new nn.TransformerEncoder(new nn.TransformerEncoderLayer(384, 12, options), 6);
};

export const BENCH_MODELS: readonly BenchModel[] = [
  { name: "mlp, batch 1", make: mlp, example: () => nn.randn(1, 784) },
  { name: "mlp, batch 64", make: mlp, example: () => nn.randn(64, 784) },
  {
    name: "resnet18 224²",
    make: () => resnet18(),
    example: () => nn.randn(1, 3, 224, 224),
    isHeavy: true,
  },
  {
    name: "encoder 6×384, T 128",
    make: encoder,
    example: () => nn.randn(1, 128, 384),
    isHeavy: true,
  },
  {
    name: "LSTM 3×256, T 160",
    make: () => new nn.LSTM(256, 256, { numLayers: 3 }),
    example: () => nn.randn(160, 1, 256),
  },
];
