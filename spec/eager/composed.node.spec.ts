import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { replaceTfjsKernels } from "../../lib/eager/everywhere.js";
import * as nn from "../../lib/index.js";
import { TOLERANCE } from "../support/backends.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";

const ints = (values: number[], ...shape: number[]): tf.Tensor => tf.tensor(values, shape, "int32");
const many = (n: number, below: number): number[] => Array.from({ length: n }, (_, i) => (i * 7 + 3) % below); // prettier-ignore
const gather = (x: tf.Tensor, indices: tf.Tensor, axis: number, batchDims: number): tf.Tensor =>
  tf.gather(x, indices, axis, batchDims);

/** What models written for cpu call, and tfjs-wasm lacks or gives other numbers for. */
const PROGRAMS: Readonly<Record<string, () => tf.Tensor>> = {
  "one of each of a batch": () => gather(nn.randn(3, 7), ints([6, 0, 2], 3, 1), 1, 1),
  "more than the batch": () => gather(nn.randn(2, 5, 3), ints(many(14, 5), 2, 7), 1, 1),
  "along a later dimension": () => gather(nn.randn(3, 2, 4, 3), ints(many(15, 4), 3, 5), 2, 1),
  "two dimensions of batches": () => gather(nn.randn(2, 3, 4), ints(many(30, 4), 2, 3, 5), 2, 2),
  "of integers": () => gather(ints(many(12, 9), 3, 4), ints([3, 0, 1], 3, 1), -1, 1),
  "without a batch": () => gather(nn.randn(4, 5), ints([3, 3, 0], 3), 0, 0),
  "of a batch of nothing": () => gather(nn.randn(3, 4), tf.zeros([3, 0], "int32"), 1, 1),
  "of nothing": () => gather(tf.zeros([4, 0, 3]), ints([3, 1], 2), 0, 0),
  "of nothing, a batch of it": () => gather(tf.zeros([2, 3, 0]), ints([2, 1], 2, 1), 1, 1),
  "of no integers": () => gather(tf.zeros([3, 0], "int32"), ints([2], 1), 0, 0),
  "sums of segments": () => tf.unsortedSegmentSum(nn.randn(6, 4, 2), [3, 0, -1, 3, 9, 1], 5),
  "sums of segments of integers": () =>
    tf.cast(tf.unsortedSegmentSum(ints([1, 2, 3], 3), [1, 1, 0], 2), "float32"), // tfjs-cpu's are floats
  "a product": () => tf.einsum("ij,jk->ik", nn.randn(3, 4), nn.randn(4, 5)),
  "a batched one": () => tf.einsum("bld,bln->bdn", nn.randn(2, 5, 3), nn.randn(2, 5, 4)),
  "one that sums no letter": () => tf.einsum("bld,dn->bldn", nn.randn(2, 5, 3), nn.randn(3, 4)),
  "one to a number": () => tf.einsum("ij,ij->", nn.randn(3, 4), nn.randn(3, 4)),
  "letters of one term": () => tf.einsum("ijk,j->i", nn.randn(3, 4, 5), nn.randn(4)),
  "sizes of one": () => tf.einsum("bij,bjk->kib", nn.randn(1, 1, 4), nn.randn(1, 4, 1)),
  "one term with a size of one": () => tf.einsum("ij->ji", nn.randn(1, 4)),
  "one term as it is": () => tf.einsum("ij->ij", nn.randn(3, 4)),
  "one term": () => tf.einsum("ijk->ki", nn.randn(3, 4, 5)),
  "products of integers": () => tf.einsum("ij,jk->ki", ints(many(6, 9), 2, 3), ints(many(6, 9), 3, 2)), // prettier-ignore
  "truths of numbers": () => tf.cast(tf.tensor1d([0.5, 0, -2, 256, NaN]), "bool"),
  "truths of integers": () => tf.cast(ints([0, 256, -1, 1], 4), "bool"),
  "numbers of truths": () => tf.cast(tf.greater(nn.randn(5), 0), "int32"),
  "integers in bounds": () => tf.clipByValue(ints([5, -2, 1, 4, -3], 5), -1.5, 3),
  "integers in bounds between them": () => tf.clipByValue(ints([5, -2, 1, 0, 3], 5), 0.5, 2.5),
  "integers with one bound": () => tf.clipByValue(ints([5, -2, 1], 3), 0, Infinity),
  "numbers in bounds": () => tf.clipByValue(nn.randn(5), -0.5, 0.5),
  "every other integer": () => tf.stridedSlice(ints([2 ** 30 + 1, 2, 3, 4, 5, 6], 2, 3), [0, 2], [2, 0], [1, -1]), // prettier-ignore
  "every other truth": () => tf.stridedSlice(tf.greater(nn.randn(4, 3), 0), [1, 0], [4, 3], [2, 1]),
  "one integer of each row": () => tf.stridedSlice(ints(many(6, 9), 2, 3), [0, 1], [2, 2], [1, 1], 0, 0, 0, 0, 2), // prettier-ignore
  "no integers": () => tf.stridedSlice(ints([1, 2], 2), [1], [1], [1]),
  "truths from behind": () => tf.reverse(tf.greater(nn.randn(3, 4), 0), 1),
  "truths by truths": () => tf.where(tf.greater(nn.randn(3, 4), 0), tf.greater(nn.randn(3, 4), 0), tf.less(nn.randn(3, 4), 0)), // prettier-ignore
  "integers by truths": () => tf.where(tf.greater(nn.randn(4), 0), ints(many(4, 9), 4), ints([0, 0, 0, 0], 4)), // prettier-ignore
  "numbers or integers by truths": () => tf.where(tf.greater(nn.randn(6), 0), nn.randn(6), ints(many(6, 9), 6)), // prettier-ignore
  "integers or truths by truths": () => tf.where(tf.greater(nn.randn(6), 0), ints(many(6, 9), 6), tf.less(nn.randn(6), 0)), // prettier-ignore
  "truths or numbers by truths": () => tf.where(tf.greater(nn.randn(6), 0), tf.less(nn.randn(6), 0), nn.randn(6)), // prettier-ignore
  "no truths from each row": () =>
    tf.stridedSlice(tf.zeros([3, 0], "bool"), [2, 0], [0, 0], [-1, 1]),
  "sums in seven dimensions": () => tf.add(nn.randn(1, 2, 3, 1, 1, 2, 2), nn.randn(1, 2, 3, 1, 1, 2, 2)), // prettier-ignore
  "differences from a number in seven": () => tf.sub(nn.randn(1, 2, 3, 1, 1, 2, 2), 3),
  "repeated products in seven": () => tf.mul(nn.randn(1, 2, 3, 1, 1, 2, 1), nn.randn(2, 1, 5)),
  "quotients in eight": () => tf.div(nn.randn(1, 2, 1, 1, 2, 1, 1, 3), nn.randn(2, 2, 1, 2, 1, 2, 1, 1)), // prettier-ignore
  "squared differences in seven": () => tf.squaredDifference(nn.randn(2, 1, 1, 1, 1, 2, 2), nn.randn(2)), // prettier-ignore
  "sums of integers in seven": () => tf.add(ints(many(4, 9), 1, 2, 1, 1, 1, 1, 2), ints([5, 6, 7], 3, 1)), // prettier-ignore
  "products of integers with floats": () => tf.einsum("i,i->i", ints([1, 2], 2), nn.randn(2)),
};

