import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackendOnce } from "../support/backends.js";
import { expectClose } from "../support/expect.js";

const F = nn.functional;

/** The messages are PyTorch's, with what came and what was expected where it tells neither. */
describe("A loss says what is wrong", () => {
  before(() => nn.setBackend("cpu"));

  const check = (what: string, run: () => unknown, message: string): void => {
    it(what, () => {
      const before = tf.memory().numTensors;
      tf.tidy(() => void expect(run).to.throw(message));
      expect(tf.memory().numTensors - before, "tensors left").to.equal(0);
    });
  };
  const x = (...shape: number[]): tf.Tensor => tf.ones(shape);
  const y = (values: number[], shape = [values.length]): tf.Tensor =>
    tf.tensor(values, shape, "int32");

  describe("of classes", () => {
    check(
      "no class",
      () => F.nllLoss(x(3, 4), y([0, 4, 1])),
      "nll_loss(): Target 4 is out of bounds: expected 0 to 3.",
    );
    check("a negative one", () => F.crossEntropy(x(3, 4), y([0, -1, 1])), "Target -1 is out of");
    check(
      "batches",
      () => F.crossEntropy(x(3, 4), y([0, 1])),
      "cross_entropy(): Expected input batch_size (3) to match target batch_size (2).",
    );
    check(
      "a table of targets",
      () => F.nllLoss(x(3, 4), y([0, 1, 2], [3, 1])),
      "nll_loss(): 0D or 1D target tensor expected, multi-target not supported",
    );
    check(
      "places",
      () => F.nllLoss(x(1, 4, 2, 2), y([0, 1], [1, 2, 1])),
      "Expected target size [1, 2, 2], got [1, 2, 1]",
    );
    check("a scalar", () => F.nllLoss(x(), y([0], [])), "Expected 1 or more dimensions (got 0)");
    check(
      "floating-point classes",
      () => F.nllLoss(x(3, 4), x(3)),
      "nll_loss(): expected target dtype to be Long or Byte, but got Float",
    );
    check(
      "integer probabilities",
      () => F.crossEntropy(x(1, 2), y([0, 1], [1, 2])),
      "expected target with class probabilities of a floating point dtype, but got Int",
    );
    for (const labelSmoothing of [0, 0.1]) {
      const options = { weight: x(3), labelSmoothing };
      const message =
        "weight tensor should be defined either for all 4 classes or no classes " +
        "but got weight tensor of shape: [3]";
      check("weights", () => F.crossEntropy(x(2, 4), y([0, 1]), options), message);
      check("weights of probabilities", () => F.crossEntropy(x(2, 4), x(2, 4), options), message);
    }
    check(
      "smoothing",
      () => F.crossEntropy(x(2, 4), y([0, 1]), { labelSmoothing: 2 }),
      "label_smoothing must be between 0.0 and 1.0. Got: 2",
    );
    check(
      "what to ignore",
      () => F.crossEntropy(x(2, 4), x(2, 4), { ignoreIndex: 1 }),
      "ignore_index is not supported for floating point target",
    );
    check(
      "a linear layer",
      () => F.linearCrossEntropy(x(2, 3), x(4, 5), y([0, 1])),
      "linear_cross_entropy(): expected equal input and linear_weight last dimensions",
    );
    check(
      "one hot",
      () => F.oneHot(y([1, 2]), { numClasses: 2 }),
      "Class values must be smaller than num_classes: got 2, expected below 2.",
    );
    check("a negative class", () => F.oneHot(y([-1])), "Class values must be non-negative, got -1");
    check("classes of none", () => F.oneHot(y([])), "Can not infer total number of classes from");
    check("floats", () => F.oneHot(x(2)), "one_hot is only applicable to index tensor of type");
  });

  describe("of numbers", () => {
    const sizes = "The size of tensor a (4) must match the size of tensor b (5)";
    for (const loss of [F.mseLoss, F.l1Loss, F.smoothL1Loss, F.huberLoss]) {
      const name = loss.name;
      const dtypes =
        loss === F.l1Loss // which PyTorch computes of integers, and then has no mean
          ? "mean(): could not infer output dtype. Input dtype must be either a floating point or"
          : "floating point dtype, but got Int";
      check(`sizes of ${name}`, () => loss(x(3, 4), x(3, 5)), `${name}(): ${sizes}`);
      check(`dtypes of ${name}`, () => loss(y([1]), y([1])), dtypes);
      check(
        `the reduction of ${name}`,
        () => loss(x(3), x(3), { reduction: "most" as "mean" }),
        `${name}(): most is not a valid value for reduction; expected none, mean or sum`,
      );
    }
    check(
      "weights",
      () => F.mseLoss(x(3), x(3), { weight: x(2) }),
      "mse_loss(): Weights and input must have the same size, got (2,) and (3,)",
    );
    check("beta", () => F.smoothL1Loss(x(1), x(1), { beta: -1 }), "negative values for beta");
    check("delta", () => F.huberLoss(x(1), x(1), { delta: 0 }), "non-positive values for delta");
    check("probabilities", () => F.binaryCrossEntropy(tf.fill([1], 1.5), x(1)), "between 0 and 1");
    check("NaN", () => F.binaryCrossEntropy(tf.fill([1], NaN), x(1)), "between 0 and 1");
    check(
      "binary sizes",
      () => F.binaryCrossEntropyWithLogits(x(3), x(4)),
      "Target size (4,) must be the same as input size (3,)",
    );
    check(
      "binary classes",
      () => F.binaryCrossEntropy(x(1), y([1])),
      "dtype Int but expected Float",
    );
    check(
      "positive weights",
      () => F.binaryCrossEntropyWithLogits(x(3), x(3), { posWeight: x(2) }),
      "The size of tensor a (2) must match the size of tensor b (3)",
    );
    check("variances", () => F.gaussianNllLoss(x(3), x(3), -1), "var has negative entry/entries");
    check(
      "their size",
      () => F.gaussianNllLoss(x(3, 4), x(3, 4), x(4)),
      "var is of incorrect size",
    );
  });

  describe("of margins and distances", () => {
    check(
      "ranks",
      () => F.marginRankingLoss(x(3), x(3, 1), x(3)),
      "got sizes: input1: (3,), input2: (3, 1), target: (3,)",
    );
    check(
      "a pair of vectors",
      () => F.cosineEmbeddingLoss(x(4), x(4), x(1)),
      "1D target tensor expects 2D input tensors, but found inputs with sizes [4] and [4].",
    );
    check(
      "how many targets",
      () => F.multiMarginLoss(x(3, 4), y([0, 1])),
      "Expected target size [3], but got [2]. Input has shape [3, 4].",
    );
    check("which targets", () => F.multiMarginLoss(x(1, 4), y([4])), "target out of range: got 4");
    check(
      "the power",
      () => F.multiMarginLoss(x(1, 4), y([0]), { p: 3 as 2 }),
      "only p == 1 and p == 2 supported",
    );
    check(
      "a set of classes",
      () => F.multilabelMarginLoss(x(3), y([0, 3, -1])),
      "argument #2 'target' is out of range: got 3",
    );
    check(
      "its size",
      () => F.multilabelMarginLoss(x(2, 3), y([0, 1])),
      "inconsistent target size: [2] for input of size: [2, 3]",
    );
    check("a margin", () => F.tripletMarginLoss(x(1, 2), x(1, 2), x(1, 2), { margin: 0 }), "got 0");
    check(
      "a triplet",
      () => F.tripletMarginWithDistanceLoss(x(3, 4), x(3, 4), x(4)),
      "but got: anchor 2D, positive 2D, and negative 1D inputs",
    );
    check("no table", () => F.pdist(x(2, 3, 4)), "pdist only supports 2D tensors, got: 3D");
    check("a norm", () => F.pdist(x(3, 4), { p: -1 }), "pdist only supports non-negative p values");
    check("cosines", () => F.cosineSimilarity(x(3, 4), x(3, 5)), "must match the size of tensor b");
    check("their dimension", () => F.cosineSimilarity(x(2), x(2), { dim: 1 }), "Dimension out of");
    check("constructors", () => new nn.TripletMarginLoss({ margin: 0 }), "TripletMarginLoss: exp");
    check("of layers", () => new nn.MultiMarginLoss({ weight: x(2, 2) }), "1D tensor, got 2D");
  });

  describe("of alignments", () => {
    const labels = (): tf.Tensor => y([1, 2, 3, 4, 1, 1], [2, 3]);
    const loss = (input: number[], target: number[], blank = 0, at = labels) => {
      return () => F.ctcLoss(x(10, 2, 5), at(), input, target, { blank });
    };
    check("long inputs", loss([11, 10], [3, 2]), "input_lengths to have value at most 10, but got");
    check("long targets", loss([10, 10], [4, 2]), "size at least 4 at dimension 1, but got size 3");
    check("how many inputs", loss([10], [3, 2]), "input_lengths must be of size batch_size (2)");
    check("how many targets", loss([10, 10], [3]), "target_lengths must be of size batch_size (2)");
    check(
      "negative lengths",
      loss([10, 10], [3, -2]),
      "to have value at least 0, but got value -2",
    );
    check("the blank", loss([10, 10], [3, 2], 5), "blank must be in label range: got 5");
    check(
      "joined targets",
      loss([9, 9], [3, 2], 0, () => y([1, 2])),
      "size 5 at dimension 0, but",
    );
    check(
      "a label",
      loss([9, 9], [1, 1], 0, () => y([1, 9])),
      "labels of 0 to 4, but got 9",
    );
  });
});

