import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { resnet18 } from "../../lib/models/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { readJson } from "../support/files.js";
import * as models from "../support/summary-models.js";

/** What torchinfo printed: spec/oracle/summary.py. */
const TABLES = await readJson<Record<string, string>>("goldens/summary.json");

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
  shared: [() => new models.Shared(), [3, 4], { columns }],
  interleaved: [() => new models.Interleaved(), [5, 2], { columns }],
  "two interleaved lists": [() => new models.TwoLists(), [2, 3], { columns }],
  "list with a parameter": [() => new models.Reentered(), [4, 2], { columns }],
  "list with a parameter to depth 2": [() => new models.Reentered(), [4, 2], { columns, depth: 2 }],
  "u-net": [() => new models.UNet(), [1, 1, 8, 8], { columns, depth: 4 }],
  "u-net to depth 2": [() => new models.UNet(), [1, 1, 8, 8], { columns, depth: 2 }],
  "u-net to depth 1": [() => new models.UNet(), [1, 1, 8, 8], { columns, depth: 1 }],
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

onEveryBackend("nn.summary counts every parameter once", () => {
  const summaryOf = (model: nn.Module, shape: number[], options?: nn.SummaryOptions) => {
    const found = expectNoLeak(() => nn.summary(model, shape, options));
    const parameters = model.parameters();
    expect(found.totalParams).to.equal(parameters.reduce((sum, { size }) => sum + size, 0));
    expect(found.trainableParams).to.equal(found.totalParams);
    model.dispose();
    return found;
  };
  const pathsOf = ({ rows }: nn.ModelSummary): string[] => rows.map(({ path }) => path);

  it("in a model whose list is entered twice", () => {
    const { totalParams, rows } = summaryOf(new models.Interleaved(), [5, 2]);
    expect(totalParams).to.equal(26);
    expect(rows[0]).to.include({ numParams: 26, leftoverParams: 1, multAdds: 125 });
  });

  it("of a layer that two blocks share, which is listed in the block that calls it", () => {
    const found = summaryOf(new models.SharedAcross(), [1, 4]);
    const want = ["", "first", "first.0", "first.1", "second", "second.0", "second.1", "second.2"];
    expect(pathsOf(found)).to.deep.equal(want);
    expect(found.totalParams).to.equal(40);
    expect(found.rows.map(({ leftoverParams }) => leftoverParams)).to.deep.equal([
      0, 0, 20, 0, 0, 20, 0, 20,
    ]);
  });

  it("of a block whose child is called outside of it", () => {
    const found = summaryOf(new models.Aside(), [2, 4]);
    const [inner, child] = ["inner", "inner.0"];
    expect(pathsOf(found)).to.deep.equal([
      ...["", inner, child, "act", inner, child, "inner.1", "act", inner, child],
    ]);
    expect(found.totalParams).to.equal(20);
    expect(found.totalMultAdds).to.equal(120);
    expect(found.rows[4]).to.include({ isRecursive: false, leftoverParams: 0, multAdds: 40 });
  });

  it("of layers with one weight", () => {
    expect(summaryOf(new models.Tied(), [2, 3], { dtypes: ["int32"] }).totalParams).to.equal(20);
  });

  it("of lazy layers, which the run makes", () => {
    const model = new nn.Sequential(new nn.LazyLinear(3));
    const { rows, totalParams } = nn.summary(model, [2, 4]);
    model.dispose();
    expect(totalParams).to.equal(15);
    expect(rows[1]).to.include({ className: "Linear", numParams: 15 });
  });
});

onEveryBackend("nn.summary says what it needs", () => {
  const INPUT =
    "summary: needs what the model is to be run with: a shape with the batch, as [1, 3, 224, 224], " +
    "an array of shapes, a tensor or an array of tensors; sizes are integers above 0; got ";
  const WRONG: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [{ inputSize: [1, 2] }, "an object of Object class"],
    [3, "number 3"],
    [[], "[]"],
    [[10, -2], "[10, -2]"],
    [[[10, 2], 3], "[an array of 2, 3]"],
  ];
  for (const [input, got] of WRONG) {
    it(`for ${JSON.stringify(input)}`, () => {
      const model = mlp();
      expectNoLeak(() =>
        expect(() => nn.summary(model, input as number[])).to.throw(TypeError, INPUT + got),
      );
      model.dispose();
    });
  }

  it("and leaves nothing behind where the model refuses the shape", () => {
    const model = mlp();
    expectNoLeak(() => expect(() => nn.summary(model, [10, 3])).to.throw());
    model.dispose();
  });
});
