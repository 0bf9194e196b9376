import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";

const F = nn.functional;
const x = (...shape: number[]): tf.Tensor => tf.ones(shape);
const int = (...shape: number[]): tf.Tensor => tf.ones(shape, "int32");
const ids = (...values: number[]): tf.Tensor => tf.tensor1d(values, "int32");

type Checks = Record<string, readonly [run: () => unknown, ...messages: string[]]>;

const encoder = new nn.TransformerEncoderLayer(2, 1, { dimFeedforward: 2 });
const decoder = new nn.TransformerDecoderLayer(2, 1, { dimFeedforward: 2 });

/** The messages are PyTorch's; what it leaves out, module, got or expected, is added. */
const CHECKS: Record<string, Checks> = {
  "bounds and stacks": {
    Hardtanh: [
      () => new nn.Hardtanh({ maxVal: -3 }),
      "max_val (-3) must be greater than min_val (-1)",
    ],
    TransformerEncoder: [
      () => new nn.TransformerEncoder(encoder, 0)(x(1, 1, 2)),
      "index 0 is out of range",
    ],
    TransformerDecoder: [
      () => new nn.TransformerDecoder(decoder, 0)(x(1, 1, 2), x(1, 1, 2)),
      "index 0 is out of range",
    ],
  },
  "channels that groups do not divide": {
    Conv2d: [
      () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
      "in_channels must be divisible by groups, got 3 and 2",
    ],
    ConvTranspose1d: [
      () => new nn.ConvTranspose1d(4, 3, 3, { groups: 2 }),
      "out_channels must be divisible by groups, got 3 and 2",
    ],
    GroupNorm: [
      () => new nn.GroupNorm(3, 4),
      "num_channels (4) must be divisible by num_groups (3)",
    ],
    MultiheadAttention: [
      () => new nn.MultiheadAttention(7, 2),
      "embed_dim must be divisible by num_heads, got 7 and 2",
    ],
    ChannelShuffle: [
      () => new nn.ChannelShuffle(2)(x(1, 3, 2, 2)),
      "Number of channels must be divisible by groups. Got 3 channels and 2 groups.",
      "in ChannelShuffle(groups=2)",
    ],
    "an input with other channels": [
      () => new nn.Sequential(new nn.Conv2d(4, 2, 1, { groups: 2 }))(x(1, 3, 3, 3)),
      "Given groups=2, weight of size [2, 2, 1, 1], expected input[1, 3, 3, 3] to have 4 channels, " +
        "but got 3 channels instead",
      "in 0: Conv2d(4, 2, kernel_size=(1, 1), stride=(1, 1), groups=2)",
    ],
  },
  "a kernel larger than the padded input": {
    Conv2d: [
      () => new nn.Conv2d(1, 1, 6, { padding: 1 })(x(1, 1, 3, 3)),
      "Calculated padded input size per channel: (5 x 5). Kernel size: (6 x 6). " +
        "Kernel size can't be greater than actual input size",
      "in Conv2d(1, 1, kernel_size=(6, 6), stride=(1, 1), padding=(1, 1))",
    ],
    "dilated Conv1d": [
      () => new nn.Conv1d(1, 1, 3, { dilation: 3 })(x(1, 1, 6)),
      "Calculated padded input size per channel: (6). Kernel size: (7).",
    ],
    MaxPool2d: [
      () => new nn.MaxPool2d(5)(x(1, 1, 3, 3)),
      "Calculated output size: (0x0). Output size is too small",
      "in MaxPool2d(kernel_size=5",
    ],
    AvgPool3d: [
      () => new nn.AvgPool3d(3, { padding: 1 })(x(1, 1, 2, 4, 3)),
      "input image (T: 2 H: 4 W: 3) smaller than kernel size (kT: 3 kH: 3 kW: 3)",
    ],
    "pictures without pixels": [
      () => new nn.Conv2d(2, 3, 3, { padding: 2 })(x(1, 2, 0, 4)),
      "Only zero batch or zero channel inputs are supported, but got input shape: [1, 2, 0, 4]",
    ],
    "pictures without pixels, transposed": [
      () => new nn.ConvTranspose2d(2, 3, 3)(x(1, 2, 4, 0)),
      "Only zero batch or zero channel inputs are supported, but got input shape: [1, 2, 4, 0]",
    ],
    AdaptiveMaxPool2d: [
      () => new nn.AdaptiveMaxPool2d(2)(x(1, 0, 3, 3)),
      "input has sizes [1, 0, 3, 3] with dimension 1 being empty",
    ],
    AdaptiveAvgPool3d: [
      () => new nn.AdaptiveAvgPool3d(2)(x(1, 0, 3, 3, 3)),
      "input has sizes [1, 0, 3, 3, 3] with dimension 1 being empty",
    ],
    AvgPool1d: [() => new nn.AvgPool1d(5)(x(1, 1, 3)), "Output size is too small"],
    FractionalMaxPool3d: [
      () => new nn.FractionalMaxPool3d(3, { outputSize: 2 })(x(1, 1, 4, 4, 4)),
      "pool size 3 too large relative to input size 4 with output size 2",
    ],
    Unfold: [
      () => new nn.Unfold(3)(x(1, 1, 2, 2)),
      "calculated shape of the array of sliding blocks as (0, 0)",
    ],
    "pooling's padding": [
      () => new nn.MaxPool2d(2, { padding: 2 })(x(1, 1, 3, 3)),
      "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2",
    ],
    "reflection beyond the input": [
      () => new nn.ReflectionPad1d(3)(x(1, 1, 3)),
      "Padding size should be less than the corresponding input dimension",
    ],
  },
  "negative sizes": {
    Linear: [
      () => new nn.Linear(2, -1),
      "Trying to create tensor with negative dimension -1: [-1, 2]",
    ],
    Conv2d: [
      () => new nn.Conv2d(1, 2, -3),
      "Trying to create tensor with negative dimension -3: [2, 1, -3, -3]",
    ],
    Embedding: [
      () => new nn.Embedding(-1, 3),
      "Trying to create tensor with negative dimension -1: [-1, 3]",
    ],
    LSTM: [() => new nn.LSTM(3, -1), "hidden_size must be greater than zero"],
    MultiheadAttention: [
      () => new nn.MultiheadAttention(-4, 2),
      "embed_dim and num_heads must be greater than 0, got embed_dim=-4 and num_heads=2 instead",
    ],
    "a convolution's padding": [
      () => F.conv2d(x(1, 1, 3, 3), x(1, 1, 1, 1), { padding: -1 }),
      "conv2d(): negative padding is not supported, got [-1, -1]",
    ],
    "a stride of 0": [
      () => F.conv2d(x(1, 1, 3, 3), x(1, 1, 1, 1), { stride: 0 }),
      "conv2d(): non-positive stride is not supported, got [0, 0]",
    ],
    AdaptiveAvgPool2d: [
      () => new nn.AdaptiveAvgPool2d(-1)(x(1, 1, 3, 3)),
      "elements of output_size must be greater than or equal to 0 but received {-1, -1}",
    ],
    Upsample: [
      () => new nn.Upsample({ size: [-1, 2] })(x(1, 1, 3, 3)),
      "Input and output sizes should be greater than 0",
    ],
    "what padding leaves": [
      () => new nn.ZeroPad2d(-2)(x(1, 1, 3, 3)),
      "resulted in a negative output size, which is invalid",
    ],
    "what padding cuts away before it adds": [
      () => new nn.ZeroPad2d([3, -2, 0, 0])(x(1, 1, 1, 1)),
      "The input size 1, plus negative padding 0 and -2 resulted in a negative output size",
      "in ZeroPad2d((3, -2, 0, 0))",
    ],
    "what padding cuts away at the front": [
      () => F.pad(x(1, 1), [-2, 2]),
      "The input size 1, plus negative padding -2 and 0 resulted in a negative output size",
    ],
    LazyLinear: [() => new nn.LazyLinear(-1)(x(1, 2)), "negative dimension -1"],
  },
  "states of another form": {
    LSTM: [
      () => new nn.LSTM(4, 3)(x(2, 4), x(1, 3) as never),
      "LSTM(): argument 'state' (position 2) must be [h, c], not an object of Tensor class",
      "in LSTM(4, 3)",
    ],
    "LSTM of one": [() => new nn.LSTM(4, 3)(x(2, 4), [x(1, 3)] as never), "not 1 elements"],
    GRU: [
      () => new nn.GRU(4, 3)(x(2, 4), [x(1, 3)] as never),
      "GRU(): argument 'h' (position 2) must be Tensor, not an array of 1",
    ],
    LSTMCell: [
      () => new nn.LSTMCell(4, 3)(x(4), x(3) as never),
      "LSTMCell(): argument 'state' (position 2) must be [h, c]",
    ],
  },
  "what was disposed": {
    Linear: [
      () => {
        const input = x(1, 2);
        input.dispose();
        new nn.Linear(2, 1)(input);
      },
      "argument 'input' (position 1): Tensor is disposed",
    ],
  },
  "sequences that do not stack": {
    lists: [
      () => nn.utils.rnn.padSequence([[1, 2], [3]] as never),
      "pad_sequence(): argument 'sequences[0]' (position 1) must be Tensor, not an array of 2",
    ],
    widths: [
      () => nn.utils.rnn.padSequence([x(2, 3), x(2, 4)]),
      "as sequence 0 of sizes (2, 3), got (2, 4) at 1",
    ],
    scalars: [
      () => nn.utils.rnn.padSequence([tf.scalar(1)]),
      "expected sequences of at least 1 dimension, got 0-D at 0",
    ],
  },
  "offsets of bags": {
    floats: [
      () => new nn.EmbeddingBag(3, 1)(ids(0, 1), x(2)),
      "argument #1 'offsets' to have one of the following scalar types: Long, Int; but got " +
        "torch.FloatTensor instead",
    ],
    descending: [
      () => new nn.EmbeddingBag(3, 1)(ids(0, 1, 2), ids(0, 2, 1)),
      "offsets have to ascend, but offsets[2] is 1 after 2",
    ],
  },
  "weights of bags that are no tensor": {
    EmbeddingBag: [
      () => {
        const weights = { perSampleWeights: x(2) } as never;
        new nn.EmbeddingBag(3, 1, { mode: "sum" })(ids(0, 1), ids(0), weights);
      },
      "embedding_bag(): argument 'per_sample_weights' (position 9) must be Tensor, not an object",
      "in EmbeddingBag(3, 1, mode='sum')",
    ],
  },
  "targets and weights that broadcast beyond the input": {
    SoftMarginLoss: [
      () => new nn.SoftMarginLoss()(x(3), x(3, 1)),
      "soft_margin_loss(): output with shape [3] doesn't match the broadcast shape [3, 3]",
      "in SoftMarginLoss()",
    ],
    BCEWithLogitsLoss: [
      () => new nn.BCEWithLogitsLoss({ weight: x(2, 3) })(x(1, 3), x(1, 3)),
      "output with shape [1, 3] doesn't match the broadcast shape [2, 3]",
    ],
  },
  "an index outside the vocabulary": {
    Embedding: [
      () => new nn.Sequential({ words: new nn.Embedding(5, 2) })(ids(1, 5)),
      "index out of range in self: got 5, expected 0 to 4",
      "in words: Embedding(5, 2)",
    ],
    "a negative one": [
      () => new nn.Embedding(5, 2)(ids(-1)),
      "index out of range in self: got -1, expected 0 to 4",
    ],
    EmbeddingBag: [
      () => new nn.EmbeddingBag(5, 2)(tf.tensor2d([[1, 7]], [1, 2], "int32")),
      "index out of range in self: got 7, expected 0 to 4",
    ],
    paddingIdx: [
      () => new nn.Embedding(5, 2, { paddingIdx: 5 }),
      "Padding_idx must be within num_embeddings, got 5 and 5",
    ],
  },
  "a mask of the wrong shape": {
    "scaled dot product": [
      () =>
        F.scaledDotProductAttention(x(1, 2, 3, 4), x(1, 2, 5, 4), x(1, 2, 5, 4), {
          attnMask: x(4, 5),
        }),
      "Expected attn_mask to broadcast to (1, 2, 3, 5), but got shape (4, 5)",
    ],
    MultiheadAttention: [
      () => {
        const q = x(3, 1, 4);
        new nn.MultiheadAttention(4, 2)(q, q, q, { attnMask: x(2, 3) });
      },
      "The shape of the 2D attn_mask is (2, 3), but should be (3, 3).",
      "in MultiheadAttention",
    ],
    "a TransformerEncoderLayer's padding": [
      () => {
        const options = { srcKeyPaddingMask: tf.zeros([3, 2], "bool") };
        new nn.TransformerEncoderLayer(4, 2, { batchFirst: true })(x(2, 3, 4), options);
      },
      "Expected key_padded_mask.shape[0] to be 2, but got 3",
      "in self_attn: MultiheadAttention",
    ],
  },
  "mixed dtypes": {
    Linear: [
      () => new nn.Sequential({ fc: new nn.Linear(2, 3) })(int(1, 2)),
      "linear(): mat1 and mat2 must have the same dtype, but got Int and Float",
      "in fc: Linear(in_features=2, out_features=3, bias=True)",
    ],
    Conv2d: [() => new nn.Conv2d(1, 1, 1)(int(1, 1, 2, 2)), "must have the same dtype"],
    LSTM: [
      () => new nn.LSTM(2, 3)(int(4, 2)),
      "RNN input dtype (int32) does not match weight dtype (float32)",
    ],
    LayerNorm: [() => new nn.LayerNorm(2)(int(3, 2)), "\"layer_norm\" not implemented for 'Int'"],
    Bilinear: [
      () => new nn.Bilinear(2, 2, 3)(x(1, 2), int(1, 2)),
      "got input1: Float, input2: Int",
    ],
    Embedding: [() => new nn.Embedding(5, 2)(x(2)), "Expected tensor for argument #1 'indices'"],
    attention: [
      () => F.scaledDotProductAttention(x(2, 3), int(2, 3), x(2, 3)),
      "Expected query, key, and value to have the same dtype, but got Float, Int, Float",
    ],
    "a loss": [() => new nn.NLLLoss()(x(2, 3), x(2)), "expected target dtype to be Long or Byte"],
  },
};

describe("Bad input is an error that says what came", () => {
  before(() => nn.setBackend("cpu"));

  for (const [rule, checks] of Object.entries(CHECKS)) {
    describe(rule, () => {
      for (const [what, [run, ...messages]] of Object.entries(checks)) {
        it(what, () => {
          tf.tidy(() => {
            for (const message of messages) expect(run).to.throw(message);
          });
        });
      }
    });
  }
});
