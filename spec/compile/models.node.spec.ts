import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { EfficientNetLite0 } from "../../examples/models/efficientnet-lite.js";
import { SileroVAD } from "../../examples/models/silero-vad.js";
import { WordGPT } from "../../examples/models/wordgpt.js";
import * as nn from "../../lib/index.js";
import {
  BertModel,
  efficientnetB0,
  GPT2LMHeadModel,
  mobilenetV2,
  resnet18,
  resnext50_32x4d,
  VisionTransformer,
} from "../../lib/models/index.js";
import { expectSame } from "../support/graphs.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

interface Case {
  title: string;
  make: () => nn.Module;
  inputs: (() => unknown[])[];
}

const tokens = (...shape: number[]): tf.Tensor => nn.randint(0, 27, shape);
const bert = {
  ...{ vocab_size: 27, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3 },
  ...{ intermediate_size: 48, max_position_embeddings: 16, type_vocab_size: 2, layer_norm_eps: 1e-12 }, // prettier-ignore
};

const gpt2 = { vocab_size: 27, n_embd: 24, n_layer: 2, n_head: 3, n_positions: 16 };
const mask = (): tf.Tensor =>
  tf.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], [2, 6], "int32"); // prettier-ignore
const numClasses = 10;

const CASES: Case[] = [
  {
    title: "resnext50_32x4d",
    make: () => resnext50_32x4d({ numClasses }),
    inputs: [() => [nn.randn(1, 3, 32, 32)]],
  },
  {
    title: "mobilenetV2",
    make: () => mobilenetV2({ numClasses }),
    inputs: [() => [nn.randn(1, 3, 32, 32)]],
  },
  {
    title: "efficientnetB0",
    make: () => efficientnetB0({ numClasses }),
    inputs: [() => [nn.randn(1, 3, 32, 32)]],
  },
  {
    title: "VisionTransformer",
    make: () => {
      const size = { patchSize: 8, numLayers: 2, numHeads: 3, hiddenDim: 24, mlpDim: 40 };
      const model = new VisionTransformer(size, { imageSize: 32, numClasses });
      nn.init.normal_(model.getParameter("heads.head.weight")); // 0 at first
      return model;
    },
    inputs: [() => [nn.randn(1, 3, 32, 32)], () => [nn.randn(3, 3, 32, 32)]],
  },
  {
    title: "GPT2LMHeadModel",
    make: () => new GPT2LMHeadModel(gpt2),
    inputs: [() => [tokens(1, 7)], () => [tokens(2, 3)]],
  },
  {
    title: "GPT2LMHeadModel with padding",
    make: () => new GPT2LMHeadModel(gpt2),
    inputs: [() => [tokens(2, 6), { attentionMask: mask() }]],
  },
  {
    title: "resnet18",
    make: () => resnet18({ numClasses }),
    inputs: [() => [nn.randn(1, 3, 40, 40)], () => [nn.randn(2, 3, 40, 40)]],
  },
  {
    title: "EfficientNet-Lite0",
    make: () => new EfficientNetLite0(),
    inputs: [() => [nn.randn(1, 3, 32, 32)]],
  },
  {
    title: "WordGPT",
    make: () => new WordGPT(),
    inputs: [() => [tokens(1, 7)], () => [tokens(2, 3)]],
  },
  {
    title: "SileroVAD",
    make: () => new SileroVAD(),
    inputs: [() => [nn.randn(1, 576)]],
  },
  {
    title: "BERT",
    make: () => new BertModel(bert),
    inputs: [() => [tokens(2, 6), { attentionMask: mask() }], () => [tokens(2, 6)]],
  },
];

describe("Real models, compiled", () => {
  before(() => nn.setBackend("cpu"));

  for (const { title, make, inputs } of CASES) {
    it(`${title} gives what it gives eagerly`, async () => {
      nn.manualSeed(0);
      const model = make();
      const fast = await nn.compile(model, inputs[0]!());
      expect(fast.explain().compiled, String(fast.explain())).to.be.true;
      expect(fast.explain().fallbacks, "what runs as tfjs ops").to.deep.equal([]);
      for (const input of inputs) {
        const args = input();
        expectSame(fast(...(args as never[])), model(...(args as never[])), CLOSE, title);
      }
      fast.dispose();
      model.dispose();
    });
  }
});
