import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { Graph } from "../../lib/graph/index.js";
import type { Tolerance } from "./backends.js";
import { expectTensor } from "./expect.js";
import type { Goldens } from "./goldens.js";

export type AtenValue =
  | null
  | boolean
  | number
  | string
  | AtenValue[]
  | { $tensor: string }
  | { $complex: string }
  | { $number: string }
  | { $torch: string };

/** A call of an ATen op, and what PyTorch gave. */
export interface AtenCase {
  target: string;
  args: AtenValue[];
  kwargs: Record<string, AtenValue>;
  output: AtenValue;
  /** PyTorch's dtypes of the results. */
  dtypes: (string | null)[];
}

type Complex = { re: tf.Tensor; im: tf.Tensor };

const NUMBERS: Record<string, number> = { inf: Infinity, "-inf": -Infinity, nan: NaN };

function decode(value: AtenValue, goldens: Goldens<AtenCase>): unknown {
  if (Array.isArray(value)) return value.map((one) => decode(one, goldens));
  if (typeof value !== "object" || value === null) return value;
  if ("$number" in value) return NUMBERS[value.$number];
  if ("$torch" in value) return value.$torch;
  const isComplex = "$complex" in value;
  const golden = goldens.tensor(isComplex ? value.$complex : value.$tensor);
  const tensor = tf.tensor(golden.values, golden.shape, golden.dtype as tf.DataType);
  if (!isComplex) return tensor;
  const [re, im] = tensor.size
    ? tf.unstack(tensor, -1)
    : [0, 1].map(() => tf.zeros(golden.shape.slice(0, -1)));
  return { re, im };
}

function compare(
  got: unknown,
  want: AtenValue,
  goldens: Goldens<AtenCase>,
  tolerance: Tolerance,
  what: string,
): void {
  if (want === null) return; // nobody reads it, or it may differ
  if (Array.isArray(want)) {
    expect(got, what).to.be.an("array").with.lengthOf(want.length);
    want.forEach((one, i) => {
      compare((got as unknown[])[i], one, goldens, tolerance, `${what}[${i}]`);
    });
  } else if (want !== null && typeof want === "object" && "$tensor" in want) {
    const golden = goldens.tensor(want.$tensor);
    expect(got, what).to.be.instanceOf(tf.Tensor);
    expectTensor(got as tf.Tensor, golden, tolerance, what);
    expect((got as tf.Tensor).dtype, `${what}: dtype`).to.equal(golden.dtype);
  } else if (want !== null && typeof want === "object" && "$complex" in want) {
    const pairs = tf.stack([(got as Complex).re, (got as Complex).im], -1);
    expectTensor(pairs, goldens.tensor(want.$complex), tolerance, what);
  } else {
    expect(got, what).to.deep.equal(decode(want, goldens));
  }
}

/** Calls the op as the interpreter does, and compares what it gives. */
export function replayAten(
  golden: AtenCase,
  goldens: Goldens<AtenCase>,
  tolerance: Tolerance,
): void {
  const op = lookUpOp(golden.target);
  if (op === undefined) throw new Error(`no op ${golden.target}`);
  tf.tidy(() => {
    const args = golden.args.map((one) => decode(one, goldens));
    const kwargs = Object.fromEntries(
      Object.entries(golden.kwargs).map(([name, one]) => [name, decode(one, goldens)]),
    );
    const outputs = golden.dtypes.map((dtype) => dtype && { dtype, shape: [] });
    const node = new Graph().add("call_function", golden.target);
    const result = op(args, kwargs, { node, outputs: outputs as never, inputs: [] });
    compare(result, golden.output, goldens, tolerance, "output");
  });
}
