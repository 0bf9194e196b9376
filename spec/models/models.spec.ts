import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import * as models from "../../lib/models/index.js";
import { onEveryBackendOnce } from "../support/backends.js";
import { bytesOf, crc32 } from "../support/crc32.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";
import { readGoldens } from "../support/goldens.js";
import table from "../goldens/models.json" with { type: "json" };

/** What torchvision and transformers say: `spec/oracle/models.py`. */
const { tensor: golden } = await readGoldens("goldens/models");

const SEED = 1234;
const BERT = {
  ...{ vocab_size: 50, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3 },
  ...{ intermediate_size: 40, max_position_embeddings: 16 },
};
const GPT2 = { vocab_size: 50, n_embd: 24, n_layer: 2, n_head: 3, n_positions: 16 };
const VIT = { patchSize: 8, numLayers: 2, numHeads: 3, hiddenDim: 24, mlpDim: 40 };

/** Their names in torchvision. */
const DESCRIBED: Record<keyof typeof table.described, () => nn.Module> = {
  resnet18: models.resnet18,
  resnet34: models.resnet34,
  resnet50: models.resnet50,
  resnet101: models.resnet101,
  resnet152: models.resnet152,
  resnext50_32x4d: models.resnext50_32x4d,
  wide_resnet50_2: models.wideResnet50_2,
  mobilenet_v2: models.mobilenetV2,
  vgg11: models.vgg11,
  vgg11_bn: models.vgg11Bn,
  vgg13: models.vgg13,
  vgg13_bn: models.vgg13Bn,
  vgg16: models.vgg16,
  vgg16_bn: models.vgg16Bn,
  vgg19: models.vgg19,
  vgg19_bn: models.vgg19Bn,
  vit_b_16: models.vitB16,
  vit_b_32: models.vitB32,
  vit_l_16: models.vitL16,
  vit_l_32: models.vitL32,
  efficientnet_b0: models.efficientnetB0,
  efficientnet_b1: models.efficientnetB1,
  efficientnet_b2: models.efficientnetB2,
  efficientnet_b3: models.efficientnetB3,
  efficientnet_b4: models.efficientnetB4,
};

type Called = (model: nn.Module, input: tf.Tensor[]) => unknown;

const picture = (size: number): (() => tf.Tensor[]) => {
  return () => [nn.rand(2, 3, size, size)];
};

function tokens(): tf.Tensor[] {
  const lengths = [9, 5, 1];
  const mask = lengths.map((length) => Array.from({ length: 9 }, (_, i) => Number(i < length)));
  return [nn.randint(1, 50, [3, 9]), tf.tensor2d(mask, [3, 9], "int32")];
}

const see: Called = (model, [x]) => ({ logits: model(x) as tf.Tensor });
const read: Called = (model, [ids, attentionMask]) => model(ids, { attentionMask });

const numClasses = 10;
const NUMBERS: Record<keyof typeof table.numbers, [() => nn.Module, () => tf.Tensor[], Called]> = {
  resnet18: [() => models.resnet18({ numClasses }), picture(64), see],
  resnext50_32x4d: [() => models.resnext50_32x4d({ numClasses }), picture(64), see],
  "resnet dilated": [
    () =>
      new models.ResNet(models.Bottleneck, [1, 2, 2, 1], {
        ...{ numClasses, groups: 2, widthPerGroup: 16 },
        replaceStrideWithDilation: [false, true, true],
      }),
    picture(64),
    see,
  ],
  mobilenet_v2: [() => models.mobilenetV2({ numClasses, widthMult: 0.35 }), picture(64), see],
  efficientnet_b0: [() => models.efficientnetB0({ numClasses }), picture(64), see],
  vit: [() => new models.VisionTransformer(VIT, { imageSize: 32, numClasses }), picture(32), see],
  vgg: [() => new models.VGG([[8], [16, 16]], { numClasses, batchNorm: true }), picture(32), see],
  BertModel: [() => new models.BertModel(BERT), tokens, read],
  "BertModel tanh": [
    () => new models.BertModel({ ...BERT, hidden_act: "gelu_new" }, { addPoolingLayer: false }),
    tokens,
    read,
  ],
  GPT2Model: [
    () =>
      new models.GPT2Model({
        ...{ ...GPT2, n_inner: 32, activation_function: "relu" },
        scale_attn_by_inverse_layer_idx: true,
      }),
    tokens,
    read,
  ],
  GPT2LMHeadModel: [() => new models.GPT2LMHeadModel(GPT2), tokens, read],
};

