import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import * as models from "../../lib/models/index.js";
import { expectNoLeak } from "../support/expect.js";

const BERT = {
  ...{ vocab_size: 9, hidden_size: 4, num_hidden_layers: 1, num_attention_heads: 2 },
  ...{ intermediate_size: 5, max_position_embeddings: 6 },
};
const GPT2 = { vocab_size: 9, n_embd: 4, n_layer: 1, n_head: 2, n_positions: 6 };

type State = Map<string, tf.Tensor>;

const rename = (state: State, change: (key: string) => string): State =>
  new Map([...state].map(([key, value]) => [change(key), value]));

const ids = (): tf.Tensor => tf.tensor2d([[1, 2, 3]], [1, 3], "int32");

function valuesOf(output: Record<string, tf.Tensor | null>): number[] {
  const values = Object.values(output).flatMap((one) => (one ? [...one.dataSync()] : []));
  tf.dispose(output as tf.TensorContainer);
  return values;
}

describe("Ready models load what transformers and torchvision load", () => {
  before(() => nn.setBackend("cpu"));

  it("BertModel: of a model with a head, and keys of earlier versions", () => {
    const source = new models.BertModel(BERT);
    const old = rename(source.stateDict(), (key) =>
      `bert.${key}`
        .replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta"),
    );
    old.set("bert.embeddings.position_ids", tf.zeros([1, 6], "int32"));
    old.set("cls.predictions.bias", tf.zeros([9]));
    const x = ids();
    const want = valuesOf({ ...source(x) });
    const model = nn.meta(() => new models.BertModel(BERT));
    model.loadStateDict(old);
    expectNoLeak(() => expect(valuesOf({ ...model(x) })).to.deep.equal(want));
    const bare = nn.meta(() => new models.BertModel(BERT, { addPoolingLayer: false }));
    bare.loadStateDict(old);
    expect(valuesOf({ ...bare(x) })).to.deep.equal(want.slice(0, 12));
    expect(() => model.loadStateDict(rename(source.stateDict(), (key) => `net.${key}`))).to.throw(
      "Missing key(s) in state_dict",
    );
  });

  it("GPT2LMHeadModel: GPT2Model's keys with masks and no head; GPT2Model: its", () => {
    const base = new models.GPT2Model(GPT2);
    const state = new Map(base.stateDict());
    state.set("h.0.attn.bias", tf.ones([1, 1, 6, 6]));
    state.set("h.0.attn.masked_bias", tf.scalar(-1e4));
    const model = nn.meta(() => new models.GPT2LMHeadModel(GPT2));
    model.loadStateDict(state);
    expect(model.lm_head.weight).to.equal(model.transformer.wte.weight);
    const x = ids();
    const hidden = base(x).last_hidden_state;
    const logits = tf.tidy(() => nn.functional.linear(hidden, base.wte.weight).dataSync());
    expect(valuesOf({ ...model(x) })).to.deep.equal([...logits]);
    const back = nn.meta(() => new models.GPT2Model(GPT2));
    back.loadStateDict(model.stateDict());
    expect(valuesOf({ ...back(x) })).to.deep.equal([...hidden.dataSync()]);
    const untied = nn.meta(
      () => new models.GPT2LMHeadModel({ ...GPT2, tie_word_embeddings: false }),
    );
    expect(() => untied.loadStateDict(state)).to.throw(
      'Missing key(s) in state_dict: "lm_head.weight"',
    );
  });

  it("VisionTransformer: the keys of its MLP before it was a Sequential", () => {
    const size = { patchSize: 4, numLayers: 1, numHeads: 1, hiddenDim: 4, mlpDim: 6 };
    const make = (): nn.Module => new models.VisionTransformer(size, { imageSize: 8 });
    const source = make();
    const old = rename(source.stateDict(), (key) =>
      key.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."),
    );
    const model = nn.meta(make);
    model.loadStateDict(old);
    const [got, want] = [model, source].map((one) => [
      ...one.getParameter("encoder.layers.encoder_layer_0.mlp.3.weight").dataSync(),
    ]);
    expect(got).to.deep.equal(want);
  });
});

describe("Ready models say what they cannot be", () => {
  const build = <T>(make: () => T) => expect(() => nn.meta(make));

  it("options and configs", () => {
    build(() => models.resnet18({ classes: 10 } as object)).to.throw(
      "ResNet got an unexpected option 'classes'; known options: numClasses, groups,",
    );
    build(() => models.resnet18(10 as unknown as object)).to.throw("options must be an object");
    build(() => models.resnext50_32x4d({ groups: 2 } as object)).to.throw(
      "resnext50_32x4d got an unexpected option 'groups'; known options: numClasses, replace",
    );
    build(() => models.vgg11Bn({ batchNorm: false } as object)).to.throw(
      "vgg11Bn got an unexpected",
    );
    build(() => models.efficientnetB2({ width: 1 } as object)).to.throw("efficientnetB2 got an un");
    build(() => models.resnet18({ replaceStrideWithDilation: [false, false, true] })).to.throw(
      "Dilation > 1 not supported in BasicBlock",
    );
    build(() => models.vitB16({ imageSize: 30 })).to.throw(
      "Input shape indivisible by patch size!",
    );
    build(() => new models.BertModel({ ...BERT, hidden_act: "gelly" })).to.throw(
      "BertModel: no activation 'gelly'; there are: gelu, gelu_new,",
    );
    build(() => new models.BertModel({ ...BERT, hidden_size: 5 })).to.throw(
      "The hidden size (5) is not a multiple of the number of attention heads (2)",
    );
    build(() => new models.BertModel({ ...BERT, is_decoder: true } as object)).to.throw(
      "BertModel: config.is_decoder must be false, got true",
    );
    build(() => new models.GPT2Model("gpt2" as unknown as object)).to.throw(
      "a config must be an object",
    );
  });

  it("a picture of another size", async () => {
    await nn.setBackend("cpu");
    const size = { patchSize: 4, numLayers: 1, numHeads: 1, hiddenDim: 4, mlpDim: 6 };
    const model = new models.VisionTransformer(size, { imageSize: 8 });
    expect(() => model(tf.zeros([1, 3, 8, 12]))).to.throw(
      "Wrong image width! Expected 8 but got 12!",
    );
  });

  it("a config.json has more than what is read", () => {
    const config = {
      ...BERT,
      architectures: ["BertModel"],
      transformers_version: "4.0",
      pad_token_id: null,
    };
    const model = nn.meta(() => new models.BertModel(config));
    expect(String(model)).to.contain("(word_embeddings): Embedding(9, 4)\n");
  });
});

describe("Ready models in training mode", () => {
  before(() => nn.setBackend("cpu"));

  it("drop whole samples of a branch", () => {
    const model = models.efficientnetB0({ numClasses: 2, stochasticDepthProb: 0.5 });
    const last = model.getSubmodule("features.6.3.stochastic_depth").train();
    const x = tf.ones([200, 2, 1, 1]);
    const rows = tf.tidy(
      () => tf.reshape(last(x) as tf.Tensor, [200, 2]).arraySync() as number[][],
    );
    const p = (0.5 * 14) / 16;
    for (const [a, b] of rows) {
      expect(a).to.equal(b);
      expect([0, Math.fround(1 / (1 - p))].some((value) => Math.abs(a! - value) < 1e-6)).to.be.true;
    }
    const dropped = rows.filter((row) => row[0] === 0).length;
    expect(dropped).to.be.within(50, 125);
    model.dispose();
  });
});
