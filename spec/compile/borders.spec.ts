import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

/** Pads by hand, as TensorFlow's "SAME" does, and convolves; returns the padded one too if asked. */
class Padded extends nn.Module {
  constructor(
    readonly conv: nn.Conv2d,
    readonly sides: number[],
    readonly readsBorder = false,
  ) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const padded = F.pad(x, this.sides);
    const y = this.conv(padded);
    return this.readsBorder ? tf.add(tf.sum(padded), y) : y;
  }
}

describe("A border of zeros before a convolution, compiled", () => {
  before(() => nn.setBackend("cpu"));
  beforeEach(() => void nn.manualSeed(0));

  const cases: [string, nn.Conv2d, number[]][] = [
    ["more after than before", new nn.Conv2d(3, 4, 3, { stride: 2 }), [0, 1, 0, 1]],
    ["different on all sides", new nn.Conv2d(3, 4, 3), [1, 2, 3, 0]],
    ["of the rows alone", new nn.Conv2d(3, 4, 3), [2, 1]],
    ["before padding of its own", new nn.Conv2d(3, 4, 3, { padding: 1 }), [0, 1, 2, 0]],
    ["of a depthwise one", new nn.Conv2d(3, 3, 5, { groups: 3, stride: 2 }), [1, 2, 1, 2]],
  ];
  for (const [what, conv, sides] of cases) {
    it(`${what} becomes its padding`, async () => {
      const model = new Padded(conv, sides);
      const x = nn.randn(2, 3, 9, 11);
      const fast = await nn.compile(model, x);
      expect(fast.explain().steps, String(fast.explain())).to.equal(1);
      expectSame(fast(x), model(x), CLOSE, what);
      fast.dispose();
    });
  }

  it("is made where something else reads it", async () => {
    const model = new Padded(new nn.Conv2d(3, 4, 3), [1, 2, 3, 0], true);
    const x = nn.randn(1, 3, 6, 6);
    const fast = await compiled(model, x);
    expectSame(fast(x), model(x), CLOSE, "both read");
    fast.dispose();
  });

  it("is made of NaN", async () => {
    const conv = new nn.Conv2d(3, 4, 3);
    const model = (x: tf.Tensor): tf.Tensor => conv(F.pad(x, [1, 2, 0, 1], { value: NaN }));
    const x = nn.randn(1, 3, 6, 6);
    const fast = await compiled(model, x);
    expectSame(fast(x), model(x), CLOSE, "NaN around");
    fast.dispose();
  });

  it("is made where the convolution has no kernel", async () => {
    const model = (x: tf.Tensor, weight: tf.Tensor): tf.Tensor =>
      F.conv2d(F.pad(x, [1, 2, 0, 1]), weight);
    const args: [tf.Tensor, tf.Tensor] = [nn.randn(1, 3, 6, 6), nn.randn(2, 3, 3, 3)];
    const fast = await nn.compile(model, args);
    expect(fast.explain().fallbacks.map(({ op }) => op)).to.deep.equal(["conv2d"]);
    expectSame(fast(...args), model(...args), CLOSE, "a weight that is an input");
    fast.dispose();
  });
});
