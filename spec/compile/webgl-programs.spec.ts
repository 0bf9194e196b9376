import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { optimise, DECOMPOSED } from "../../lib/compile/passes/index.js";
import { record } from "../../lib/compile/trace.js";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import { nodesIn } from "../../lib/graph/index.js";
import * as nn from "../../lib/index.js";
import { expectClose } from "../support/expect.js";
import { inBrowser } from "../support/files.js";

const F = nn.functional;
type Run = (...args: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** What a compiled plan must do as eager does, each by a program: name, function, shapes of inputs. */
const CASES: [string, Run, ...number[][]][] = [];
const add = (name: string, run: Run, ...shapes: number[][]): void => void CASES.push([name, run, ...shapes]); // prettier-ignore

const w = (...shape: number[]): tf.Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + size) * 0.4),
    shape,
  );
};

function declareCases(): void {
  add("linear, odd sizes", (x) => F.linear(x, w(5, 7), { bias: w(5) }), [3, 7]);
  add("linear, gelu, residual", (x, y) => F.gelu(tf.add(F.linear(x, w(8, 8)), y)), [2, 3, 8], [2, 3, 8]); // prettier-ignore
  for (const [i, o, k, options] of [
    [3, 6, 3, { padding: 1 }],
    [4, 8, 1, {}],
    [5, 7, 3, { stride: 2, padding: [0, 1], dilation: [1, 2] }],
    [8, 16, 3, { groups: 2, padding: "same" }],
    [6, 6, 5, { groups: 6, padding: 2, stride: 2 }],
  ] as const) {
    const text = JSON.stringify(options);
    const groups = "groups" in options ? options.groups : 1;
    add(`conv2d ${i} ${o} ${k} ${text}`, (x) =>
      F.relu(F.conv2d(x, w(o, i / groups, k, k), { bias: w(o), ...options })), [2, i, 9, 8]); // prettier-ignore
  }
  add("conv1d", (x) => F.conv1d(x, w(6, 3, 4), { stride: 3, padding: 1 }), [2, 3, 17]);
  add("padded conv2d", (x) => F.conv2d(F.pad(x, [0, 1, 2, 1]), w(4, 3, 3, 3), { stride: 2 }), [1, 3, 8, 9]); // prettier-ignore
  for (const mode of ["constant", "reflect", "replicate", "circular"] as const) {
    add(`pad ${mode}`, (x) => F.pad(x, [1, 2, 2, 0], { mode }), [2, 5, 4, 6]);
    add(`pad and cut ${mode}`, (x) => F.pad(x, [-1, 2, 2, -1], { mode }), [2, 5, 4, 6]);
  }
  add("max_pool2d", (x) => F.maxPool2d(x, 3, { stride: 2, padding: 1 }), [2, 5, 7, 8]);
  add("avg_pool2d", (x) => F.avgPool2d(x, 2, { padding: 1, countIncludePad: false }), [1, 4, 6, 7]);
  add("adaptive_avg_pool2d", (x) => F.adaptiveAvgPool2d(x, [3, 2]), [2, 6, 7, 5]);
  add("layer_norm", (x) => F.layerNorm(x, [10], { weight: w(10), bias: w(10) }), [2, 3, 10]);
  add("layer_norm of two axes", (x) => F.layerNorm(x, [3, 10]), [2, 3, 10]);
  add("rms_norm", (x) => F.rmsNorm(x, [12], { weight: w(12) }), [5, 12]);
  add("softmax", (x) => F.softmax(x, { dim: -1 }), [3, 4, 7]);
  add("softmax of an inner axis", (x) => F.softmax(x, { dim: 1 }), [3, 6, 8]);
  add("log_softmax", (x) => F.logSoftmax(x, { dim: 1 }), [4, 9]);
  add("attention", (q, k, v) => F.scaledDotProductAttention(q, k, v), [2, 2, 5, 8], [2, 2, 6, 8], [2, 2, 6, 4]); // prettier-ignore
  add("causal attention", (q) => F.scaledDotProductAttention(q, q, q, { isCausal: true }), [1, 3, 7, 4]); // prettier-ignore
  add("masked attention", (q, m) => F.scaledDotProductAttention(q, q, q, { attnMask: m }), [2, 2, 5, 4], [5, 5]); // prettier-ignore
  add("permute, reshape, slice", (x) => tf.slice(tf.reshape(tf.transpose(x, [2, 0, 1]), [5, 12]), [1, 3], [3, 6]), [3, 4, 5]); // prettier-ignore
  add("every second", (x) => F.relu(tf.stridedSlice(x, [0, 1, 0, -4], [2, 6, 6, 7], [1, 2, 3, 2])), [2, 6, 6, 7]); // prettier-ignore
  add("concat of channels", (x, y) => tf.concat([x, y], 1), [2, 8, 3], [2, 4, 3]);
  add("concat of rows", (x, y) => tf.concat([x, y], 0), [2, 5], [3, 5]);
  add("matmul", (x, y) => tf.matMul(x, y), [2, 5, 6], [2, 6, 7]);
  add("matmul, transposed", (x, y) => tf.matMul(x, y, false, true), [2, 5, 6], [2, 7, 6]);
  add("matmul, the first transposed", (x, y) => tf.matMul(x, y, true), [2, 6, 5], [2, 6, 7]);
  add("matmul, both transposed", (x, y) => tf.matMul(x, y, true, true), [2, 6, 5], [2, 7, 6]);
  add("broadcasting", (x, y, z) => tf.mul(tf.add(x, y), z), [2, 3, 4, 5], [3, 1, 5], [2, 1, 4, 1]);
  add("a chain", (x) => tf.sub(F.silu(tf.mul(x, 3)), F.mish(F.elu(x))), [3, 5]);
  declareExpanded();
  for (const axes of [[0], [1], [2], [1, 2], [0, 2]]) {
    add(`mean over ${axes.join()}`, (x) => tf.mean(x, axes), [3, 5, 6]);
    add(`max over ${axes.join()}`, (x) => tf.max(x, axes, true), [3, 5, 6]);
  }
}

