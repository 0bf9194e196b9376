import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import type { Graph } from "../../lib/graph/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { inBrowser } from "../support/files.js";
import { readGoldens } from "../support/goldens.js";
import { runGraph } from "../support/graphs.js";
import { onEveryModule, writesBuffers } from "../support/module-cases.js";

const targets = (graph: Graph): string[] =>
  graph.nodes.filter(({ kind }) => kind === "call_function").map(({ target }) => target);

describe("trace", () => {
  it("records ops of functional as single nodes, with the keys of the state_dict", () => {
    const model = new nn.Sequential(new nn.Linear(2, 4), new nn.Sigmoid(), new nn.LayerNorm(4));
    const x = tf.zeros([1, 2]);
    const graph = expectNoLeak(() => nn.trace(model, x));
    expect(String(graph)).to.equal(
      [
        "graph():",
        "    %input : [num_users=1] = placeholder[target=input]",
        "    %_0_weight : [num_users=1] = get_attr[target=0.weight]",
        "    %_0_bias : [num_users=1] = get_attr[target=0.bias]",
        "    %linear : [num_users=1] = call_function[target=linear](args = (%input, %_0_weight, {bias: %_0_bias}), kwargs = {})",
        "    %sigmoid : [num_users=1] = call_function[target=sigmoid](args = (%linear,), kwargs = {})",
        "    %_2_weight : [num_users=1] = get_attr[target=2.weight]",
        "    %_2_bias : [num_users=1] = get_attr[target=2.bias]",
        "    %layer_norm : [num_users=1] = call_function[target=layer_norm](args = (%sigmoid, [4], {weight: %_2_weight, bias: %_2_bias, eps: 0.00001}), kwargs = {})",
        "    return layer_norm",
      ].join("\n"),
    );
    const linear = graph.nodes.find(({ target }) => target === "linear")!;
    expect(linear.meta).to.deep.equal({
      value: { shape: [1, 4], dtype: "float32" },
      module: "0",
      moduleType: "Linear",
    });
    expect(graph.toMermaid()).to.contain("linear --> sigmoid").and.contain('["0"]');
    model.dispose();
    x.dispose();
  });

  it("names the model's layers where forward puts them into another module", () => {
    class Wrapping extends nn.Module {
      fc = new nn.Linear(2, 2);
      act = new nn.ReLU();
      override forward(x: tf.Tensor): tf.Tensor {
        return this.fc(new nn.Sequential(this.fc, this.act, new nn.Tanh())(x));
      }
    }
    const { nodes } = nn.trace(new Wrapping(), tf.zeros([1, 2]));
    const calls = nodes.filter(({ kind }) => kind === "call_function");
    expect(calls.map(({ target, meta }) => [target, meta.module])).to.deep.equal([
      ["linear", "fc"],
      ["relu", "act"],
      ["tanh", ""],
      ["linear", "fc"],
    ]);
  });

  it("records raw tfjs calls as kernels, and other tensors as constants", () => {
    const two = tf.scalar(2);
    const graph = nn.trace((x: tf.Tensor) => tf.mul(tf.softmax(x), two), tf.zeros([3]));
    expect(targets(graph)).to.deep.equal(["tfjs.Softmax", "tfjs.Multiply"]);
    expect([...graph.constants.values()][0]!.values).to.deep.equal(new Float32Array([2]));
    two.dispose();
  });

  it("gives no constant the name of a buffer", async () => {
    class Model extends nn.Module {
      readonly _tensor_constant1 = new nn.Buffer([10, 20]);
      readonly _folded_constant0 = new nn.Buffer([30, 40]);
      override forward(x: tf.Tensor): tf.Tensor {
        const y = tf.mul(tf.add(x, tf.tensor1d([1, 2])), tf.tensor1d([3, 4]));
        const folded = tf.exp(tf.tensor1d([0, 0]));
        return tf.add(tf.add(y, folded), tf.mul(this._tensor_constant1, this._folded_constant0));
      }
    }
    await nn.setBackend("cpu");
    const model = new Model();
    const x = tf.zeros([2]);
    const fast = await nn.compile(model, x);
    for (const run of [model, fast]) expect([...run(x).dataSync()]).to.deep.equal([304, 809]);
    fast.dispose();
    model.dispose();
    x.dispose();
  });

  it("takes nested arguments and results, and a tensor that comes twice once", () => {
    const model = (x: tf.Tensor, [h, c]: tf.Tensor[], { scale }: { scale: tf.Tensor }): object => ({
      sum: tf.add(x, h!),
      rest: [tf.mul(c!, scale), null],
    });
    const x = tf.ones([2]);
    const graph = nn.trace(model, [x, [x, tf.ones([2])], { scale: tf.scalar(3) }]);
    expect(graph.placeholders).to.have.lengthOf(3);
    expect(String(graph)).to.contain("return {sum: add, rest: (multiply, None)}");
  });

  it("refuses what a trace cannot follow, with a sentence", () => {
    const x = tf.ones([2]);
    const weight = new nn.Parameter(tf.ones([2]));
    const scaled = new (class extends nn.Module {
      readonly weight = weight;
      override forward(input: tf.Tensor): tf.Tensor {
        return tf.mul(input, this.weight.dataSync()[0]!);
      }
    })();
    const branch = (input: tf.Tensor): tf.Tensor =>
      tf.sum(input).arraySync() === 2 ? input : tf.neg(input);
    expect(() => nn.trace(branch, x)).to.throw(nn.TraceError, "reads the values of a tensor");
    expect(() => nn.trace(scaled, x)).to.throw(nn.TraceError, "reads the values of a tensor");
    const noise = (input: tf.Tensor): tf.Tensor => tf.add(input, tf.randomNormal([2]));
    expect(() => nn.trace(noise, x)).to.throw(nn.TraceError, "draws random numbers");
    const seeded = (input: tf.Tensor): tf.Tensor => tf.add(input, nn.randn(2));
    expect(() => nn.trace(seeded, x)).to.throw(nn.TraceError, "draws random numbers");
    expect(() => nn.trace(scaled, [new Date()])).to.throw(nn.TraceError, "cannot be traced");
    expect(x.dataSync()).to.deep.equal(new Float32Array([1, 1])); // nothing stays patched
    scaled.dispose();
  });

  it("refuses also what forward does about being refused", () => {
    const x = tf.ones([2]);
    const careful = (read: (x: tf.Tensor) => unknown) => (input: tf.Tensor) => {
      try {
        read(input);
        return tf.neg(input);
      } catch {
        return input;
      }
    };
    expect(() => nn.trace(careful((y) => y.dataSync()), x)).to.throw(nn.TraceError, "reads the values"); // prettier-ignore
    expect(() =>
      nn.trace(
        careful(() => Math.random()),
        x,
      ),
    ).to.throw(nn.TraceError, "draws random");
    expect(() =>
      nn.trace(
        careful((y) => tf.keep(tf.neg(y))),
        x,
      ),
    ).to.throw(nn.TraceError, "keeps");
    expect(
      nn.trace(
        careful((y) => y.shape),
        x,
      ).nodes,
    ).to.have.lengthOf(3);
  });

  it("lets a forward read what depends on no input", () => {
    const graph = nn.trace(
      (x: tf.Tensor) => tf.mul(x, tf.range(0, 3).dataSync()[2]!),
      tf.ones([2]),
    );
    expect([...graph.constants.values()].map(({ values }) => values[0])).to.deep.equal([2]);
  });
});

const goldens = await readGoldens("goldens/modules");

// On webgl the optimised graphs of the same cases are interpreted: see passes.spec.ts.
if (!inBrowser) {
  onEveryBackend("The interpreted graph of PyTorch's module cases", (_, tolerance) => {
    onEveryModule(goldens, tolerance, ({ model, args }, golden) => {
      if (!writesBuffers(golden)) return runGraph(nn.trace(model, args), model, args);
      expect(() => nn.trace(model, args)).to.throw(nn.TraceError, "forward writes to");
      return model(...args);
    });
  });
}
