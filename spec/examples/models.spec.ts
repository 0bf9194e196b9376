import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { embedSentences, MINILM } from "../../examples/models/bert.js";
import { EfficientNetLite0 } from "../../examples/models/efficientnet-lite.js";
import { ONet, PNet, RNet } from "../../examples/models/mtcnn.js";
import { detectSpeech, SileroVAD } from "../../examples/models/silero-vad.js";
import { complete, WordGPT } from "../../examples/models/wordgpt.js";
import * as nn from "../../lib/index.js";
import { BertModel } from "../../lib/models/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose, expectNoLeak, expectTensor } from "../support/expect.js";
import { readFixture } from "../support/files.js";

/** Trained models written as a user would, with their checkpoints' keys, against PyTorch's outputs. */
const CLOSE = { rtol: 0, atol: 1e-4 };

type Arrays = Map<string, nn.Entry>;

const readAsset = async (path: string): Promise<Arrays> =>
  nn.load(await readFixture(`../examples/assets/${path}`));

const readGolden = async (path: string): Promise<Arrays> =>
  nn.load(await readFixture(`goldens/${path}`));

function loadInto<M extends nn.Module>(make: () => M, state: Arrays): M {
  const model = nn.meta(make);
  model.loadStateDict(state);
  return model;
}

function tensorOf(arrays: Arrays, key: string): tf.Tensor {
  const entry = arrays.get(key)!;
  const isInteger = entry.dtype.startsWith("int");
  return tf.tensor(isInteger ? entry.toInt32() : entry.toFloat32(), [...entry.shape]);
}

const wanted = (
  arrays: Arrays,
  key: string,
): { shape: readonly number[]; values: Float32Array } => {
  const entry = arrays.get(key)!;
  return { shape: entry.shape, values: entry.toFloat32() };
};

/** Compiled for the backend, and run once: what that leaves is its own. The example is disposed. */
async function compiled<M extends nn.Module>(
  model: M,
  example: tf.Tensor,
): Promise<nn.Compiled<M>> {
  const fast = await nn.compile(model, example);
  tf.dispose((fast as unknown as (x: tf.Tensor) => tf.TensorContainer)(example));
  example.dispose();
  return fast;
}

onEveryBackend("Trained models written in TypeScript", () => {
  it("silero_vad hears speech where PyTorch does", async () => {
    const golden = await readAsset("silero_vad/golden.npz");
    const samples = golden.get("pcm16")!.toFloat32();
    const model = loadInto(
      () => new SileroVAD(),
      await readAsset("silero_vad/silero_vad_16k.safetensors"),
    );
    const speech = samples.map((value) => value / 32768);
    const fast = await compiled(model, tf.zeros([1, 576]));
    for (const run of [model, fast]) {
      const got = expectNoLeak(() => detectSpeech(run, speech));
      expectClose(got, golden.get("prob")!.toFloat32(), CLOSE, "probabilities");
      expect(got[0]).to.be.below(0.1);
      expect(got.at(-1)).to.be.above(0.9);
    }
    expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
    fast.dispose();
    model.dispose();
  });

  const NETS = { pnet: () => new PNet(), rnet: () => new RNet(), onet: () => new ONet() };
  for (const [name, make] of Object.entries(NETS) as [string, () => nn.Module][]) {
    it(`mtcnn's ${name}`, async () => {
      const golden = await readAsset("mtcnn/golden.npz");
      const model = loadInto(make, await readAsset(`mtcnn/${name}.pt`));
      const inputs = [...golden.keys()].filter(
        (key) => key.startsWith(name) && key.endsWith("_in"),
      );
      expect(inputs).to.not.be.empty;
      for (const key of inputs) {
        const x = tensorOf(golden, key);
        const fast = await compiled(model, x.clone());
        expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
        for (const run of [model, fast]) {
          expectNoLeak(() => {
            const outputs = run(x) as tf.Tensor[];
            outputs.forEach((y, i) => {
              const want = wanted(golden, key.replace("_in", `_out${i}`));
              expectTensor(y, want, CLOSE, `${key}: ${i}`);
            });
            tf.dispose(outputs);
          });
        }
        fast.dispose();
        x.dispose();
      }
      model.dispose();
    });
  }

  it("wordgpt spells the words that it spells in PyTorch", async () => {
    const golden = await readAsset("wordgpt/golden.npz");
    const model = loadInto(() => new WordGPT(), await readAsset("wordgpt/wordgpt.safetensors"));
    const ids = tensorOf(golden, "ids");
    const fast = await compiled(model, ids.clone());
    expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
    for (const run of [model, fast]) {
      expectNoLeak(() => {
        const logits = run(ids);
        expectTensor(logits, wanted(golden, "logits"), CLOSE, "logits");
        logits.dispose();
      });
    }
    fast.dispose();
    expectNoLeak(() => {
      expect(complete(model, "tensor")).to.equal("tensorizes");
      expect(complete(model, "photo")).to.equal("photographic");
    });
    ids.dispose();
    model.dispose();
  });

  it("BertModel with a checkpoint of transformers", async () => {
    const golden = await readGolden("bert-small.golden.npz");
    const config = {
      ...{ vocab_size: 50, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3 },
      ...{ intermediate_size: 40, max_position_embeddings: 16 },
      ...{ type_vocab_size: 2, layer_norm_eps: 1e-12 },
    };
    const model = loadInto(() => new BertModel(config), await readGolden("bert-small.safetensors"));
    const ids = tensorOf(golden, "input_ids");
    const mask = tensorOf(golden, "attention_mask");
    expectNoLeak(() => {
      const output = model(ids, { attentionMask: mask });
      for (const key of ["last_hidden_state", "pooler_output"] as const) {
        expectTensor(output[key]!, wanted(golden, key), CLOSE, key);
      }
      const sentences = embedSentences(model, ids, mask);
      const lengths = tf.tidy(() => tf.norm(sentences, 2, 1).dataSync());
      expectClose(lengths, [1, 1, 1], CLOSE, "lengths");
      tf.dispose([output, sentences] as tf.TensorContainer);
    });
    tf.dispose([ids, mask]);
    model.dispose();
  });
});

describe("Larger models", () => {
  it("EfficientNet-Lite0 and all-MiniLM-L6-v2 have their checkpoints' sizes", () => {
    const count = (model: nn.Module): number =>
      model.parameters().reduce((sum, { size }) => sum + size, 0);
    expect(count(nn.meta(() => new EfficientNetLite0()))).to.equal(4_652_008);
    expect(count(nn.meta(() => new BertModel(MINILM)))).to.equal(22_713_216);
  });
});