interface Description {
  repr: number;
  keys: number;
  parameters: number;
}

function describeModel(model: nn.Module): Description {
  const state = [...model.stateDict()].map(([key, { shape }]) => `${key} ${shape.join(",")}`);
  return {
    repr: crc32(String(model)),
    keys: crc32(state.join("\n")),
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
  };
}

const floatsOf = (model: nn.Module): [string, tf.Tensor][] =>
  [...model.stateDict()].filter(([, { dtype }]) => dtype === "float32");

/** As the oracle fills all state, in order; what is tied once. */
function draw(model: nn.Module): void {
  nn.manualSeed(SEED);
  const drawn = new Set<tf.Tensor>();
  for (const [key, tensor] of floatsOf(model)) {
    if (drawn.has(tensor)) continue;
    drawn.add(tensor);
    const state = tensor as nn.Parameter;
    if (key.endsWith("running_var")) nn.init.uniform_(state, { a: 0.5, b: 1.5 });
    else if (state.rank > 1) nn.init.xavierUniform_(state);
    else if (key.endsWith("weight")) nn.init.uniform_(state, { a: 0.5, b: 1 });
    else nn.init.normal_(state, { std: 0.1 });
  }
}

describe("Ready models are laid out as torchvision's", () => {
  for (const [name, make] of Object.entries(DESCRIBED)) {
    it(name, () => {
      const model = nn.meta(make);
      const want = table.described[name as keyof typeof DESCRIBED];
      expect(describeModel(model)).to.deep.equal(want);
    });
  }
});

describe("Ready models start with the weights that a seed gives them in PyTorch", () => {
  before(() => nn.setBackend("cpu"));

  for (const [name, [make]] of Object.entries(NUMBERS)) {
    const want: { initial?: number; next?: number } = table.numbers[name as keyof typeof NUMBERS];
    if (want.initial === undefined) continue;
    it(name, () => {
      nn.manualSeed(SEED);
      const model = make();
      const initial = floatsOf(model).reduce(
        (sum, [, tensor]) => crc32(bytesOf(tensor.dataSync<"float32">()), sum),
        0,
      );
      expect(initial).to.equal(want.initial);
      expect(tf.tidy(() => nn.rand(1).dataSync()[0])).to.equal(want.next);
      model.dispose();
    });
  }
});

onEveryBackendOnce("Ready models", (_, tolerance) => {
  for (const [name, [make, input, call]] of Object.entries(NUMBERS)) {
    it(`${name} gives PyTorch's numbers`, () => {
      const model = nn.meta(make);
      const { outputs, repr, keys, parameters } = table.numbers[name as keyof typeof NUMBERS];
      // The oracle's vgg is one of torchvision with a layer exchanged.
      if (name !== "vgg") expect(describeModel(model)).to.deep.equal({ repr, keys, parameters });
      draw(model);
      const given = input();
      expectNoLeak(() => {
        const result = call(model, given) as Record<string, tf.Tensor>;
        const tensors = Object.entries(result).filter(([, value]) => value !== null);
        expect(tensors.map(([key]) => key)).to.deep.equal(outputs);
        for (const [key, value] of tensors) {
          expectTensor(value, golden(`${name}.${key}`), tolerance, key);
          value.dispose();
        }
      });
      tf.dispose(given);
      model.dispose();
    });
  }
});
