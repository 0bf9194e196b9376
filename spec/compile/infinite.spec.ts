import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectSame } from "../support/graphs.js";

const F = nn.functional;

/** The second convolution would, by Winograd's algorithm, make NaN of all that is around an infinity. */
class Around extends nn.Module {
  first = new nn.Conv2d(32, 32, 3, { padding: 1 });
  second = new nn.Conv2d(32, 32, 3, { padding: 1 });
  shift: nn.Parameter = new nn.Parameter(tf.zeros([32, 1, 1]));

  constructor(private readonly between: (x: tf.Tensor, shift: tf.Tensor) => tf.Tensor) {
    super();
    this.second.weight.assign(tf.abs(this.second.weight)); // ∞ - ∞ would be NaN anyway
    this.eval();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.second(this.between(this.first(x), this.shift));
  }
}

function put(parameter: nn.Parameter, value: number): void {
  const values = parameter.dataSync().slice();
  values[3] = value;
  parameter.assign(tf.tensor(values, parameter.shape));
}

onEveryBackend("Infinities that no input brings, compiled", (_backend, tolerance) => {
  const runs = {
    "are in a bias": [F.relu, ({ first }: Around) => put(first.bias!, Infinity)],
    "are added to channels": [tf.add, ({ shift }: Around) => put(shift, Infinity)],
    "come of an overflow": [(x: tf.Tensor) => tf.exp(tf.mul(x, 100)), () => undefined],
    "are given for what is small": [(x: tf.Tensor) => F.threshold(x, -0.5, Infinity), () => undefined], // prettier-ignore
  } as const;
  for (const [name, [between, change]] of Object.entries(runs)) {
    it(name, async () => {
      nn.manualSeed(0);
      const [x, model] = [nn.randn(1, 32, 16, 16), new Around(between)];
      const fast = await nn.compile(model, x);
      expect(fast.explain().compiled).to.equal(true);
      const same = (): void =>
        tf.tidy(() => expectSame(fast(x), model(x), { ...tolerance, atol: 1e-4 }, name));
      same();
      change(model);
      same();
      const values = Array.from(tf.tidy(() => model(x).dataSync()));
      expect(values.some((one) => one === Infinity) && values.every((one) => !Number.isNaN(one))).to.equal(true); // prettier-ignore
      fast.dispose();
    });
  }
});

/** Two steps of a cell: the second reads what the first made of an infinity. */
class Steps extends nn.Module {
  constructor(private readonly cell: nn.RNNCell | nn.GRUCell) {
    super();
    this.eval();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.cell(x, this.cell(x));
  }
}

onEveryBackend("What is not finite in an input, compiled", (_backend, tolerance) => {
  async function same(model: nn.Module, shape: number[], odd: number): Promise<void> {
    const values = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
    values[1] = odd;
    const x = tf.tensor(values, shape);
    const fast = await nn.compile(model, x);
    tf.tidy(() => {
      const want = model(x) as tf.Tensor;
      expect(Array.from(want.dataSync()).some(Number.isFinite)).to.equal(true);
      expectSame(fast(x), want, tolerance, String(odd));
    });
    fast.dispose();
    x.dispose();
  }

  it("stays in its group of channels", async () => {
    nn.manualSeed(0);
    for (const odd of [NaN, Infinity]) {
      for (const make of [nn.Conv2d, nn.ConvTranspose2d]) {
        const model = new make(6, 6, 3, { groups: 2, padding: 1 });
        model.eval();
        await same(model, [1, 6, 4, 5], odd);
      }
    }
  });

  it("saturates a recurrent cell, and leaves the next step numbers", async () => {
    nn.manualSeed(0);
    for (const make of [nn.RNNCell, nn.GRUCell]) await same(new Steps(new make(4, 3)), [2, 4], -Infinity); // prettier-ignore
  });
});
