import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend, type Tolerance } from "../support/backends.js";
import { expectTensor } from "../support/expect.js";
import { camelCase, type GoldenCase, type GoldenConstruct } from "../support/goldens.js";
import { inNode } from "../support/files.js";
import { type GoldenValue, readGoldens } from "../support/goldens.js";

/** Every case of PyTorch's own module suite, and ours: output, state, repr, no tensor left. */
const goldens = await readGoldens((inNode && process.env.GOLDENS) || "goldens/modules");

type Constructor = new (...args: unknown[]) => nn.Module;
const classes = nn as unknown as Record<string, Constructor | undefined>;
const functions = nn.functional as unknown as Record<string, unknown>;

function toTensor(key: string): tf.Tensor {
  const { values, shape, dtype } = goldens.tensor(key);
  return tf.tensor(values, shape, dtype as tf.DataType);
}

function decode(value: GoldenValue): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  if ("$tensor" in value) return toTensor(value.$tensor);
  if ("$module" in value) return construct(value.$module);
  if ("$function" in value) return functions[camelCase(value.$function)];
  return value.$inf * Infinity;
}

function decodeOptions(options: Record<string, GoldenValue>): Record<string, unknown>[] {
  const entries = Object.entries(options);
  if (entries.length === 0) return [];
  return [Object.fromEntries(entries.map(([name, value]) => [camelCase(name), decode(value)]))];
}

function construct({ module, args, options }: GoldenConstruct): nn.Module {
  return new classes[module]!(...args.map(decode), ...decodeOptions(options));
}

function expectOutput(got: unknown, want: GoldenValue, tolerance: Tolerance, what: string): void {
  if (Array.isArray(want)) {
    expect(got, what).to.be.an("array").with.lengthOf(want.length);
    want.forEach((w, i) => expectOutput((got as unknown[])[i], w, tolerance, `${what}[${i}]`));
  } else if (want !== null && typeof want === "object" && "$tensor" in want) {
    expectTensor(got as tf.Tensor, goldens.tensor(want.$tensor), tolerance, what);
  } else {
    expect(got, what).to.equal(want);
  }
}

function runCase(golden: GoldenCase, tolerance: Tolerance): void {
  const outer = tf.memory().numTensors;
  const model = construct(golden).train(golden.training);
  const keys = Object.entries(golden.state);
  const state = keys.map(([key, { $tensor }]) => [key, toTensor($tensor)] as const);
  model.loadStateDict(new Map(state));
  expect(String(model), "repr").to.equal(golden.repr);
  const inputs = golden.inputs.map(decode);
  const options = decodeOptions(golden.forward_options);

  const before = tf.memory().numTensors;
  const output: unknown = model(...inputs, ...options);
  expectOutput(output, golden.output, tolerance, "output");
  tf.dispose(output as tf.TensorContainer);
  expect(tf.memory().numTensors - before, "tensors left by forward").to.equal(0);

  const after = model.stateDict();
  for (const [key, { $tensor }] of Object.entries(golden.state_after ?? {})) {
    expectTensor(after.get(key)!, goldens.tensor($tensor), tolerance, `${key} afterwards`);
  }
  model.dispose();
  tf.dispose([state.map(([, tensor]) => tensor), inputs, options] as tf.TensorContainer);
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
    const missing = modules.filter((module) => !classes[module]);
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
        const test = classes[module] ? () => runCase(golden, tolerance) : undefined;
        it(golden.id, test);
      }
    });
  }
});
