import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { functional } from "../../lib/index.js";
import type { Tolerance } from "./backends.js";
import { expectNoLeak, expectTensor } from "./expect.js";
import { camelCase, type Goldens, type GoldenValue } from "./goldens.js";

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

/** Calls our function of that name, and compares what it gives and what it leaves behind. */
export function replay(
  golden: FunctionalCase,
  goldens: Goldens<FunctionalCase>,
  tolerance: Tolerance,
): void {
  const decode = (value: GoldenValue): unknown => {
    if (Array.isArray(value)) return value.map(decode);
    if (typeof value !== "object" || value === null) return value;
    if ("$inf" in value) return value.$inf * Infinity;
    if (!("$tensor" in value)) throw new Error(`${golden.id}: unexpected value`);
    const { values, shape, dtype } = goldens.tensor(value.$tensor);
    return tf.tensor(values, shape, dtype as tf.DataType);
  };
  const compare = (got: unknown, want: GoldenValue, what: string): void => {
    if (Array.isArray(want)) {
      expect(got, what).to.be.an("array").with.lengthOf(want.length);
      want.forEach((one, i) => compare((got as unknown[])[i], one, `${what}[${i}]`));
    } else if (want !== null && typeof want === "object" && "$tensor" in want) {
      expectTensor(got as tf.Tensor, goldens.tensor(want.$tensor), tolerance, what);
    } else {
      expect(got, what).to.equal(want);
    }
  };
  const call = (functional as unknown as Record<string, Call>)[camelCase(golden.function)]!;
  const args = golden.args.map(decode);
  const entries = Object.entries(golden.options).map(([name, value]) => [name, decode(value)]);
  const options = Object.fromEntries(
    entries.map(([name, value]) => [camelCase(name as string), value]),
  ) as Record<string, unknown>;
  expectNoLeak(() => {
    const output = call(...args, options);
    compare(output, golden.output, "output");
    tf.dispose(output);
  });
  tf.dispose([args, options] as tf.TensorContainer);
}