/** What became a program of its own only lately, or is made of what has programs. */
function declareExpanded(): void {
  for (const mode of ["nearest", "bilinear", "bicubic"] as const) {
    add(`interpolate ${mode}`, (x) => F.interpolate(x, { size: [9, 4], mode }), [2, 3, 5, 6]);
    add(`interpolate ${mode} by 2`, (x) => F.interpolate(x, { scaleFactor: 2, mode }), [1, 8, 3, 4]); // prettier-ignore
  }
  add("interpolate area", (x) => F.interpolate(x, { size: [3, 2], mode: "area" }), [1, 4, 7, 5]);
  add("conv3d", (x) => F.conv3d(x, w(6, 2, 3, 2, 3), { groups: 2, stride: [1, 2, 1], padding: 1 }), [2, 4, 5, 6, 4]); // prettier-ignore
  add("conv2d without a batch", (x) => F.conv2d(x, w(4, 3, 3, 3), { padding: "same" }), [3, 5, 6]);
  add("conv2d in groups of 2", (x) => F.silu(F.conv2d(x, w(6, 2, 3, 3), { groups: 3 })), [1, 6, 5, 6]); // prettier-ignore
  add("conv_transpose1d", (x) => F.convTranspose1d(x, w(3, 5, 4), { stride: 3, padding: 1 }), [2, 3, 7]); // prettier-ignore
  add("conv_transpose2d", (x) => F.convTranspose2d(x, w(4, 3, 3, 3), { stride: 2, padding: 1, outputPadding: 1, groups: 2, bias: w(6) }), [2, 4, 5, 4]); // prettier-ignore
  add("conv_transpose3d", (x) => F.convTranspose3d(x, w(2, 3, 2, 3, 2), { stride: 2, dilation: 2 }), [1, 2, 3, 2, 4]); // prettier-ignore
  add("group_norm", (x) => F.groupNorm(x, 2, { weight: w(6), bias: w(6) }), [2, 6, 4, 3]);
  add("instance_norm", (x) => F.instanceNorm(x, { weight: w(5) }), [2, 5, 4, 3]);
  add("max_pool3d", (x) => F.maxPool3d(x, 2, { padding: 1, dilation: 1 }), [1, 3, 4, 5, 4]);
  add("avg_pool2d, last windows cut off", (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }), [2, 3, 6, 7]); // prettier-ignore
  add("adaptive_max_pool2d", (x) => F.adaptiveMaxPool2d(x, [3, 2]), [2, 5, 7, 4]);
  add("pixel_shuffle", (x) => F.pixelShuffle(x, 2), [2, 8, 3, 4]);
  add("pixel_unshuffle", (x) => F.pixelUnshuffle(x, 2), [2, 3, 4, 6]);
  add("channel_shuffle", (x) => F.channelShuffle(x, 3), [1, 6, 4, 4]);
  add("pad of five axes", (x) => F.pad(x, [1, 1, 0, 2, 1, 0], { mode: "replicate" }), [2, 3, 3, 4, 5]); // prettier-ignore
  add("pad with a value", (x) => F.pad(x, [1, 2, 3, 0], { value: 2.5 }), [3, 4]);
  add("prelu", (x) => F.prelu(x, w(3)), [2, 3, 4]);
  add("glu", (x) => F.glu(x, { dim: 1 }), [3, 6, 5]);
  add("threshold, softshrink, celu", (x) => F.celu(F.softshrink(F.threshold(x, 0.1, -2))), [3, 5]);
  add("local_response_norm", (x) => F.localResponseNorm(x, 3), [2, 7, 4, 3]);
  add("attention of 6", (q, k) => F.scaledDotProductAttention(q, k, k), [2, 2, 5, 6], [2, 2, 7, 6]);
  declareIndexed();
  add("argmax", (x) => tf.cast(tf.argMax(x, 1), "float32"), [3, 5, 6]);
  add("where and logic", (x, y) => tf.where(tf.logicalAnd(tf.greater(x, y), tf.logicalNot(tf.less(x, 0.1))), x, y), [3, 5], [3, 5]); // prettier-ignore
  add("gather of fixed rows", (x) => tf.gather(x, tf.tensor1d([2, 0, 2], "int32"), 1), [2, 3, 5]);
  add("gather of fixed channels", (x) => tf.gather(x, tf.tensor1d([4, 1], "int32"), 2), [2, 3, 5]);
  add("tile and reverse", (x) => tf.reverse(tf.tile(x, [1, 2, 3]), [1, 2]), [2, 3, 2]);
  add("concat of odd channels", (x, y) => tf.concat([x, y, x], 1), [4, 3], [4, 2]);
  add("concat of twenty", (x) => tf.concat(Array.from({ length: 20 }, (_, i) => tf.mul(x, i)), 0), [1, 5]); // prettier-ignore
}

