import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { onEveryBackend, type Tolerance } from "../support/backends.js";
import { expectTensor } from "../support/expect.js";
import { inNode } from "../support/files.js";
import { type GoldenCase, readGoldens } from "../support/goldens.js";
import { hasModule, ModuleCases } from "../support/module-cases.js";

/** Every case of PyTorch's own module suite, and ours: output, state, repr, no tensor left. */
const goldens = await readGoldens((inNode && process.env.GOLDENS) || "goldens/modules");

const cases = new ModuleCases(goldens);

function runCase(golden: GoldenCase, tolerance: Tolerance): void {
  const outer = tf.memory().numTensors;
  const { model, args, dispose } = cases.build(golden);
  expect(String(model), "repr").to.equal(golden.repr);

  const before = tf.memory().numTensors;
  const output: unknown = model(...args);
  cases.expectOutput(output, golden.output, tolerance);
  tf.dispose(output as tf.TensorContainer);
  expect(tf.memory().numTensors - before, "tensors left by forward").to.equal(0);

  const after = model.stateDict();
  for (const [key, { $tensor }] of Object.entries(golden.state_after ?? {})) {
    expectTensor(after.get(key)!, goldens.tensor($tensor), tolerance, `${key} afterwards`);
  }
  dispose();
  expect(tf.memory().numTensors - outer, "tensors left by the module").to.equal(0);
}

const modules = [...new Set(goldens.cases.map(({ module }) => module))];

onEveryBackend("PyTorch's module cases", (backend, tolerance) => {
  const results: Record<string, Set<string>> = { passed: new Set(), failed: new Set() };

  afterEach(function () {
    const test = this.currentTest!;
    results[test.isPassed() ? "passed" : "failed"]!.add(test.parent!.title);
  });

  after(() => {
    const failed = [...results.failed!];
    const passed = [...results.passed!].filter((module) => !failed.includes(module));
    const missing = modules.filter((module) => !hasModule(module));
    const list = (names: string[]): string => [names.length, ...names].join(" ");
    console.log(
      `\n${backend}: modules passed ${passed.length}; ` +
        `not yet supported ${list(missing)}; failed ${list(failed)}`,
    );
  });

  for (const module of modules) {
    describe(module, () => {
      for (const golden of goldens.cases.filter((one) => one.module === module)) {
        // A module that we do not have yet shows as pending, with its name.
        const test = hasModule(module) ? () => runCase(golden, tolerance) : undefined;
        it(golden.id, test);
      }
    });
  }
});
