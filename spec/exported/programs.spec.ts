import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { expectLike, inputsOf, readCases, readProgram, readValues } from "./support.js";

const NAMES = [
  ...["mlp", "dynamic", "cnn", "cnn-train", "cnn-core", "views", "structures", "classes", "cond"],
  ...[
    "while-loop",
    "recurrent",
    "constants",
    "halves",
    "counter",
    "counter-core",
    "shapes",
    "same",
    "rounded",
    "integers",
    "spectral",
    "renamed",
    "solved-core",
    "mapped",
    "grouped",
    "trained",
    "trained-core",
    "detected",
    "windowed",
    "vmapped",
    "tied",
    "keyed",
    "rowless",
    "kept",
    "kept-core",
    "checked",
  ],
];

describe("exported programs of PyTorch", () => {
  let cases: Awaited<ReturnType<typeof readCases>>;
  let values: Awaited<ReturnType<typeof readValues>>;
  before(async () => {
    cases = await readCases();
    values = await readValues();
  });

  onEveryBackend("run", (_backend, tolerance) => {
    for (const name of NAMES) {
      it(name, async () => {
        const before = tf.memory().numTensors;
        const program = await nn.loadExported(await readProgram(name));
        for (const call of cases[name]!.calls) {
          const inputs = inputsOf(call, values);
          const output = expectNoLeakBut(() => program(...inputs));
          expectLike(output, call.output, values, tolerance);
          tf.dispose([inputs, output] as tf.TensorContainer);
        }
        const after = cases[name]!.state_after;
        if (after !== null) {
          const state = Object.fromEntries(program.stateDict());
          expectLike(state, after, values, tolerance, "state");
        }
        program.dispose();
        expect(tf.memory().numTensors).to.equal(before);
      });
    }
  });

  // These read a condition back, keep as many boxes as values say, or write to their buffers.
  const EAGER = [
    ...["cond", "detected"],
    ...["cnn-train", "counter", "counter-core", "trained", "trained-core", "kept", "kept-core"],
  ];
  onEveryBackend("compiled", (_backend, tolerance) => {
    for (const name of NAMES) {
      it(name, async () => {
        const before = tf.memory().numTensors;
        const { calls, state_after: after } = cases[name]!;
        const program = await nn.loadExported(await readProgram(name));
        const example = inputsOf(calls[0]!, values);
        const fast = await nn.compile(program, example);
        tf.dispose(example as tf.TensorContainer);
        expect(fast.graph === null, String(fast.explain())).to.equal(EAGER.includes(name));
        for (const call of calls) {
          const inputs = inputsOf(call, values);
          const output = fast(...inputs);
          expectLike(output, call.output, values, tolerance);
          tf.dispose([inputs, output] as tf.TensorContainer);
        }
        if (after !== null) {
          const state = Object.fromEntries(program.stateDict());
          expectLike(state, after, values, tolerance, "state");
        }
        fast.dispose();
        program.dispose();
        expect(tf.memory().numTensors).to.equal(before);
      });
    }
  });

  for (const name of NAMES) {
    describe(name, () => {
      let program: nn.ExportedProgram;
      before(async () => {
        program = await nn.loadExported(await readProgram(name));
      });
      after(() => program.dispose());

      it("prints its graph as torch.fx", () => {
        expect(program.graph.print()).to.equal(cases[name]!.graph);
      });

      it("prints as PyTorch's program", () => {
        // What torch.compile notes beside its own nodes is not kept.
        const want = cases[name]!.text.replace(/# Annotation: \{.*?\} /g, "# ");
        expect(String(program)).to.equal(want);
      });

      it("has the keys of the model's state_dict", () => {
        expect([...program.stateDict().keys()]).to.deep.equal(cases[name]!.keys);
      });

      it("refuses what PyTorch refuses, in its words", () => {
        for (const bad of cases[name]!.errors) {
          const inputs = inputsOf(bad, values);
          expect(() => expectNoLeak(() => program(...inputs))).to.throw(bad.message);
          tf.dispose(inputs as tf.TensorContainer);
        }
      });
    });
  }
});

/** Nothing is left but the tensors of the result. */
function expectNoLeakBut(run: () => unknown): unknown {
  const before = tf.memory().numTensors;
  const result = run();
  const own = new Set<tf.Tensor>();
  const collect = (value: unknown): void => {
    if (value instanceof tf.Tensor) own.add(value as tf.Tensor);
    else if (value !== null && typeof value === "object") Object.values(value).forEach(collect);
  };
  collect(result);
  expect(tf.memory().numTensors - before, "tensors left behind").to.equal(own.size);
  return result;
}
