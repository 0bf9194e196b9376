import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { dropKernels, useKernels } from "../../lib/eager/index.js";
import * as nn from "../../lib/index.js";
import { check } from "../support/random/check.js";

const recipes = fc.record({
  seed: fc.nat(1e6),
  steps: fc.array(fc.nat(1e4), { minLength: 1, maxLength: 9 }),
  threads: fc.constantFrom(1, 1, 2, 3),
  precision: fc.constantFrom<nn.Precision[]>("float32", "float16", "bfloat16", "int8"),
});

/** How many models, and for how long at most; more with `COMPILE_RUNS`. */
const RUNS = Number(globalThis.process?.env?.COMPILE_RUNS ?? 120);
const SEED = globalThis.process?.env?.SEED ? { seed: Number(process.env.SEED) } : {};
const MOST_MS = RUNS > 120 ? 3_600_000 : 20_000;

describe("Random models", () => {
  before(async () => {
    await nn.setBackend("cpu");
    dropKernels("cpu"); // the bodies are the reference
  });
  after(() => useKernels("cpu"));

  it(`give the same eagerly, as a graph, and compiled (${RUNS} models)`, async function () {
    this.timeout(MOST_MS * 10);
    let compiled = 0;
    const property = fc.asyncProperty(recipes, async (recipe) => {
      tf.engine().startScope();
      try {
        compiled += Number(await check(recipe));
      } finally {
        tf.engine().endScope();
      }
    });
    const began = Date.now();
    const result = await fc.check(property, {
      numRuns: RUNS,
      interruptAfterTimeLimit: MOST_MS,
      ...SEED,
    });
    tf.disposeVariables();
    console.log(`\n${result.numRuns} models in ${Date.now() - began} ms, ${compiled} compiled, seed ${result.seed}`); // prettier-ignore
    if (result.failed) {
      const { message } = result.errorInstance as Error;
      throw new Error(`${fc.defaultReportMessage(result)}\n${message}`);
    }
  });
});
