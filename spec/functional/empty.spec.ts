import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compiled } from "../support/compiled.js";

const none = (): tf.Tensor => tf.zeros([2, 0]);

/** As PyTorch 2.15 gives them, for two rows of nothing. */
const SUMS: [string, () => tf.Tensor, number[]][] = [
  ["cosine_similarity", () => F.cosineSimilarity(none(), none()), [0, 0]],
  ["cosine_embedding_loss", () => F.cosineEmbeddingLoss(none(), none(), tf.ones([2]), { reduction: "none" }), [1, 1]], // prettier-ignore
  ["pairwise_distance", () => F.pairwiseDistance(none(), none()), [0, 0]],
  ["pairwise_distance, p = 1", () => F.pairwiseDistance(none(), none(), { p: 1 }), [0, 0]],
  ["mse_loss with weights", () => F.mseLoss(none(), none(), { weight: none() }), [NaN]],
  ["l1_loss with weights", () => F.l1Loss(none(), none(), { weight: none() }), [NaN]],
  ["huber_loss with weights", () => F.huberLoss(none(), none(), { weight: none() }), [NaN]],
  ["multilabel_soft_margin_loss", () => F.multilabelSoftMarginLoss(none(), none()), [NaN]],
];

onEveryBackend("Sums of nothing", () => {
  for (const [what, run, want] of SUMS) {
    it(`are 0: ${what}`, async () => {
      // What memory is used again has numbers of before.
      tf.dispose(Array.from({ length: 8 }, (_, i) => tf.fill([i + 1], 7)));
      expect(Array.from(run().dataSync())).to.deep.equal(want);
      const fast = await compiled(run, []);
      tf.dispose(Array.from({ length: 8 }, (_, i) => tf.fill([i + 1], 7)));
      expect(Array.from(fast().dataSync())).to.deep.equal(want);
      fast.dispose();
    });
  }
});

onEveryBackend("Outputs of nothing", () => {
  const places = (shape: number[]): tf.Tensor => tf.zeros(shape, "int32");

  it("are no error where everything was padding when it was pooled", () => {
    expect(F.maxUnpool1d(tf.ones([1, 1, 2]), places([1, 1, 2]), 1, { padding: 1 }).shape).to.deep.equal([1, 1, 0]); // prettier-ignore
    const unpooled = F.maxUnpool2d(tf.ones([1, 1, 2, 2]), places([1, 1, 2, 2]), [2, 1], {
      stride: 1,
      padding: 1,
    });
    expect(unpooled.shape).to.deep.equal([1, 1, 1, 0]);
  });

  it("are what nothing is when each instance of it is normalised", () => {
    for (const shape of [
      [2, 3, 0],
      [2, 3, 0, 5],
      [2, 0, 4],
      [0, 3, 4],
    ]) {
      expect(F.instanceNorm(tf.zeros(shape)).shape).to.deep.equal(shape);
    }
    const layer = new nn.InstanceNorm1d(3, { affine: true });
    expect(layer(tf.zeros([2, 3, 0])).shape).to.deep.equal([2, 3, 0]);
  });

  it("are what is asked for of a fractional pooling", () => {
    const options = { outputSize: 0, returnIndices: true } as const;
    const [output, indices] = F.fractionalMaxPool2d(tf.ones([1, 2, 4, 4]), 2, options);
    expect([output.shape, indices.shape]).to.deep.equal([
      [1, 2, 0, 0],
      [1, 2, 0, 0],
    ]);
  });

  it("come of no rows, in AdaptiveLogSoftmaxWithLoss too", () => {
    const layer = new nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2]);
    const [output, loss] = layer(tf.zeros([0, 4]), places([0]));
    expect(output.shape).to.deep.equal([0]);
    expect(Array.from(loss.dataSync())).to.deep.equal([NaN]);
    layer.dispose();
  });
});
