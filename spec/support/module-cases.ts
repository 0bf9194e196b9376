import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import type { Tolerance } from "./backends.js";
import { expectTensor } from "./expect.js";
import {
  camelCase,
  type GoldenCase,
  type GoldenConstruct,
  type Goldens,
  type GoldenValue,
} from "./goldens.js";

type Constructor = new (...args: unknown[]) => nn.Module;
const classes = nn as unknown as Record<string, Constructor | undefined>;
const functions = nn.functional as unknown as Record<string, unknown>;

export const hasModule = (name: string): boolean => classes[name] !== undefined;

/** A case of PyTorch's module suite, built and ready to be called. */
export interface BuiltCase {
  model: nn.Module;
  /** What the model is called with, its options last. */
  args: unknown[];
  dispose(): void;
}

/** Builds modules and inputs from goldens, and compares outputs with them. */
export class ModuleCases {
  private readonly made: tf.Tensor[] = [];

  constructor(private readonly goldens: Pick<Goldens, "tensor">) {}

  decode(value: GoldenValue): unknown {
    if (Array.isArray(value)) return value.map((one) => this.decode(one));
    if (typeof value !== "object" || value === null) return value;
    if ("$tensor" in value) return this.tensor(value.$tensor);
    if ("$module" in value) return this.construct(value.$module);
    if ("$function" in value) return functions[camelCase(value.$function)];
    if ("$nan" in value) return NaN;
    return value.$inf * Infinity;
  }

  construct({ module, args, options }: GoldenConstruct): nn.Module {
    const positional = args.map((arg) => this.decode(arg));
    return new classes[module]!(...positional, ...this.options(options));
  }

  build(golden: GoldenCase): BuiltCase {
    const model = this.construct(golden).train(golden.training);
    const keys = Object.entries(golden.state);
    const state = keys.map(([key, { $tensor }]) => [key, this.tensor($tensor)] as const);
    model.loadStateDict(new Map(state));
    const inputs = golden.inputs.map((input) => this.decode(input));
    const options = this.options(golden.forward_options);
    return {
      model,
      args: [...inputs, ...options],
      dispose: () => {
        model.dispose();
        this.dispose();
      },
    };
  }

  expectOutput(got: unknown, want: GoldenValue, tolerance: Tolerance, what = "output"): void {
    if (Array.isArray(want)) {
      expect(got, what).to.be.an("array").with.lengthOf(want.length);
      const list = got as unknown[];
      want.forEach((w, i) => this.expectOutput(list[i], w, tolerance, `${what}[${i}]`));
    } else if (want !== null && typeof want === "object" && "$tensor" in want) {
      expectTensor(got as tf.Tensor, this.goldens.tensor(want.$tensor), tolerance, what);
    } else {
      expect(got, what).to.equal(want);
    }
  }

  options(options: Record<string, GoldenValue>): Record<string, unknown>[] {
    const entries = Object.entries(options);
    if (entries.length === 0) return [];
    const decoded = entries.map(([name, value]) => [camelCase(name), this.decode(value)]);
    return [Object.fromEntries(decoded) as Record<string, unknown>];
  }

  private tensor(key: string): tf.Tensor {
    const { values, shape, dtype } = this.goldens.tensor(key);
    const tensor = tf.tensor(values, shape, dtype as tf.DataType);
    this.made.push(tensor);
    return tensor;
  }

  /** Frees what was decoded. */
  dispose(): void {
    tf.dispose(this.made.splice(0));
  }
}

/** Whether a call updates running statistics, which no trace can follow. */
export const writesBuffers = ({ training, state }: GoldenCase): boolean =>
  training && "num_batches_tracked" in state;

/**
 * Declares a spec for each module that there is: it builds each of its cases, and what `call` gives
 * must be what PyTorch gave, with no tensor left of it.
 */
export function onEveryModule(
  goldens: Goldens,
  tolerance: Tolerance,
  call: (built: BuiltCase, golden: GoldenCase) => unknown,
  how = "",
): void {
  const cases = new ModuleCases(goldens);
  for (const module of new Set(goldens.cases.map((golden) => golden.module))) {
    if (!hasModule(module)) continue;
    it(`${module} ${how && `${how} `}gives what eager gives`, async () => {
      for (const golden of goldens.cases.filter((one) => one.module === module)) {
        const outer = tf.memory().numTensors;
        const built = cases.build(golden);
        const output = await call(built, golden);
        cases.expectOutput(output, golden.output, tolerance, golden.id);
        tf.dispose(output as tf.TensorContainer);
        built.dispose();
        expect(tf.memory().numTensors - outer, `${golden.id}: tensors left`).to.equal(0);
      }
    });
  }
}

/** These print numbers as they were given, 2 or 2.0: for JSON and JavaScript the same. */
const PRINT_AS_GIVEN = ["Softplus"];

function expectRepr(model: nn.Module, { module, options, repr }: GoldenCase): void {
  const given = PRINT_AS_GIVEN.includes(module) ? Object.keys(options).join("|") : "";
  const whole = given && new RegExp(`(?<=\\b(${given})=-?\\d+)\\.0\\b`, "g");
  expect(String(model).replace(whole, ""), "repr").to.equal(repr.replace(whole, ""));
}

/** Runs one case: repr, output, state afterwards, and no tensor left of any of it. */
export function runCase(golden: GoldenCase, goldens: Goldens, tolerance: Tolerance): void {
  const outer = tf.memory().numTensors;
  const cases = new ModuleCases(goldens);
  const { model, args, dispose } = cases.build(golden);
  expectRepr(model, golden);

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
