import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
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
      const order = call("aten.randperm.default", [9], "int64").dataSync();
      expect([...order].sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      const drawn = call("aten.multinomial.default", [tf.tensor1d([0, 1, 0, 3]), 2], "int64");
      expect([...drawn.dataSync()].sort()).to.deep.equal([1, 3]);
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
