import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { expectSame } from "../support/graphs.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

const SIZE = [48, 64] as const;
const deep = (options = {}): nn.Conv2d => new nn.Conv2d(40, 40, 3, { groups: 40, ...options });

/** A 1 × 1 convolution, what is done with it, and a depthwise one. */
class Block extends nn.Module {
  constructor(
    readonly deep: nn.Conv2d,
    readonly run: (own: Block, x: tf.Tensor) => tf.Tensor,
    readonly wide = new nn.Conv2d(6, 40, 1),
  ) {
    super();
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return this.run(this, x);
  }
}

const chain = (own: Block, x: tf.Tensor): tf.Tensor => F.relu6(own.deep(F.relu6(own.wide(x))));

describe("A depthwise convolution behind a 1 × 1 one, compiled", () => {
  before(() => nn.setBackend("cpu"));
  beforeEach(() => void nn.manualSeed(0));

  const cases: [string, number, () => Block][] = [
    ["alone", 1, () => new Block(deep({ padding: 1 }), chain)],
    ["with a stride", 1, () => new Block(deep({ padding: 1, stride: 2 }), chain)],
    [
      "without biases",
      1,
      () => new Block(deep({ bias: false }), (own, x) => own.deep(own.wide(x))),
    ],
    ["of a padded one", 1, () => new Block(deep(), (own, x) => own.deep(F.pad(own.wide(x), [0, 1, 2, 1])))], // prettier-ignore
    ["with another activation between", 1, () => new Block(deep(), (own, x) => own.deep(F.silu(own.wide(x))))], // prettier-ignore
    ["of a grouped one", 2, () => new Block(deep(), chain, new nn.Conv2d(6, 40, 1, { groups: 2 }))],
    [
      "that something else reads, too",
      3,
      () =>
        new Block(deep({ padding: 1 }), (own, x) => {
          const wide = own.wide(x);
          return tf.add(own.deep(wide), wide);
        }),
    ],
    [
      "whose border two read",
      3,
      () =>
        new Block(deep(), (own, x) => {
          const wide = F.pad(own.wide(x), [1, 1, 1, 1]);
          return tf.add(own.deep(wide), F.relu(own.deep(wide)));
        }),
    ],
  ];
  for (const [what, steps, make] of cases) {
    it(`${what}: ${steps} ${steps > 1 ? "steps" : "step"}, the same numbers`, async () => {
      const model = make();
      const x = nn.randn(1, 6, ...SIZE);
      for (const threads of [1, 2, 3]) {
        const fast = await nn.compile(model, x, { threads });
        expect(fast.explain().steps, String(fast.explain())).to.be.at.most(steps);
        for (const batch of [1, 2]) {
          const some = nn.randn(batch, 6, ...SIZE);
          for (let run = 0; run < 3; run += 1) expectSame(fast(some), model(some), CLOSE, what);
        }
        fast.dispose();
      }
    });
  }

  it("that takes channels for rows: two steps, the same numbers", async () => {
    const wide = new nn.Conv1d(6, 200, 1);
    const weight = nn.randn(4, 1, 3, 3);
    const model = (x: tf.Tensor): tf.Tensor => F.conv2d(wide(x), weight, { groups: 4 });
    const x = nn.randn(4, 6, 512);
    const fast = await nn.compile(model, x);
    expectSame(fast(x), model(x), CLOSE, "of one dimension");
    expect(fast.explain().steps).to.equal(2);
    fast.dispose();
  });

  it("passes NaN and infinities on as eager does, and takes new weights", async () => {
    const model = new Block(deep({ padding: 1 }), chain);
    const values = (nn.randn(1, 6, ...SIZE).dataSync() as Float32Array).slice();
    [NaN, Infinity, -Infinity].forEach((odd, i) => (values[1000 * (i + 1)] = odd));
    const x = tf.tensor(values, [1, 6, ...SIZE]);
    const fast = await nn.compile(model, x);
    expectSame(fast(x), model(x), CLOSE, "odd numbers");
    model.wide.weight.assign(nn.randn(40, 6, 1, 1));
    model.deep.weight.assign(nn.randn(40, 1, 3, 3));
    expectSame(fast(x), model(x), CLOSE, "new weights");
    const [row] = fast.profile(x).rows;
    expect(row!.kernel).to.equal("conv 1×1, depthwise 3×3");
    expect(row!.flops).to.equal(2 * 40 * 48 * 64 * (6 + 9));
    fast.dispose();
  });
});
