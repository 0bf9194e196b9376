import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { resnet18 } from "../../examples/models/resnet.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { readJson } from "../support/files.js";

/** What torchinfo printed: spec/oracle/summary.py. */
const TABLES = await readJson<Record<string, string>>("goldens/summary.json");

class Shared extends nn.Module {
  // Other specs have a Shared too, and a bundler would rename this one.
  static override readonly name = "Shared";

  fc = new nn.Linear(4, 4);
  scale = new nn.Parameter(tf.ones([4]));
  act = new nn.Sigmoid();

  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(this.act(this.fc(this.fc(x))), this.scale);
  }
}

const cnn = (): nn.Module =>
  new nn.Sequential(
    new nn.Conv2d(1, 16, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Sequential(new nn.Conv2d(16, 8, 3, { groups: 2 }), new nn.ReLU()),
    new nn.AdaptiveAvgPool2d([2, 2]),
    new nn.Flatten(),
    new nn.Dropout({ p: 0.2 }),
    new nn.Linear(32, 10),
  );

const mlp = (): nn.Module =>
  new nn.Sequential(new nn.Linear(2, 4), new nn.Sigmoid(), new nn.Linear(4, 3));

const columns = ["inputSize", "outputSize", "numParams", "multAdds"] as const;
/** torchinfo's default; ours has the multiply-adds as well. */
const plain = { columns: ["outputSize", "numParams"] } as const;
const CASES: Record<string, [() => nn.Module, number[], nn.SummaryOptions]> = {
  mlp: [mlp, [10, 2], plain],
  cnn: [cnn, [2, 1, 28, 28], plain],
  "cnn with all columns": [cnn, [2, 1, 28, 28], { columns }],
  "cnn to depth 1": [cnn, [2, 1, 28, 28], { depth: 1, ...plain }],
  shared: [() => new Shared(), [3, 4], { columns }],
  resnet18: [() => resnet18(), [1, 3, 64, 64], plain],
};

/** torchinfo pads lines, and from Python 3.11 on prints the names of its units' enumeration. */
const trimmed = (table: string): string =>
  table.replaceAll(/ +$/gm, "").replace("(Units.MEGABYTES)", "(M)");

onEveryBackend("nn.summary prints torchinfo's table", () => {
  for (const [name, want] of Object.entries(TABLES)) {
    it(`of ${name}`, () => {
      const [make, shape, options] = CASES[name]!;
      const model = make();
      const table = expectNoLeak(() => String(nn.summary(model, shape, options)));
      model.dispose();
      expect(trimmed(table)).to.equal(trimmed(want));
    });
  }

  it("takes tensors, and refuses unknown columns", () => {
    const model = mlp();
    const x = tf.ones([10, 2]);
    expect(String(nn.summary(model, x))).to.equal(String(nn.summary(model, [10, 2])));
    const wrong = { columns: ["size"] } as unknown as nn.SummaryOptions;
    expect(() => nn.summary(model, x, wrong)).to.throw(/unknown column 'size'/);
    tf.dispose(x);
    model.dispose();
  });
});
