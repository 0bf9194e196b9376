import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { functional, manualSeed } from "../../lib/index.js";
import type { Tolerance } from "./backends.js";
import { saysTheSame } from "./error-text.js";
import { expectNoLeak } from "./expect.js";
import { camelCase, type Goldens, type GoldenValue } from "./goldens.js";
import { ModuleCases } from "./module-cases.js";

/** A call of one of torch.nn.functional's functions, and what PyTorch gave. */
export interface FunctionalCase {
  id: string;
  /** PyTorch's name. */
  function: string;
  args: GoldenValue[];
  options: Record<string, GoldenValue>;
  /** What `torch.manual_seed` was given before the call. */
  seed?: number;
  output?: GoldenValue;
  /** What PyTorch says instead of giving an output. */
  error?: string;
}

type Call = (...args: unknown[]) => tf.TensorContainer;

const functions = functional as unknown as Record<string, Call | undefined>;

/** What is said of bad input, and not what JavaScript says where nobody checked it. */
const NO_CRASH = /^(?!.*(Cannot (read|destructure)|is not (a function|iterable|defined)))/;

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

/**
 * Calls our function of that name, and compares what it gives, or that it refuses, and what it
 * leaves behind.
 */
export function replay(
  golden: FunctionalCase,
  goldens: Goldens<FunctionalCase>,
  tolerance: Tolerance,
): void {
  const cases = new ModuleCases(goldens);
  const call = functions[camelCase(golden.function)];
  if (call === undefined) throw new Error(`there is no function ${golden.function}`);
  const args = golden.args.map((arg) => cases.decode(arg));
  const options = cases.options(golden.options);
  expectNoLeak(() => {
    if (golden.error !== undefined) {
      const ours = messageOf(() => call(...args, ...options));
      expect(ours, golden.error).to.match(NO_CRASH);
      expect(saysTheSame(golden.error, ours), `PyTorch: ${golden.error}\nours: ${ours}`).to.be.true;
      return;
    }
    if (golden.seed !== undefined) manualSeed(golden.seed);
    const output = call(...args, ...options);
    cases.expectOutput(output, golden.output!, tolerance);
    tf.dispose(output);
  });
  cases.dispose();
}
