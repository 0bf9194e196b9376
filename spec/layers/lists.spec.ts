import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { expectClose } from "../support/expect.js";

describe("A convolution with lists of one number", () => {
  before(() => nn.setBackend("cpu"));

  it("prints them as PyTorch does", () => {
    const convs = [
      new nn.Conv2d(2, 2, 3, { stride: [2], padding: [1] }),
      new nn.ConvTranspose2d(2, 2, 3, { stride: [2], outputPadding: [1], dilation: [1] }),
      new nn.Conv2d(2, 2, 3, { stride: [2], padding: [0], dilation: [2] }),
    ];
    expect(convs.map(String)).to.deep.equal([
      "Conv2d(2, 2, kernel_size=(3, 3), stride=(2,), padding=(1,))",
      "ConvTranspose2d(2, 2, kernel_size=(3, 3), stride=(2,), output_padding=(1,))",
      "Conv2d(2, 2, kernel_size=(3, 3), stride=(2,), dilation=(2,))",
    ]);
    convs.forEach((conv) => conv.dispose());
  });

  it("refuses such a kernel, and borders that PyTorch has no room for", () => {
    expect(() => new nn.Conv2d(2, 2, [3])).to.throw(
      "Conv2d: kernelSize must be a single int or an",
    );
    const conv = new nn.Conv2d(2, 2, 3, { padding: [1], paddingMode: "reflect" });
    expect(() => conv(tf.zeros([1, 2, 5, 5]))).to.throw(
      "Padding size 2 is not supported for 4D input tensor",
    );
    conv.dispose();
  });

  it("gives compiled what it gives eagerly, and so do integers", async () => {
    const model = new nn.Sequential(
      new nn.Conv2d(2, 4, 3, { stride: [2], padding: [1], dilation: [1] }),
      new nn.ConvTranspose2d(4, 2, 3, { stride: [2], padding: [1], outputPadding: [1] }),
    );
    const x = nn.randn(1, 2, 9, 8);
    const fast = await nn.compile(model, x);
    expect(fast.explain().compiled).to.be.true;
    const [got, want] = [fast(x), model(x)];
    expect(got.shape).to.deep.equal(want.shape);
    expectClose(got.dataSync(), want.dataSync(), { rtol: 1e-4, atol: 1e-5 });
    const whole = nn.randint(-9, 9, [1, 2, 6, 6]);
    const kernel = nn.randint(-9, 9, [3, 2, 3, 3]);
    const convolve = (one: tf.Tensor): tf.Tensor => nn.functional.conv2d(one, kernel);
    const fastConvolve = await nn.compile(convolve, whole);
    const [a, b] = [fastConvolve(whole), convolve(whole)];
    expect([a.dtype, ...a.dataSync()]).to.deep.equal(["int32", ...b.dataSync()]);
    tf.dispose([x, got, want, whole, kernel, a, b]);
    fast.dispose();
    fastConvolve.dispose();
    model.dispose();
  });
});
