/** The models of the compile bench. `export-models.py` writes the same ones for the peers. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { BertModel, mobilenetV2, resnet18 } from "sconce/models";
import { MINILM } from "../examples/models/bert.js";
import { EfficientNetLite0 } from "../examples/models/efficientnet-lite.js";
import { SileroVAD } from "../examples/models/silero-vad.js";
import { CONTEXT, WordGPT } from "../examples/models/wordgpt.js";

/** The values of an input. */
export interface Input {
  shape: number[];
  data: Float32Array | Int32Array;
}

/** Calls a model and returns the values of its first result. */
export type Call = (inputs: readonly Input[]) => Float32Array | Promise<Float32Array>;

export interface BenchModel {
  name: string;
  title: string;
  make: () => nn.Module;
  /** The arguments of `model(...)`, made of the input tensors. Default: the tensors themselves. */
  args?: (tensors: tf.Tensor[]) => unknown[];
  /** The tensor to compare among those that the model returns. Default: the first. */
  result?: (result: unknown) => tf.Tensor;
  /** What to time, if that is more than one call. */
  run?: (call: Call) => Promise<Float32Array>;
  /** The shape of the input, for models that take a single float tensor. */
  shape?: number[];
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

/**
 * Generates four words of 16 letters, always taking the most probable letter. Each call reads the
 * whole word so far.
 */
async function generate(call: Call): Promise<Float32Array> {
  let logits = new Float32Array(0);
  for (let word = 0; word < 4; word += 1) {
    const ids = [word];
    for (let length = 1; length <= CONTEXT; length += 1) {
      logits = (await call([{ shape: [1, length], data: Int32Array.from(ids) }])) as typeof logits;
      const last = logits.subarray(-27);
      ids.push(last.indexOf(Math.max(...last)));
    }
  }
  return logits;
}

export const BENCH_MODELS: readonly BenchModel[] = [
  { name: "mlp_b1", title: "mlp, batch 1", make: mlp, shape: [1, 784] },
  { name: "mlp_b64", title: "mlp, batch 64", make: mlp, shape: [64, 784] },
  { name: "resnet18", title: "resnet18 224²", make: () => resnet18(), shape: [1, 3, 224, 224] },
  {
    name: "mobilenet_v2",
    title: "mobilenet_v2 224²",
    make: () => mobilenetV2(),
    shape: [1, 3, 224, 224],
  },
  { name: "encoder", title: "encoder 6×384, T 128", make: encoder, shape: [1, 128, 384] },
  {
    name: "minilm",
    title: "MiniLM, T 128",
    make: () => new BertModel(MINILM),
    args: ([ids, attentionMask]) => [ids, { attentionMask }],
    result: (result) => (result as { last_hidden_state: tf.Tensor }).last_hidden_state,
  },
  {
    name: "efficientnet_lite0",
    title: "EfficientNet-Lite0",
    make: () => new EfficientNetLite0(),
    shape: [1, 3, 224, 224],
  },
  {
    name: "silero_vad",
    title: "Silero VAD, a chunk",
    make: () => new SileroVAD(),
    args: ([x, h, c]) => [x, [h, c]],
  },
  {
    name: "lstm",
    title: "LSTM 3×256, T 160",
    make: () => new nn.LSTM(256, 256, { numLayers: 3 }),
    shape: [160, 1, 256],
  },
  { name: "wordgpt", title: "WordGPT, 64 letters", make: () => new WordGPT(), run: generate },
];

/** The first tensor in whatever a model returns. */
export function firstTensor(result: unknown): tf.Tensor {
  return result instanceof tf.Tensor
    ? (result as tf.Tensor)
    : firstTensor((result as unknown[])[0]);
}

export const toTensor = ({ shape, data }: Input): tf.Tensor =>
  tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32");