/** Poolings that tell where their values were, what puts them back, windows as columns. */
function declareIndexed(): void {
  const last = { stride: 2, padding: 1, ceilMode: true, returnIndices: true } as const;
  add("max_pool1d with indices", (x) => F.maxPool1d(x, 3, last), [2, 5, 10]);
  add("max_pool2d with indices", (x) => F.maxPool2d(x, 3, last), [2, 5, 7, 8]);
  add("max_pool2d with indices, dilated", (x) => F.maxPool2d(x, [2, 3], { stride: 1, dilation: [3, 2], padding: [1, 0], returnIndices: true }), [4, 7, 8]); // prettier-ignore
  add("max_pool2d with indices of equal numbers", (x) => F.maxPool2d(F.relu(x), 2, { returnIndices: true }), [1, 4, 6, 6]); // prettier-ignore
  add("max_pool2d with indices of NaN", (x) => F.maxPool2d(tf.sqrt(x), 3, { stride: 1, returnIndices: true }), [1, 3, 5, 6]); // prettier-ignore
  add(
    "max_pool3d with indices",
    (x) => F.maxPool3d(x, 2, { returnIndices: true }),
    [1, 3, 4, 5, 4],
  );
  add("adaptive_max_pool1d with indices", (x) => F.adaptiveMaxPool1d(x, 4, { returnIndices: true }), [3, 7]); // prettier-ignore
  add("adaptive_max_pool2d with indices", (x) => F.adaptiveMaxPool2d(x, [3, 2], { returnIndices: true }), [2, 6, 7, 5]); // prettier-ignore
  const both = (
    x: tf.Tensor,
    size: number,
    stride: number,
    padding: number,
    outputSize: number[] | null,
  ): tf.Tensor => {
    // prettier-ignore
    const [y, at] = F.maxPool2d(x, size, { stride, padding, returnIndices: true });
    return F.maxUnpool2d(tf.mul(y, 2), at, size, { stride, padding, outputSize });
  };
  add("max_unpool2d", (x) => both(x, 2, 2, 0, null), [2, 5, 8, 6]);
  add("max_unpool2d to a given size", (x) => both(x, 2, 2, 0, [9, 7]), [1, 4, 9, 7]);
  add("max_unpool2d of windows that overlap", (x) => both(x, 3, 1, 1, null), [1, 3, 5, 6]);
  add("max_unpool1d", (x) => { const [y, at] = F.maxPool1d(x, 2, { returnIndices: true }); return F.maxUnpool1d(y, at, 2); }, [3, 8]); // prettier-ignore
  add("max_unpool3d", (x) => { const [y, at] = F.maxPool3d(x, 2, { returnIndices: true }); return F.maxUnpool3d(y, at, 2); }, [1, 2, 4, 2, 6]); // prettier-ignore
  add("unfold", (x) => F.unfold(x, 2), [2, 3, 5, 4]);
  add("unfold with everything", (x) => F.unfold(x, [2, 3], { dilation: [2, 1], padding: [1, 2], stride: [2, 1] }), [2, 3, 6, 5]); // prettier-ignore
  add("unfold into patches", (x) => tf.transpose(F.unfold(x, 4, { stride: 4 }), [0, 2, 1]), [1, 3, 8, 12]); // prettier-ignore
  add("unfold without a batch, of channels last", (x) => F.unfold(F.conv2d(x, w(5, 3, 1, 1)), 2), [3, 4, 4]); // prettier-ignore
  add("fold", (x) => F.fold(x, [5, 4], 2), [2, 12, 12]);
  add("fold with everything", (x) => F.fold(x, [6, 5], [2, 3], { dilation: [2, 1], padding: [1, 2], stride: [2, 1] }), [2, 24, 21]); // prettier-ignore
  add("fold without a batch, of patches", (x) => F.fold(tf.transpose(x, [1, 0]), [8, 12], 4, { stride: 4 }), [6, 48]); // prettier-ignore
}

