import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compiled } from "../support/compiled.js";
import { expectSame, liveOps } from "../support/graphs.js";

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

/** What multiplies channels, which goes into the weights of what made them. */
class Multiplied extends nn.Module {
  by: nn.Parameter;

  constructor(
    readonly first: nn.Linear | nn.Conv2d,
    shape: number[],
    readonly norm: nn.BatchNorm2d | null = null,
  ) {
    super();
    this.by = norm?.weight ?? new nn.Parameter(tf.ones(shape));
    this.eval();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.first(x);
    return this.norm ? this.norm(y) : tf.mul(y, this.by);
  }
}

/** A norm that has no convolution to go into becomes a product and a sum. */
class Normed extends nn.Module {
  norm = new nn.BatchNorm2d(4);
  by = this.norm.weight!;

  constructor() {
    super();
    this.eval();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.relu(this.norm(F.relu(x)));
  }
}

onEveryBackend("What is folded into weights, compiled", (_backend, tolerance) => {
  const conv = (): nn.Conv2d => new nn.Conv2d(4, 4, 3, { padding: 1 });
  const picture = [1, 4, 6, 5];
  const models: Record<string, [make: () => Multiplied | Normed, shape: number[]]> = {
    "a linear's factors": [() => new Multiplied(new nn.Linear(4, 4), [4]), [3, 4]],
    "a convolution's factors": [() => new Multiplied(conv(), [4, 1, 1]), picture],
    "a convolution's norm": [() => new Multiplied(conv(), [], new nn.BatchNorm2d(4)), picture],
    "a norm alone": [() => new Normed(), picture],
  };
  for (const [name, [make, shape]] of Object.entries(models)) {
    it(`${name} may be infinite, or become it`, async () => {
      nn.manualSeed(0);
      const [x, model] = [nn.randn(...shape), make()];
      const fast = await nn.compile(model, x);
      expect(liveOps(fast.graph!)).to.have.length(1);
      const same = (run: typeof fast, what: unknown): void =>
        tf.tidy(() => expectSame(run(x), model(x), tolerance, String(what)));
      same(fast, "as it was");
      for (const odd of [Infinity, -Infinity, NaN, 2]) {
        put(model.by, odd);
        same(fast, odd);
        const anew = await nn.compile(model, x);
        expect(anew.explain().compiled).to.equal(true);
        same(anew, `${odd}, compiled anew`);
        anew.dispose();
      }
      fast.dispose();
    });
  }

  it("factors may be so large that weights times them would be infinite", async () => {
    nn.manualSeed(0);
    const model = new Multiplied(new nn.Linear(4, 4, { bias: false }), [4]);
    model.first.weight.assign(tf.mul(model.first.weight, 1e15));
    put(model.by, 1e30);
    const x = tf.mul(nn.randn(3, 4), 1e-15);
    const fast = await compiled(model, x);
    tf.tidy(() => expectSame(fast(x), model(x), tolerance, "1e30"));
    fast.dispose();
  });
});

onEveryBackend("A weight that is not finite, compiled", (_backend, tolerance) => {
  const models: Record<string, () => nn.ConvTranspose2d> = {
    "between pixels": () => new nn.ConvTranspose2d(3, 5, 3, { stride: 2 }),
    "between those of one channel": () => new nn.ConvTranspose2d(1, 1, 1, { stride: 2 }),
    "between those of groups": () => new nn.ConvTranspose2d(6, 6, 3, { stride: 2, groups: 6 }),
  };
  for (const [where, make] of Object.entries(models)) {
    it(`is multiplied with nothing ${where}`, async () => {
      nn.manualSeed(0);
      const model = make();
      const x = nn.randn(1, model.inChannels, 4, 5);
      for (const odd of [NaN, Infinity]) {
        put(model.weight, odd);
        const fast = await compiled(model, x);
        tf.tidy(() => expectSame(fast(x), model(x), tolerance, String(odd)));
        fast.dispose();
      }
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
    const fast = await compiled(model, x);
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

  it("reaches what attends to it, were it the last of all", async () => {
    nn.manualSeed(0);
    for (const keys of [5, 6, 7, 8]) {
      const q = nn.randn(keys % 2 ? 1 : 3, 2, keys, 4);
      const isLast = tf.equal(tf.reshape(tf.range(0, keys), [keys, 1]), keys - 1);
      const v = tf.where(isLast, Infinity, q);
      const attend = (one: tf.Tensor, other: tf.Tensor): tf.Tensor =>
        F.scaledDotProductAttention(one, one, other);
      const fast = await compiled(attend, [q, v]);
      tf.tidy(() => expectSame(fast(q, v), attend(q, v), tolerance, `${keys} keys`));
      fast.dispose();
    }
  });

  it("saturates a recurrent cell, and leaves the next step numbers", async () => {
    nn.manualSeed(0);
    for (const make of [nn.RNNCell, nn.GRUCell]) await same(new Steps(new make(4, 3)), [2, 4], -Infinity); // prettier-ignore
  });
});
