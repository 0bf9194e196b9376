import * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../arguments.js";
import * as random from "../random/index.js";
import type { Module } from "./module.js";
import { bytesOf, isTensor, times } from "./summary-measure.js";
import { listCalls, type ModelSummary, type SummaryRow } from "./summary-rows.js";
import { checkColumns, printSummary, type SummaryColumn } from "./summary-table.js";

/** Inputs by name, as an exported program takes keyword arguments. */
export type NamedInputs = Readonly<Record<string, unknown>>;

/**
 * The inputs to run a model with: a shape, several shapes, or tensors. The last of several inputs,
 * or the only one, may be an object of named tensors.
 */
export type SummaryInput =
  | readonly number[]
  | readonly (readonly number[])[]
  | tf.Tensor
  | tf.Tensor[]
  | NamedInputs
  | readonly [...tf.Tensor[], NamedInputs];

export interface SummaryOptions {
  /** dtypes of the inputs that are given as shapes. Default: all `float32`. */
  dtypes?: readonly ("float32" | "int32" | "bool")[];
  /** How many levels of the model are listed. Default: 3. */
  depth?: number;
  /** Default: `["outputSize", "numParams", "multAdds"]`; there is `inputSize` too. */
  columns?: readonly SummaryColumn[];
}

/**
 * Runs the model once and lists its layers with output shapes, parameters, multiply-adds and
 * memory, in torchinfo's layout: `console.log(String(nn.summary(model, [1, 3, 224, 224])))`.
 *
 * @see https://github.com/TylerYep/torchinfo
 */
export function summary(
  model: Module,
  input: SummaryInput,
  options?: SummaryOptions,
): ModelSummary {
  const { dtypes, depth, columns } = readOptions<Required<SummaryOptions>>(
    "summary",
    { dtypes: [], depth: 3, columns: ["outputSize", "numParams", "multAdds"] },
    options,
  );
  checkColumns(columns);
  const inputs = makeInputs(input, dtypes);
  try {
    const rows = listCalls(model, inputs.given);
    const tensors = inputs.given.flatMap((one) => (isTensor(one) ? [one] : tensorsOf(one)));
    const inputBytes = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    const totals = { rows, inputBytes, ...addUp(rows) };
    return { ...totals, toString: () => printSummary(totals, depth, columns) };
  } finally {
    if (inputs.own) tf.dispose(inputs.given as tf.Tensor[]);
  }
}

function makeInputs(
  input: SummaryInput,
  dtypes: readonly ("float32" | "int32" | "bool")[],
): { given: unknown[]; own: boolean } {
  if (input instanceof tf.Tensor || isNamed(input)) return { given: [input], own: false };
  if (Array.isArray(input) && input.length > 0) {
    const given = [...(input as readonly unknown[])];
    const last = given.at(-1);
    const isGiven = (isTensor(last) || isNamed(last)) && given.slice(0, -1).every(isTensor);
    if (isGiven) return { given, own: false };
  }
  const shapes = isShape(input) && input.length > 0 ? [input] : input;
  if (!isArrayOf(isShape, shapes)) {
    const got = Array.isArray(input)
      ? `[${input.map((item) => (typeof item === "number" ? item : describe(item))).join(", ")}]`
      : describe(input);
    throw new TypeError(
      "summary: needs what the model is to be run with: a shape with the batch, as [1, 3, 224, 224], " +
        `an array of shapes, a tensor or an array of tensors; sizes are integers above 0; got ${got}`,
    );
  }
  const generator = new random.Generator();
  const tensors = shapes.map((shape, i) =>
    tf.tidy(() => {
      const values = tf.tensor(random.rand(times(shape), { generator }), [...shape]);
      return tf.cast(values, dtypes[i] ?? "float32");
    }),
  );
  return { given: tensors, own: true };
}

/** Whether a value is an object with tensors among its values. */
const isNamed = (value: unknown): value is NamedInputs =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isTensor(value) && tensorsOf(value).length > 0; // prettier-ignore

const tensorsOf = (value: unknown): tf.Tensor[] =>
  typeof value === "object" && value !== null ? Object.values(value).filter(isTensor) : [];

type Shape = readonly number[];

const isShape = (value: unknown): value is Shape =>
  Array.isArray(value) && value.every((size) => Number.isInteger(size) && size > 0);

const isArrayOf = <T>(is: (item: unknown) => item is T, value: unknown): value is T[] =>
  Array.isArray(value) && value.length > 0 && value.every(is);

/**
 * The first row is the model itself, which counts every parameter once, as `model.parameters()`
 * does.
 */
function addUp(
  rows: readonly SummaryRow[],
): Omit<ModelSummary, "rows" | "inputBytes" | "toString"> {
  const { numParams, trainableParams, multAdds } = rows[0]!;
  const leaves = rows.filter(({ isLeaf }) => isLeaf);
  const sum = (list: readonly SummaryRow[], value: (row: SummaryRow) => number): number =>
    list.reduce((total, row) => total + value(row), 0);
  return {
    totalParams: numParams,
    trainableParams,
    totalMultAdds: multAdds,
    outputBytes: sum(leaves, (row) => (row.numParams > 0 ? 2 * row.outputBytes : 0)),
    paramBytes: sum(
      leaves.filter(({ isRecursive }) => !isRecursive),
      (row) => row.paramBytes,
    ),
  };
}