/** Runs a plan and compares with eager; tells which nodes it left to tfjs. */
async function compare(run: Run | nn.Module, inputs: tf.Tensor[]): Promise<string[]> {
  const { graph, output } = record(run as never, inputs, DECOMPOSED);
  const engine = createWebglEngine(run);
  const plan = engine.plan(optimise(graph));
  const { gl } = engine.memory.device;
  gl.getError();
  await engine.ready();
  expect(gl.getError()).to.equal(gl.NO_ERROR); // every program has drawn a pixel
  for (let turn = 0; turn < 2; turn += 1) {
    const read = plan.execute(inputs);
    const nodes = nodesIn(plan.graph.output!.args);
    const want = [output].flat(2) as tf.Tensor[];
    nodes.forEach((node, i) => {
      const got = read(node);
      expect(got.shape).to.deep.equal(want[i]!.shape);
      expectClose(got.dataSync(), want[i]!.dataSync(), { rtol: 1e-3, atol: 1e-4 });
      got.dispose();
    });
  }
  tf.dispose(output as tf.TensorContainer);
  engine.dispose();
  return plan.fallbacks.map(({ node }) => node.target);
}

// There is WebGL in browsers only.
if (inBrowser) {
  describe("WebGL programs", () => {
    before(() => nn.setBackend("cpu"));
    declareCases();
    for (const [name, run, ...shapes] of CASES) {
      it(name, async () => {
        tf.engine().startScope();
        const inputs = shapes.map((shape) => w(...shape));
        expect(await compare(run, inputs)).to.deep.equal([]);
        tf.engine().endScope();
      });
    }

    const MODELS: [string, () => nn.Module, number[]][] = [
      ["LSTM", () => new nn.LSTM(6, 8, { numLayers: 2, bidirectional: true }), [9, 2, 6]],
      ["LSTM of odd sizes", () => new nn.LSTM(5, 7, { bidirectional: true }), [4, 3, 5]],
      ["LSTM with a projection", () => new nn.LSTM(5, 8, { projSize: 3 }), [4, 2, 5]],
      ["GRU", () => new nn.GRU(6, 8), [3, 1, 6]],
      ["GRU of odd sizes", () => new nn.GRU(6, 5, { numLayers: 2 }), [18, 5, 6]],
      ["RNN", () => new nn.RNN(6, 5, { nonlinearity: "relu" }), [4, 2, 6]],
      ["GRUCell", () => new nn.GRUCell(6, 5), [3, 6]],
      ["MultiheadAttention", () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12 }), [5, 2, 8]], // prettier-ignore
      ["BatchNorm", () => new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.BatchNorm2d(4), new nn.SiLU()), [1, 3, 6, 6]], // prettier-ignore
    ];
    for (const [name, make, shape] of MODELS) {
      it(name, async () => {
        nn.manualSeed(1);
        const model = make();
        const x = w(...shape);
        expect(await compare(model, [x])).to.deep.equal([]);
        x.dispose();
        model.dispose();
      });
    }

    for (const mode of ["sum", "mean", "max"] as const) {
      for (const padding of [null, -2]) {
        it(`embedding_bag, ${mode}${padding === null ? "" : ", with padding"}`, async () => {
          const table = w(7, 6);
          const ids = tf.tensor2d([5, 1, 5, 0, 6, 5, 5, 5], [2, 4], "int32");
          const flat = tf.tensor1d([...ids.dataSync(), 3], "int32");
          // An empty bag, one of padding alone, and a last one that ends with the indices.
          const offsets = tf.tensor1d([0, 2, 2, 3, 8], "int32");
          const options = { mode, paddingIdx: padding };
          const bags: [Run, tf.Tensor[]][] = [
            [(x) => F.embeddingBag(x, table, options), [ids]],
            [(x, at) => F.embeddingBag(x, table, { ...options, offsets: at }), [flat, offsets]],
            [(x) => F.embeddingBag(x, table, { ...options, offsets, includeLastOffset: true }), [flat]], // prettier-ignore
          ];
          if (mode === "sum") {
            const shares = w(2, 4);
            bags.push([(x, y) => F.embeddingBag(x, table, { ...options, perSampleWeights: tf.mul(y, 3) }), [ids, shares]]); // prettier-ignore
          }
          for (const [run, inputs] of bags) expect(await compare(run, inputs)).to.deep.equal([]);
        });
      }
    }

    it("an op without a program runs as a tfjs op in between", async () => {
      const x = w(1, 2, 3, 3);
      const indices = tf.reshape(tf.range(0, 18, 2, "int32"), [1, 1, 3, 3]);
      const run: Run = (y) => F.relu(F.maxUnpool2d(tf.neg(y), tf.concat([indices, indices], 1), 2));
      tf.engine().startScope();
      expect(await compare(run, [x])).to.deep.equal(["max_unpool2d"]);
      tf.engine().endScope();
      x.dispose();
      indices.dispose();
    });
  });
}
