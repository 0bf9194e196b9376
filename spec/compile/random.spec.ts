import * as tf from "@tensorflow/tfjs-core";
import { kernelsFor } from "../../lib/eager/index.js";
import { isInBody, setKernels } from "../../lib/functional/op.js";
import * as nn from "../../lib/index.js";
import { TOLERANCE } from "../support/backends.js";
import { fc } from "../support/fast-check.js";
import { inBrowser } from "../support/files.js";
import { check, checkOn } from "../support/random/check.js";

const recipes = fc.record({
  seed: fc.nat(1e6),
  steps: fc.array(fc.nat(1e4), { minLength: 1, maxLength: 9 }),
  threads: fc.constantFrom(1, 1, 2, 3),
  precision: fc.constantFrom<nn.Precision[]>("float32", "float16", "bfloat16", "int8"),
});

type Drawn = typeof recipes extends fc.Arbitrary<infer T> ? T : never;

/** How many models: more with `COMPILE_RUNS`, others with `SEED`. */
const GIVEN = process.env.COMPILE_RUNS;
const MOST_MS = GIVEN ? 3_600_000 : 20_000;

async function drawAndCheck(runs: number, test: (drawn: Drawn) => Promise<boolean>): Promise<void> {
  let compiled = 0;
  const property = fc.asyncProperty(recipes, async (drawn) => {
    tf.engine().startScope();
    try {
      compiled += Number(await test(drawn));
    } finally {
      tf.engine().endScope();
    }
  });
  const began = Date.now();
  const options = { numRuns: runs, interruptAfterTimeLimit: MOST_MS };
  const result = await fc.check(property, options);
  tf.disposeVariables();
  console.log(`\n${result.numRuns} models in ${Date.now() - began} ms, ${compiled} compiled, seed ${result.seed}`); // prettier-ignore
  if (result.failed) {
    const { message } = result.errorInstance as Error;
    throw new Error(`${fc.defaultReportMessage(result)}\n${message}`);
  }
}

describe("Random models", () => {
  before(async () => {
    await nn.setBackend("cpu");
    setKernels("cpu", null); // the bodies are the reference
  });
  after(() => setKernels("cpu", kernelsFor("cpu", isInBody)));

  const onCpu = Number(GIVEN ?? 120);
  it(`give the same eagerly, as a graph, and compiled (${onCpu} models)`, async function () {
    this.timeout(MOST_MS * 10);
    await drawAndCheck(onCpu, check);
  });

  const other = inBrowser ? "webgl" : "wasm";
  const few = Number(GIVEN ?? (inBrowser ? 15 : 40));
  it(`give the same compiled on ${other} (${few} models)`, async function () {
    this.timeout(MOST_MS * 10);
    await drawAndCheck(few, (drawn) => checkOn(other, TOLERANCE[other], drawn));
  });
});
