import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { kernelsFor, memoryOf } from "../../lib/eager/index.js";
import { isInBody, setKernels } from "../../lib/functional/op.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectAsByBody } from "../support/by-body.js";
import { expectNoLeak } from "../support/expect.js";
import { keptBy } from "../support/kernels.js";

const { functional: F } = nn;
type Run = (x: tf.Tensor) => tf.Tensor;

/** The output and the last states, next to each other, of two layers in both directions. */
const recurrent =
  (make: (options: { numLayers: number; bidirectional: boolean }) => nn.Module): Run =>
  (x) => {
    const model = make({ numLayers: 2, bidirectional: true }).eval();
    const [output, states] = model(x) as [tf.Tensor, tf.Tensor | tf.Tensor[]];
    const all = [output, states].flat().map((one) => tf.reshape(one, [-1]));
    model.dispose();
    return tf.concat(all);
  };

const stepOf =
  (make: () => nn.LSTMCell | nn.GRUCell): Run =>
  (x) => {
    const cell = make();
    const states = [cell(x)].flat();
    cell.dispose();
    return tf.concat(states);
  };

/** Functions of each number. */
const FUNCTIONS: readonly [what: string, run: Run][] = [
  ["elu", (x) => F.elu(x, { alpha: 0.7 })],
  ["celu", (x) => F.celu(x, { alpha: 1.7 })],
  ["selu", (x) => F.selu(x)],
  ["softplus", (x) => F.softplus(x, { beta: 2, threshold: 1.5 })],
  ["mish", (x) => F.mish(x)],
  ["hardsigmoid", (x) => F.hardsigmoid(x)],
  ["hardswish", (x) => F.hardswish(x)],
  ["logsigmoid", (x) => F.logsigmoid(x)],
  ["softsign", (x) => F.softsign(x)],
  ["tanhshrink", (x) => F.tanhshrink(x)],
  ["hardshrink", (x) => F.hardshrink(x, { lambd: 0.3 })],
  ["softshrink", (x) => F.softshrink(x, { lambd: 0.3 })],
  ["leaky_relu", (x) => F.leakyRelu(x, { negativeSlope: 0.2 })],
  ["gelu by tanh", (x) => F.gelu(x, { approximate: "tanh" })],
];