describe("A weighted loss", () => {
  it("has its weights in the state_dict, as PyTorch", () => {
    const weight = tf.tensor1d([1, 2]);
    const cross = new nn.CrossEntropyLoss({ weight });
    const binary = new nn.BCEWithLogitsLoss({ posWeight: weight });
    expect([...cross.stateDict().keys()]).to.deep.equal(["weight"]);
    expect([...binary.stateDict().keys()]).to.deep.equal(["pos_weight"]);
    expect([...new nn.CrossEntropyLoss().stateDict().keys()]).to.deep.equal([]);
    cross.loadStateDict({ weight: tf.tensor1d([3, 4]) });
    expect(Array.from(cross.weight!.dataSync())).to.deep.equal([3, 4]);
  });
});

onEveryBackendOnce("AdaptiveLogSoftmaxWithLoss", (_backend, tolerance) => {
  it("agrees with itself: all log-probabilities, a target's, the most probable", () => {
    nn.manualSeed(1);
    const model = new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], { divValue: 2 });
    const x = tf.mul(nn.randn(30, 8), 9);
    const target = nn.randint(20, [30]);
    const before = tf.memory().numTensors;
    const all = model.logProb(x);
    const best = model.predict(x);
    const [output] = model(x, target);
    expect(tf.memory().numTensors - before, "two, and an output and a loss").to.equal(4);
    const rows = all.arraySync() as number[][];
    const classes = Array.from(target.dataSync());
    const want = classes.map((one, i) => rows[i]![one]!);
    expectClose(output.dataSync(), want, tolerance);
    expect(Array.from(best.dataSync())).to.deep.equal(
      rows.map((row) => row.indexOf(Math.max(...row))),
    );
    const sums = rows.map((row) => row.reduce((sum, one) => sum + Math.exp(one), 0));
    expectClose(sums, new Array<number>(30).fill(1), tolerance);
    model.dispose();
  });

  it("says what is wrong", () => {
    const make = (cutoffs: number[]) => () => new nn.AdaptiveLogSoftmaxWithLoss(4, 10, cutoffs);
    expect(make([])).to.throw("cutoffs should be a sequence of length larger than 0");
    for (const cutoffs of [[2, 1], [0], [10], [1.5], [2, 2]]) {
      expect(make(cutoffs)).to.throw("cutoffs should be a sequence of unique, positive integers");
    }
    const model = make([2])();
    const y = tf.tensor1d([0, 10], "int32");
    expect(() => void model(tf.ones([2, 4]), y)).to.throw(
      "Target values should be in [0, 9], but values in range [0, 10] were found.",
    );
    expect(() => void model(tf.ones([3, 4]), y)).to.throw("should have the same size in the batch");
    expect(() => void model(tf.ones([4]), y)).to.throw("1D target tensor expects 2D input tensors");
  });
});

