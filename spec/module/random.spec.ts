import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";

const bits = (tensor: tf.Tensor): number[] =>
  Array.from(new Uint32Array(Float32Array.from(tensor.dataSync()).buffer));

/** The numbers are those of torch.manual_seed(0) and (7), printed as uint32. */
onEveryBackend("After manualSeed", () => {
  it("a layer has PyTorch's very bits", () => {
    nn.manualSeed(0);
    const layer = new nn.Linear(2, 4);
    expect(bits(layer.weight)).to.deep.equal([
      3148708130, 1052915356, 3205823665, 3204790301, 3196809430, 1044523691, 3160771159,
      1057982272,
    ]);
    expect(bits(layer.bias!)).to.deep.equal([3179316190, 1044355479, 3193623389, 3188610075]);
    layer.dispose();
  });

  it("tensors come in PyTorch's order, each from where the one before it left off", () => {
    tf.tidy(() => {
      nn.manualSeed(7);
      const first = nn.rand(2, 3);
      expect(first.shape).to.deep.equal([2, 3]);
      expect(bits(first)).to.deep.equal([
        1057550511, 1045140240, 1059635737, 1059596790, 1047419148, 1054450086,
      ]);
      const integers = nn.randint(3, 10, [2, 2]);
      expect(integers.dtype).to.equal("int32");
      expect(integers.arraySync()).to.deep.equal([
        [9, 4],
        [6, 6],
      ]);
      expect(nn.randperm(5).arraySync()).to.deep.equal([3, 4, 1, 2, 0]);
      const small = nn.randn(3).dataSync();
      [-1.5749677419662476, -0.631848931312561, 0.021201377734541893].forEach((want, i) =>
        expect(small[i]).to.be.closeTo(want, 1e-6),
      );
      expect(nn.randn([2, 8]).dataSync()[13]).to.be.closeTo(-0.35672253370285034, 1e-6);
    });
  });
});
