import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { memoryOf } from "../../lib/eager/index.js";
import { replaceTfjsKernels } from "../../lib/eager/everywhere.js";
import * as nn from "../../lib/index.js";
import { TOLERANCE } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { expectSame } from "../support/graphs.js";
import { keptBy } from "../support/kernels.js";

const image = (...shape: number[]): tf.Tensor4D => nn.randn(shape) as tf.Tensor4D;
const relu = "relu" as const;

/** Programs of tfjs alone. */
const PROGRAMS: Readonly<Record<string, () => tf.Tensor>> = {
  "a product": () => tf.matMul(nn.randn(17, 40), nn.randn(40, 9)),
  "a transposed one": () => tf.matMul(nn.randn(40, 17), nn.randn(9, 40), true, true),
  "a batched one": () => tf.matMul(nn.randn(3, 5, 8), nn.randn(3, 8, 6)),
  "one that broadcasts": () => tf.matMul(nn.randn(1, 5, 8), nn.randn(3, 8, 6)),
  "a fused one": () =>
    tf.fused.matMul({ a: nn.randn(7, 8), b: nn.randn(8, 6), bias: nn.randn(6), activation: relu }),
  "another activation": () =>
    tf.fused.matMul({ a: nn.randn(7, 8), b: nn.randn(8, 6), activation: "elu" }),
  "a convolution": () => tf.conv2d(image(2, 9, 8, 3), image(3, 3, 3, 5), [2, 1], "same"),
  Winograd: () => tf.conv2d(image(1, 32, 32, 16), image(3, 3, 16, 16), 1, "same"),
  "a dilated one": () =>
    tf.conv2d(image(1, 9, 8, 3), image(3, 2, 3, 5), 1, "valid", "NHWC", [2, 1]),
  "a fused convolution": () =>
    tf.fused.conv2d({
      ...{ x: image(2, 9, 8, 3), filter: image(3, 3, 3, 5), strides: 1, pad: 1 },
      ...{ bias: nn.randn(5), activation: "relu6" },
    }),
  depthwise: () => tf.depthwiseConv2d(image(2, 9, 8, 4), image(3, 3, 4, 2), 1, "same"),
  "a maximum pool": () => tf.maxPool(image(2, 9, 8, 4), 3, 2, "same"),
  "an average pool": () => tf.avgPool(image(2, 9, 8, 4), 3, 2, "same"),
  softmax: () => tf.softmax(nn.randn(30, 11)),
  transpose: () => tf.transpose(nn.randn(9, 8, 7), [2, 0, 1]),
  slices: () => {
    const x = nn.randn(5, 6, 7, 8);
    const table = tf.slice(nn.randn(900, 60), [880, 0], [7, 60]);
    const column = tf.slice(nn.randn(900, 200), [0, 3], [900, 1]);
    const inner = tf.reshape(tf.slice(x, [1, 2, 3, 1], [-1, 4, 4, 6]), [-1]);
    return tf.concat([
      inner,
      tf.reshape(tf.slice(x, [2, 0, 0, 0], [2, 6, 7, 8]), [-1]),
      tf.reshape(table, [-1]),
      tf.reshape(column, [-1]),
    ]);
  },
  "a choice of truths or numbers": () => {
    const x = nn.randn(40, 30);
    return tf.where(tf.greater(x, 0), tf.greater(x, 1), x);
  },
  "slices of a higher rank": () =>
    tf.slice(nn.randn(3, 4, 5, 6, 7), [0, 1, 0, 2, 1], [3, 3, 5, 4, 6]),
  "strided slices": () => {
    const x = nn.randn(12, 20, 30);
    const every = tf.stridedSlice(x, [1, 0, 3], [12, 20, 29], [2, 1, 3]);
    const back = tf.stridedSlice(x, [10, 19, 29], [1, 0, 2], [-1, -2, -3]);
    const masked = tf.stridedSlice(x, [2, 0, -20], [0, 9, -1], [1, 1, 2], 2, 1);
    return tf.concat([every, back, masked].map((one) => tf.reshape(one, [-1])));
  },
  "a strided slice without a dimension": () =>
    tf.stridedSlice(nn.randn(4, 20, 30), [2, 1, 1], [3, 20, 30], [1, 1, 1], 0, 0, 0, 0, 1),
  "parts of even and uneven sizes": () => {
    const even = tf.split(nn.randn(8, 12, 30), 3, 1);
    const uneven = tf.split(nn.randn(8, 12, 30), [2, 9, 1], 1);
    const few = tf.split(nn.randn(40, 20), 20, -1);
    return tf.concat([...even, ...uneven, ...few].map((one) => tf.reshape(one, [-1])));
  },
  "many parts": () => tf.concat(tf.split(nn.randn(99, 20, 30), 99, 0).slice(9, 12)),
  "parts of one": () =>
    tf.concat([...tf.unstack(nn.randn(20, 3, 30), 1), ...tf.unstack(nn.randn(20, 99, 30), 1)]),
  reverse: () => tf.reverse(nn.randn(5, 6, 40), [0, 2]),
  "what is turned round twice": () => tf.reverse(nn.randn(5, 6, 40), [0, -3, 2]),
  "a dimension that is named twice": () => tf.transpose(nn.randn(20, 20), [1, 1]),
  "a tile": () => tf.tile(nn.randn(2, 3, 5, 7), [3, 1, 2, 3]),
  "what is broadcast": () => tf.broadcastTo(nn.randn(4, 1, 30), [2, 4, 5, 30]),
  "rows that are gathered": () => tf.gather(nn.randn(9, 40), [3, 3, 0, 8, 1, 5, 6, 7, 2, 4]),
  "columns that are gathered": () =>
    tf.gather(nn.randn(4, 9, 20), tf.tensor2d([[8, 0], [1, 1], [5, 2]], [3, 2], "int32"), 1), // prettier-ignore
  "what is gathered for each of a batch": () =>
    tf.gather(nn.randn(3, 9, 20), tf.ones([3, 7], "int32"), 1, 1),
  "sums of products": () => tf.einsum("bld,dn->bnl", nn.randn(2, 5, 7), nn.randn(7, 3)),
  "sums of products and of one alone": () =>
    tf.einsum("i j k , j -> i", nn.randn(3, 4, 5), nn.randn(4)),
  "sums of products of integers": () =>
    tf.einsum("ij,jk->ik", tf.fill([3, 4], 50001, "int32"), tf.fill([4, 2], 10007, "int32")),
  "sums over one tensor": () => tf.einsum("ijk->ki", nn.randn(3, 4, 5)),
  "one tensor as it is": () => tf.einsum("ij->ij", nn.randn(3, 4)),
  "sums of segments": () =>
    tf.unsortedSegmentSum(nn.randn(6, 4, 2), tf.tensor1d([3, 0, -1, 3, 9, 1], "int32"), 5),
  "nothing at all": () =>
    tf.concat([tf.slice(nn.randn(20, 30), [3, 4], [0, 5]), tf.gather(nn.randn(6, 5), tf.zeros([0], "int32"))]), // prettier-ignore
  "unary ops": () => tf.sigmoid(tf.tanh(tf.erf(tf.relu6(nn.randn(20, 30))))),
  "binary ops": () => tf.div(tf.sub(nn.randn(20, 30), nn.randn(30)), tf.add(nn.rand(20, 1), 1)),
  integers: () => tf.add(tf.ones([20, 30], "int32"), tf.ones([30], "int32")),
  "truths that are cut": () => tf.slice(tf.greater(nn.randn(412), 0), [60]),
  "a dimension that is summed twice": () => tf.sum(nn.randn(6, 7, 5, 4), [2, 0, -4]),
  reductions: () => tf.mean(tf.max(tf.sum(nn.randn(6, 5, 4, 8), -1), 0, true)),
  "NaN and infinities": () => {
    const x = tf.concat([tf.tensor1d([NaN, Infinity, -Infinity, -0]), nn.randn(508)]);
    const grid = tf.reshape<tf.Rank.R4>(x, [1, 8, 8, 8]);
    return tf.concat([
      tf.reshape(tf.relu(tf.maxPool(grid, 2, 2, 0)), [-1]),
      tf.reshape(tf.conv2d(grid, image(3, 3, 8, 8), 1, "same"), [-1]),
      tf.reshape(tf.matMul(tf.reshape(x, [64, 8]), nn.randn(8, 8)), [-1]),
    ]);
  },
};

