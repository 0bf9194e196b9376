import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose } from "../support/expect.js";
import { type FunctionalCase, replay } from "../support/functional.js";
import { readGoldens } from "../support/goldens.js";

const F = nn.functional;
const goldens = await readGoldens<FunctionalCase>(
  process.env.ATTENTION_GOLDENS ?? "goldens/functional-attention",
);

onEveryBackend("Attention as PyTorch", (_backend, tolerance) => {
  for (const golden of goldens.cases) {
    it(golden.id, () => replay(golden, goldens, tolerance));
  }

  it("drops the weights that PyTorch drops", () => {
    tf.tidy(() => {
      const [q, k, v] = [tf.zeros([1, 2, 4]), tf.zeros([1, 5, 4]), tf.ones([1, 5, 1])];
      nn.manualSeed(0);
      const y = F.scaledDotProductAttention(q, k, v, { dropoutP: 0.5 });
      expectClose(y.dataSync(), [0.4, 1.2], tolerance); // PyTorch's, of seed 0
    });
  });

  it("takes float32's least number as a mask: where all of a row is masked, evenly", () => {
    tf.tidy(() => {
      const least = tf.fill([2, 3], -3.4028234663852886e38);
      const [q, v] = [tf.ones([2, 4]), tf.tensor2d([1, 2, 6], [3, 1])];
      const y = F.scaledDotProductAttention(q, tf.ones([3, 4]), v, { attnMask: least });
      expectClose(y.dataSync(), [3, 3], tolerance);
    });
  });

  it("tells scores far below -1e20 apart, and weighs what is equal evenly", () => {
    tf.tidy(() => {
      const [q, v] = [tf.fill([1, 1], 1e15), tf.tensor2d([1, 2, 6], [3, 1])];
      const [apart, even] = [tf.tensor2d([-3e15, -1e15, -2e15], [3, 1]), tf.fill([3, 1], -2e15)];
      expectClose(F.scaledDotProductAttention(q, apart, v).dataSync(), [2], tolerance);
      expectClose(F.scaledDotProductAttention(q, even, v).dataSync(), [3], tolerance);
      const rows = tf.tensor2d([-3e30, -1e30, -2e30, -3e38, -3e38, -3e38], [2, 3]);
      const want = [0, 1, 0, 1 / 3, 1 / 3, 1 / 3];
      expectClose(F.softmax(rows, { dim: 1 }).dataSync(), want, tolerance);
      expectClose(tf.exp(F.logSoftmax(rows, { dim: 1 })).dataSync(), want, tolerance);
    });
  });
});

