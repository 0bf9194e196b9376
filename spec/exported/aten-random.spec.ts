import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import type { Complex } from "../../lib/exported/aten/support/complex.js";
import { setBackend } from "../../lib/backend.js";

/** Calls an op whose result PyTorch says to be of a dtype. */
function call(target: string, args: unknown[], dtype = "float32"): tf.Tensor {
  const context = { outputs: [{ dtype, shape: [] }], inputs: [] } as never;
  return lookUpOp(target)!(args, {}, context) as tf.Tensor;
}

describe("ATen ops without an oracle", () => {
  before(() => setBackend("cpu"));

  it("draw from the distributions that their names say", () => {
    tf.tidy(() => {
      const mean = (x: tf.Tensor): number => tf.mean(tf.cast(x, "float32")).dataSync()[0]!;
      const size = [40, 50];
      const self = tf.zeros(size);
      expect(mean(call("aten.rand.default", [size]))).to.be.closeTo(0.5, 0.05);
      expect(mean(call("aten.randn_like.default", [self]))).to.be.closeTo(0, 0.15);
      expect(mean(tf.square(call("aten.randn.default", [size])))).to.be.closeTo(1, 0.2);
      expect(mean(call("aten.randint.low", [2, 5, size], "int64"))).to.be.closeTo(3, 0.15);
      expect(mean(call("aten.bernoulli.p", [self, 0.25]))).to.be.closeTo(0.25, 0.06);
      expect(mean(call("aten.normal_functional.default", [self, 7, 0.1]))).to.be.closeTo(7, 0.05);
      expect(mean(call("aten.exponential.default", [self, 2]))).to.be.closeTo(0.5, 0.05);
      expect(mean(call("aten.geometric.default", [self, 0.25]))).to.be.closeTo(4, 0.4);
      const logs = tf.log(call("aten.log_normal.default", [self, 3, 0.5]));
      expect(mean(logs)).to.be.closeTo(3, 0.1);
      const heavy = call("aten.cauchy.default", [self, 2, 1]);
      expect(mean(tf.greater(heavy, 3))).to.be.closeTo(0.25, 0.05);
      const whole = tf.zeros(size, "int32");
      expect(mean(call("aten.random.from", [whole, 2, 5], "int64"))).to.be.closeTo(3, 0.15);
      expect(mean(call("aten.random.to", [whole, 4], "int64"))).to.be.closeTo(1.5, 0.15);
      const order = call("aten.randperm.default", [9], "int64").dataSync();
      expect([...order].sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      const drawn = call("aten.multinomial.default", [tf.tensor1d([0, 1, 0, 3]), 2], "int64");
      expect([...drawn.dataSync()].sort()).to.deep.equal([1, 3]);
    });
  });

  it("find eigenvalues of any matrix, and vectors that are only stretched", () => {
    const multiply = (a: Complex, b: Complex): Complex => ({
      re: tf.sub(tf.matMul(a.re, b.re), tf.matMul(a.im, b.im)),
      im: tf.add(tf.matMul(a.re, b.im), tf.matMul(a.im, b.re)),
    });
    const largest = (x: tf.Tensor): number => tf.max(tf.abs(x)).dataSync()[0]!;
    tf.tidy(() => {
      const draw = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, "float32", seed); // prettier-ignore
      const rotation = tf.tensor2d([0, -1, 0, 1, 0, 0, 0, 0, 2], [3, 3]);
      const defective = tf.tensor2d([1, 1, 0, 1], [2, 2]);
      const real = [rotation, defective, draw([3, 6, 6], 1), draw([1, 1], 2), tf.zeros([4, 4])];
      const given = [
        ...real.map((re): Complex => ({ re, im: tf.zerosLike(re) })),
        { re: draw([2, 5, 5], 3), im: draw([2, 5, 5], 4) },
      ];
      for (const [i, a] of given.entries()) {
        const self = i < real.length ? a.re : a;
        const [w, v] = lookUpOp("aten.linalg_eig.default")!([self], {}, {
          ...{ inputs: [], outputs: [] },
        } as never) as [Complex, Complex];
        const rows = (x: tf.Tensor): tf.Tensor => tf.expandDims(x, -2);
        const left = multiply(a, v);
        const right = {
          re: tf.sub(tf.mul(v.re, rows(w.re)), tf.mul(v.im, rows(w.im))),
          im: tf.add(tf.mul(v.re, rows(w.im)), tf.mul(v.im, rows(w.re))),
        };
        expect(largest(tf.sub(left.re, right.re)), `matrix ${i}`).to.be.below(1e-5);
        expect(largest(tf.sub(left.im, right.im)), `matrix ${i}`).to.be.below(1e-5);
        const sizes = tf.sum(tf.add(tf.square(v.re), tf.square(v.im)), -2);
        expect(largest(tf.sub(sizes, 1)), `matrix ${i}`).to.be.below(1e-5);
        // In PyTorch too their sum is the trace, and the upper one of a pair comes first.
        const diagonal = tf.mul(a.re, tf.eye(a.re.shape.at(-1)!));
        expect(largest(tf.sub(tf.sum(w.re, -1), tf.sum(diagonal, [-2, -1])))).to.be.below(1e-4);
      }
      const [turned] = lookUpOp("aten.linalg_eig.default")!([rotation], {}, {
        ...{ inputs: [], outputs: [] },
      } as never) as [Complex];
      expect([...turned.im.dataSync()].map((one) => Math.round(one))).to.deep.equal([1, -1, 0]);
    });
  });

  it("wrap bytes around", () => {
    tf.tidy(() => {
      const bytes = tf.tensor1d([200, 3], "int32");
      expect([...call("aten.add.Tensor", [bytes, 100], "uint8").dataSync()]).to.deep.equal([
        44, 103,
      ]);
      expect([...call("aten.bitwise_not.default", [bytes], "uint8").dataSync()]).to.deep.equal([
        55, 252,
      ]);
      expect([...call("aten.sub.Tensor", [bytes, 4], "uint8").dataSync()]).to.deep.equal([
        196, 255,
      ]);
    });
  });
});