describe("tf.* on tfjs' wasm backend", () => {
  const wanted = new Map<string, { shape: number[]; dtype: string; values: tf.TypedArray }>();

  before(async () => {
    await nn.setBackend("cpu");
    tf.tidy(() => {
      for (const [what, run] of Object.entries(PROGRAMS)) {
        nn.manualSeed(1);
        const y = run();
        wanted.set(what, { shape: y.shape, dtype: y.dtype, values: y.dataSync() });
      }
    });
    await nn.setBackend("wasm");
    await nn.setBackend("wasm"); // a second time changes nothing
  });

  for (const [what, run] of Object.entries(PROGRAMS)) {
    it(`gives what it gives on cpu: ${what}`, () => {
      const held = tf.backend().numDataIds();
      expectNoLeak(() =>
        tf.tidy(() => {
          nn.manualSeed(1);
          const y = run();
          expect(y.dtype).to.equal(wanted.get(what)!.dtype);
          expectTensor(y, wanted.get(what)!, TOLERANCE.wasm, what);
        }),
      );
      expect(tf.backend().numDataIds()).to.equal(held);
    });
  }

  it("sums letters of one term that stand before others, which tfjs-cpu does not", () => {
    tf.tidy(() => {
      const [x, y] = [nn.randn(2, 3, 4, 5), nn.randn(4, 2)];
      const want = tf.einsum("bjk,jb->kb", tf.sum(x, 1), y);
      const values = want.dataSync();
      expectTensor(tf.einsum("bijk,jb->kb", x, y), { shape: [5, 2], values }, TOLERANCE.wasm);
    });
  });

  it("sums products of nothing", () => {
    tf.tidy(() => {
      const zeros = (...shape: number[]) => ({ shape, values: new Float32Array(tf.util.sizeFromShape(shape)) }); // prettier-ignore
      const [x, y] = [tf.ones([2, 0]), tf.ones([0, 3])];
      expectTensor(tf.einsum("ij,jk->ki", x, y), zeros(3, 2), TOLERANCE.wasm);
      expectTensor(tf.einsum("ji->", y), zeros(), TOLERANCE.wasm);
      expectTensor(tf.einsum("ij->ji", x), zeros(0, 2), TOLERANCE.wasm);
      expect(tf.einsum("i,i->", ints([], 0), ints([], 0)).dtype).to.equal("int32");
    });
  });

  it("refuses what is not there", () => {
    tf.tidy(() => {
      const x = nn.randn(2, 3);
      expect(() => gather(x, ints([0, 3], 2, 1), 1, 1)).to.throw("the index value 3 is not in [0, 2]"); // prettier-ignore
      expect(() => gather(x, ints([-1, 0], 2, 1), 1, 1)).to.throw("value -1 is not in [0, 2]");
      expect(() => gather(tf.zeros([0, 3]), ints([0], 1), 0, 0)).to.throw(
        "value 0 is not in [0, -1]",
      );
      expect(() => tf.einsum("ij,jk->ik", x, x)).to.throw("Expected dimension 3 at axis 0");
      expect(() => tf.einsum("ii->i", x)).to.throw("duplicate axes");
    });
  });
});

describe('tf.* after `import "sconce/cpu"`', () => {
  it("adds up segments and sums of products as fast as their size allows", async () => {
    await nn.setBackend("cpu");
    const restore = replaceTfjsKernels();
    tf.tidy(() => {
      const [nodes, edges] = [2000, 8000];
      const start = performance.now();
      tf.unsortedSegmentSum(tf.ones([edges, 16]), many(edges, nodes), nodes);
      tf.einsum("bld,dn->bln", tf.ones([2, 256, 256]), tf.ones([256, 256]));
      // tfjs' own go over all rows for each segment, and write all products down: 10 s and more.
      expect(performance.now() - start).to.be.below(2000);
    });
    restore();
  });
});