describe("Attention says what is wrong", () => {
  before(() => nn.setBackend("cpu"));

  const attend = (q: number[], k: number[], v: number[], options = {}): (() => void) => {
    return () => {
      tf.tidy(() => F.scaledDotProductAttention(tf.ones(q), tf.ones(k), tf.ones(v), options));
    };
  };

  it("in the shapes of query, key and value", () => {
    expect(attend([4], [4], [4])).to.throw(
      "scaled_dot_product_attention(): Expected query, key, and value to all be at least 2 " +
        "dimensional, but got query.dim: 1, key.dim: 1 and value.dim: 1 instead",
    );
    expect(attend([3, 4], [5, 6], [5, 4])).to.throw("but got (3, 4), (5, 6), (5, 4)");
    expect(attend([3, 4], [5, 4], [6, 4])).to.throw("but got (3, 4), (5, 4), (6, 4)");
    expect(attend([2, 3, 4], [3, 5, 4], [3, 5, 4])).to.throw(
      "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
    );
    expect(attend([3, 3, 4], [2, 5, 4], [2, 5, 4], { enableGqa: true })).to.throw(
      "Number of heads in key and value must divide the number of heads in query, but got 2, 2 and 3",
    );
  });

  it("in the mask", () => {
    const shapes = [[1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 5, 4]] as const; // prettier-ignore
    const masked = (attnMask: tf.Tensor, isCausal = false): (() => void) =>
      attend([...shapes[0]], [...shapes[1]], [...shapes[2]], { attnMask, isCausal });
    expect(masked(tf.ones([3, 5]), true)).to.throw(
      "Explicit attn_mask should not be set when is_causal=True",
    );
    expect(masked(tf.ones([3, 6]))).to.throw(
      "Expected attn_mask to broadcast to (1, 2, 3, 5), but got shape (3, 6)",
    );
    expect(masked(tf.ones([4, 2, 3, 5]))).to.throw("but got shape (4, 2, 3, 5)");
    expect(masked(tf.ones([5]))).to.throw("but got shape (5,)");
    expect(masked(tf.ones([3, 5], "int32"))).to.throw("attn_mask.dtype: Int");
  });

  it("in MultiheadAttention", () => {
    const mha = new nn.MultiheadAttention(4, 2);
    const call = (shapes: number[][], options = {}): (() => void) => {
      const [q, k, v] = shapes.map((shape) => tf.ones(shape)) as [tf.Tensor, tf.Tensor, tf.Tensor];
      return () => mha(q, k, v, options);
    };
    const x = [3, 2, 4];
    const bad: [number[][], object, string][] = [
      [[[1, ...x], x, x], {}, "query should be unbatched 2D or batched 3D tensor but received 4-D"],
      [[x, [3, 4], [3, 4]], {}, "expected `key` and `value` to be 3-D but found 2-D and 2-D"],
      [[[3, 2, 5], x, x], {}, "was expecting embedding dimension of 4, but got 5"],
      [[x, x, [4, 2, 4]], {}, "key shape (3, 2, 4) does not match value shape (4, 2, 4)"],
      [[x, [3, 3, 4], [3, 3, 4]], {}, "the query's batch size 2, got 3"],
      [[x, x, x], { keyPaddingMask: tf.ones([3]) }, "or 2-D but found 1-D tensor instead"],
      [
        [x, x, x],
        { keyPaddingMask: tf.ones([2, 4]) },
        "key_padded_mask.shape[1] to be 3, but got 4",
      ],
      [[x, x, x], { attnMask: tf.ones([3]) }, "to be `None`, 2-D or 3-D but found 1-D"],
      [[x, x, x], { attnMask: tf.ones([3, 4]) }, "2D attn_mask is (3, 4), but should be (3, 3)."],
      [[x, x, x], { attnMask: tf.ones([2, 3, 3]) }, "but should be (4, 3, 3)."],
      [[x, x, x], { attnMask: tf.ones([3, 3], "int32") }, "floating types of attn_mask"],
      [[x, x, x], { isCausal: true }, "Need attn_mask if specifying the is_causal hint."],
      [[x, x, x], { mask: null }, "MultiheadAttention got an unexpected option 'mask'"],
    ];
    for (const [shapes, options, message] of bad) {
      expect(call(shapes, options), message).to.throw(message);
    }
    expect(() => new nn.MultiheadAttention(7, 2)).to.throw("divisible by num_heads");
    expect(() => new nn.MultiheadAttention(0, 2)).to.throw(
      "must be greater than 0, got embed_dim=0",
    );
    mha.dispose();
  });

  it("in the transformers", () => {
    const activation = "tanh" as "relu";
    expect(() => new nn.TransformerEncoderLayer(4, 2, { activation })).to.throw(
      "activation should be relu/gelu, not tanh",
    );
    const options = { dModel: 4, nhead: 2, dimFeedforward: 8 };
    const model = new nn.Transformer({ ...options, numEncoderLayers: 1, numDecoderLayers: 1 });
    expect(() => model(tf.ones([3, 2, 4]), tf.ones([3, 3, 4]))).to.throw(
      "the batch number of src and tgt must be equal, got 2 and 3",
    );
    expect(() => model(tf.ones([3, 2, 5]), tf.ones([3, 2, 5]))).to.throw(
      "the feature number of src and tgt must be equal to d_model, 4, got 5 and 5",
    );
    model.dispose();
  });
});