/** An op, the shape of its input, and how it is called. */
const BATTERY: readonly [what: string, shape: number[], run: Run][] = [
  ["a vector", [5], (x) => F.linear(x, nn.rand(3, 5))],
  ["rows", [2, 7, 33], (x) => F.linear(x, nn.rand(9, 33), { bias: nn.rand(9) })],
  ["no batch", [3, 9, 9], (x) => F.conv2d(x, nn.rand(4, 3, 3, 3), { padding: 1 })],
  ["Winograd", [1, 16, 32, 32], (x) => F.conv2d(x, nn.rand(16, 16, 3, 3), { padding: "same" })],
  [
    "Winograd of an output",
    [1, 16, 32, 32],
    (x) => F.conv2d(F.relu(x), nn.rand(16, 16, 3, 3), { padding: 1 }),
  ],
  ["strides", [2, 4, 9, 8], (x) => F.conv2d(x, nn.rand(6, 2, 3, 2), { stride: [2, 1], groups: 2 })],
  ["depthwise", [2, 4, 9, 8], (x) => F.conv2d(x, nn.rand(8, 1, 3, 3), { groups: 4, dilation: 2 })],
  ["one dimension", [2, 4, 19], (x) => F.conv1d(x, nn.rand(6, 4, 5), { bias: nn.rand(6) })],
  ["three", [1, 2, 4, 5, 6], (x) => F.conv3d(x, nn.rand(3, 2, 2, 2, 2), { padding: 1 })],
  [
    "strides and holes",
    [1, 2, 13, 9],
    (x) => F.conv2d(x, nn.rand(4, 2, 3, 2), { stride: [3, 1], dilation: [1, 2] }),
  ],
  [
    "holes in three",
    [1, 2, 5, 5, 6],
    (x) => F.conv3d(x, nn.rand(3, 2, 2, 3, 2), { dilation: [2, 1, 3], stride: 2, padding: 1 }),
  ],
  [
    "transposed",
    [2, 4, 5, 4],
    (x) => F.convTranspose2d(x, nn.rand(4, 3, 3, 2), { stride: [2, 3] }),
  ],
  [
    "transposed, no batch",
    [4, 9],
    (x) => F.convTranspose1d(x, nn.rand(4, 3, 4), { groups: 2, dilation: 3, bias: nn.rand(6) }),
  ],
  [
    "transposed in three",
    [1, 2, 3, 4, 3],
    (x) =>
      F.convTranspose3d(x, nn.rand(2, 1, 2, 2, 3), { stride: 2, padding: 1, outputPadding: 1 }),
  ],
  ["relu", [3, 300], (x) => F.relu(x)],
  ["gelu", [3, 300], (x) => F.gelu(x)],
  ["sigmoid", [3, 300], (x) => F.sigmoid(x)],
  ["silu", [3, 300], (x) => F.silu(x)],
  ...FUNCTIONS.map(([name, run]): [string, number[], Run] => [name, [3, 4, 30], run]),
  ["softmax", [3, 4, 7], (x) => F.softmax(x, { dim: -1 })],
  ["softmax of channels", [2, 5, 8, 9], (x) => F.softmax(x, { dim: 1 })],
  ["softmax of the first", [30, 12], (x) => F.softmax(x, { dim: -2 })],
  ["log_softmax of rows", [2, 9, 20], (x) => F.logSoftmax(x, { dim: 1 })],
  ["log_softmax", [3, 4, 7], (x) => F.logSoftmax(x, { dim: 2 })],
  ["layer_norm", [3, 4, 7], (x) => F.layerNorm(x, [4, 7], { weight: nn.rand(4, 7) })],
  ["group_norm", [2, 6, 5], (x) => F.groupNorm(x, 3, { weight: nn.rand(6), bias: nn.rand(6) })],
  ["instance_norm", [2, 6, 5, 7], (x) => F.instanceNorm(x, { weight: nn.rand(6), eps: 1e-3 })],
  [
    "instance_norm by its running statistics",
    [2, 6, 5, 7],
    (x) =>
      F.instanceNorm(x, {
        ...{ runningMean: nn.rand(6), runningVar: nn.rand(6), bias: nn.rand(6) },
        useInputStats: false,
      }),
  ],
  ["fold", [2, 18, 20], (x) => F.fold(x, [9, 8], [3, 2], { stride: [2, 2], padding: [1, 0] })],
  [
    "shared heads",
    [2, 6, 9, 8],
    (x) =>
      F.scaledDotProductAttention(x, nn.rand(2, 2, 9, 8), nn.rand(2, 3, 9, 5), { enableGqa: true }),
  ],
  ["batch_norm", [2, 6, 5, 7], (x) => F.batchNorm(x, nn.rand(6), nn.rand(6), { bias: nn.rand(6) })],
  ["max_pool2d", [2, 3, 9, 8], (x) => F.maxPool2d(x, 3, { stride: 2, padding: 1 })],
  ["avg_pool2d", [2, 3, 9, 8], (x) => F.avgPool2d(x, 3, { padding: 1, countIncludePad: false })],
  ["adaptive", [2, 3, 9, 8], (x) => F.adaptiveAvgPool2d(x, 1)],
  ["pad", [2, 3, 9, 8], (x) => F.pad(x, [1, 2, 0, 3], { value: -2 })],
  ["pad of channels", [2, 5, 9, 8], (x) => F.pad(x, [0, 0, 0, 0, 1, 2])],
  ["pad, far apart", [2, 5, 9, 8], (x) => F.pad(x, [1, 0, 0, 0, 1, 2])],
  ["pad, cut off", [2, 5, 9, 8], (x) => F.pad(x, [1, -3])],
  ["pad, reflected", [2, 5, 9, 8], (x) => F.pad(x, [1, 2, 3, 0], { mode: "reflect" })],
  ["pad, circular", [2, 5, 9, 8], (x) => F.pad(x, [1, 2, 3, -2], { mode: "circular" })],
  ["nearest", [2, 5, 9, 8], (x) => F.interpolate(x, { size: [13, 20] })],
  ["linear", [2, 5, 90], (x) => F.interpolate(x, { scaleFactor: 1.7, mode: "linear" })],
  ["bicubic", [2, 5, 9, 8], (x) => F.interpolate(x, { size: [13, 5], mode: "bicubic" })],
  ["smaller", [2, 5, 19, 18], (x) => F.interpolate(x, { size: [9, 7], mode: "bilinear", antialias: true })], // prettier-ignore
  ["parts", [3, 200, 5], (x) => F.glu(x, { dim: 1 })],
  ["columns", [9, 120], (x) => F.glu(x)],
  ["few numbers", [3, 8], (x) => F.glu(x)],
  ["places changed", [2, 12, 5, 6], (x) => F.channelShuffle(x, 4)],
  ["a cell", [9, 20], stepOf(() => new nn.LSTMCell(20, 40))],
  ["another", [9, 20], stepOf(() => new nn.GRUCell(20, 40))],
  ["lstm", [5, 2, 7], recurrent((options) => new nn.LSTM(7, 6, options))],
  ["gru", [5, 2, 7], recurrent((options) => new nn.GRU(7, 6, options))],
  ["rnn", [5, 2, 7], recurrent((options) => new nn.RNN(7, 6, { ...options, bias: false }))],
  ["attention", [2, 3, 5, 8], (x) => F.scaledDotProductAttention(x, x, x, { isCausal: true })],
  [
    "a mask",
    [2, 3, 5, 8],
    (x) => F.scaledDotProductAttention(x, x, x, { attnMask: nn.rand(5, 5) }),
  ],
];