onEveryBackendOnce("multilabelSoftMarginLoss", (_backend, tolerance) => {
  it("takes the mean over the input's classes where the target has a dimension more", () => {
    const [x, y] = [tf.tensor2d([[1], [2]]), tf.tensor3d([[[1]], [[0]]])];
    const losses = F.multilabelSoftMarginLoss(x, y, { reduction: "none" });
    expect(losses.shape).to.deep.equal([2, 1]);
    expectClose(losses.dataSync(), [0.4402, 3.4402], { ...tolerance, atol: 1e-4 });
  });
});

onEveryBackendOnce("cosineEmbeddingLoss", (_backend, tolerance) => {
  it("takes the length of each input as it is, before they broadcast", () => {
    const a = tf.tensor2d([[1, 2, 2], [0, 3, 4]]); // prettier-ignore
    const y = tf.tensor1d([1, -1], "int32");
    const loss = (b: tf.Tensor): ArrayLike<number> =>
      F.cosineEmbeddingLoss(a, b, y, { reduction: "none" }).dataSync();
    expectClose(loss(tf.tensor2d([[2], [-1]])), [-2 / 3, 0], tolerance);
    expectClose(loss(tf.tensor2d([[1, 0, 1]])), [1 - Math.SQRT1_2, 0.4 * Math.SQRT2], tolerance);
  });
});
