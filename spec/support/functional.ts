import * as tf from "@tensorflow/tfjs-core";
import { functional } from "../../lib/index.js";
import type { Tolerance } from "./backends.js";
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
  output: GoldenValue;
}

type Call = (...args: unknown[]) => tf.TensorContainer;

const functions = functional as unknown as Record<string, Call>;

/** Calls our function of that name, and compares what it gives and what it leaves behind. */
export function replay(
  golden: FunctionalCase,
  goldens: Goldens<FunctionalCase>,
  tolerance: Tolerance,
): void {
  const cases = new ModuleCases(goldens);
  const call = functions[camelCase(golden.function)]!;
  const args = golden.args.map((arg) => cases.decode(arg));
  const options = cases.options(golden.options);
  expectNoLeak(() => {
    const output = call(...args, ...options);
    cases.expectOutput(output, golden.output, tolerance);
    tf.dispose(output);
  });
  cases.dispose();
}