onEveryBackend("Kernels under the ops of functional", (name, tolerance) => {
  const backend = name as "cpu" | "wasm";
  const both = (what: string, run: () => tf.Tensor): void =>
    expectAsByBody(backend, what, run, tolerance);

  for (const [what, shape, run] of BATTERY) {
    it(`give what the bodies give, also for NaN and infinities: ${what}`, () => {
      const x = nn.randn(shape);
      expectNoLeak(() => both(what, () => run(x)));
      const odd = tf.concat([
        tf.tensor1d([NaN, Infinity, -Infinity, -0]),
        tf.slice(tf.reshape(x, [-1]), Math.min(4, x.size - 1)),
      ]);
      const strange = tf.reshape(tf.slice(odd, 0, x.size), shape);
      // With an infinity, what tfjs-wasm's own kernels give is no reference.
      if (backend !== "cpu") return;
      both(`${what}, strange`, () => run(strange));
      const behind = tf.reshape(tf.reverse(tf.slice(odd, 0, x.size), 0), shape);
      both(`${what}, strange in the end`, () => run(behind));
    });
  }

  it("serve bodies that are made of other ops", async () => {
    const [x, q, k] = [nn.rand(1, 8, 16, 16), nn.rand(1, 4, 16, 8), nn.rand(1, 2, 16, 8)];
    const [heads, sequence] = [new nn.MultiheadAttention(16, 2), nn.rand(9, 1, 16)];
    const runs: Record<string, () => tf.Tensor> = {
      "self-attention": () => heads(sequence, sequence, sequence, { needWeights: false })[0],
      "a few uneven windows": () => F.adaptiveAvgPool1d(sequence, 5),
      ...(backend === "cpu" && { slopes: () => F.prelu(x, tf.ones([8])) }),
      instanceNorm: () => F.instanceNorm(x),
      attention: () => F.scaledDotProductAttention(q, k, k, { isCausal: true, enableGqa: true }),
    };
    const slow = ["Mean", "BatchMatMul", "Exp", "Transpose", "SplitV", "GatherV2", "Greater"];
    for (const [name, run] of Object.entries(runs)) {
      const { kernelNames } = await tf.profile(() => tf.tidy(run));
      for (const one of slow) expect(kernelNames, name).not.to.include(one);
    }
    tf.dispose([x, q, k, sequence]);
    heads.dispose();
  });

  it("compute functions of each number, and what is sampled anew, without tfjs on cpu", async () => {
    if (backend !== "cpu") return;
    const x = nn.randn(3, 4, 30);
    const more: [string, Run][] = [
      ["softmax", (y) => F.softmax(y, { dim: 1 })],
      ["interpolate", (y) => F.interpolate(y, { scaleFactor: 1.5, mode: "linear" })],
      ["pad", (y) => F.pad(y, [1, 2], { mode: "reflect" })],
    ];
    for (const [name, run] of [...FUNCTIONS, ...more]) {
      const { kernelNames } = await tf.profile(() => tf.tidy(() => run(x)));
      expect(kernelNames, name).to.deep.equal([]);
    }
    x.dispose();
  });

  it("leave errors, gradients and other dtypes to the bodies", () => {
    const weight = nn.rand(3, 5);
    expect(() => F.linear(nn.rand(2, 4), weight)).to.throw("mat1 and mat2 shapes");
    expect(() => F.linear(nn.rand(2, 5), weight, { bia: 1 } as object)).to.throw(
      "unexpected option",
    );
    // tfjs differentiates its own kernels: while it tapes, they run (their gradients are not loaded).
    expect(() => tf.grad((x) => F.linear(x, weight))(nn.rand(2, 5))).to.throw("for BatchMatMul");
    expect(() => F.celu(nn.rand(20, 20), { alpha: 0 })).to.throw("alpha cannot be 0");
    expect(() => F.elu(nn.rand(20, 20), { lambd: 1 } as object)).to.throw("unexpected option");
    expect(() => F.gelu(nn.rand(20, 20), { approximate: 1 as never })).to.throw("none or tanh");
    const integers = tf.tensor([[1, -2]], [1, 2], "int32");
    expect(F.relu(integers).dtype).to.equal("int32");
  });

  it("stand before bodies that take nothing apart into one part, of which tfjs has no gradient", async () => {
    const image = nn.rand(1, 2, 5, 5);
    const volume = nn.rand(1, 2, 3, 3, 3);
    const runs: readonly (() => tf.Tensor)[] = [
      () => F.conv1d(nn.rand(1, 2, 5), nn.rand(3, 2, 2)),
      () => F.conv2d(image, nn.rand(3, 2, 2, 2)),
      () => F.conv3d(volume, nn.rand(3, 2, 2, 2, 2)),
      () => F.conv3d(volume, nn.rand(3, 2, 1, 2, 2), { dilation: 2 }),
      () => F.convTranspose2d(image, nn.rand(2, 3, 1, 1)),
      () => F.fold(nn.rand(1, 2, 25), 5, 1),
    ];
    setKernels(backend, null);
    const { kernels } = await tf.profile(() =>
      tf.tidy(() => tf.stack(runs.map((run) => tf.sum(run())))),
    );
    setKernels(backend, kernelsFor(backend, isInBody));
    const parted = kernels.filter(({ name }) => name === "SplitV" || name === "Unpack");
    expect(parted.filter(({ outputShapes }) => outputShapes.length === 1)).to.deep.equal([]);
    tf.dispose([image, volume]);
  });

  it("take what was made of truths and whole numbers", () => {
    const [weight, bias] = [nn.rand(4, 40), nn.rand(4)];
    for (const dtype of ["bool", "int32"] as const) {
      const x = tf.cast(tf.cast(tf.greater(nn.randn(60, 40), 0), dtype), "float32");
      const image = tf.reshape(x, [1, 4, 20, 30]);
      both(`linear of ${dtype}`, () => F.linear(x, weight, { bias }));
      both(`conv2d of ${dtype}`, () => F.conv2d(image, nn.rand(4, 1, 3, 3), { groups: 4, bias }));
      both(`layer_norm of ${dtype}`, () => F.layerNorm(x, [40], { weight: nn.rand(40) }));
    }
  });

  it("keep a packed weight for as long as it lives, and see new values", () => {
    const memory = memoryOf(tf.backend(), backend)!;
    const before = keptBy(memory);
    const layer = new nn.Linear(8, 4);
    const x = nn.rand(3, 8);
    for (let i = 0; i < 3; i += 1) layer(x).dispose();
    expect(keptBy(memory)).to.equal(before + 1);
    const values = nn.rand(4, 8);
    layer.weight.assign(values);
    values.dispose();
    both("new values", () => layer(x));
    expect(keptBy(memory)).to.equal(before + 1);
    layer.dispose();
    expect(keptBy(memory)).to.equal(before);
  });

  it("pack weights also where the memory has to grow for it", () => {
    tf.tidy(() => {
      for (let n = 256; n < 1600; n += 256) {
        const y = F.linear(tf.ones([1, 1024]), tf.fill([n, 1024], 0.5));
        expect(tf.max(tf.abs(tf.sub(y, 512))).dataSync()[0], `${n} rows`).to.equal(0);
      }
    });
  });

  it("compute an encoder layer as the bodies do", () => {
    for (const batchFirst of [true, false]) {
      const layer = new nn.TransformerEncoderLayer(16, 4, { dimFeedforward: 32, batchFirst });
      const x = nn.rand(3, 5, 16);
      both("encoder layer", () => layer(x));
    }
  });
});