describe("tfjs' cpu backend with our kernels", () => {
  before(() => nn.setBackend("cpu"));

  for (const [what, run] of Object.entries(PROGRAMS)) {
    it(`gives what it gives by its own: ${what}`, () => {
      tf.tidy(() => {
        nn.manualSeed(1);
        const want = run();
        const restore = replaceTfjsKernels();
        try {
          const memory = memoryOf(tf.backend(), "cpu")!;
          const kept = keptBy(memory);
          expectNoLeak(() =>
            tf.tidy(() => {
              nn.manualSeed(1);
              expectSame(run(), want, TOLERANCE.cpu, what);
            }),
          );
          expect(keptBy(memory), "packed weights left").to.equal(kept);
        } finally {
          restore();
        }
      });
    });
  }

  it("leaves errors to tfjs", () => {
    const restore = replaceTfjsKernels();
    try {
      tf.tidy(() => {
        const x = nn.randn(20, 30);
        const places = tf.tensor1d([3, 20], "int32");
        expect(() => tf.gather(x, places)).to.throw("20 is not in [0, 19]");
        expect(() => tf.slice(x, [0, 20], [20, 20])).to.throw("would overflow");
        expect(() => tf.slice(x, [0, 0, 0], [1, 1, 1])).to.throw();
        const tile = (): unknown => tf.engine().runKernel("Tile", { x }, { reps: [2] });
        expect(tile).to.throw("comprised of positive integers");
        // Of what has no dimension, memory that nobody had written was given.
        expect(() => tf.softmax(tf.scalar(3))).to.throw("axis");
        expect(() => tf.einsum("ij,jk->ik", x, x)).to.throw("Expected dimension 30 at axis 0");
      });
    } finally {
      restore();
    }
  });

  it("changes nothing until it is asked to, and can be undone", () => {
    const before = tf.getKernel("BatchMatMul", "cpu");
    const restore = replaceTfjsKernels();
    expect(tf.getKernel("BatchMatMul", "cpu")).not.to.equal(before);
    restore();
    expect(tf.getKernel("BatchMatMul", "cpu").kernelFunc).to.equal(before.kernelFunc);
  });
});
