import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as random from "../random/index.js";
import type { Module } from "./module.js";
import { leftover, type ModelSummary, type SummaryRow } from "./summary-rows.js";
import { checkColumns, printSummary, type SummaryColumn } from "./summary-table.js";
import { presentChildren } from "./walk.js";

/** What a model is to be run with: a shape, several of them, or tensors. */
export type SummaryInput =
  readonly number[] | readonly (readonly number[])[] | tf.Tensor | tf.Tensor[];

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
  const rows = runWithHooks(model, inputs.tensors);
  const inputBytes = inputs.tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  if (inputs.own) tf.dispose(inputs.tensors);
  const totals = { rows, inputBytes, ...addUp(rows) };
  return { ...totals, toString: () => printSummary(totals, depth, columns) };
}

const times = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const bytesOf = (tensor: tf.Tensor): number => tensor.size * (tensor.dtype === "bool" ? 1 : 4);

function makeInputs(
  input: SummaryInput,
  dtypes: readonly ("float32" | "int32" | "bool")[],
): { tensors: tf.Tensor[]; own: boolean } {
  if (input instanceof tf.Tensor) return { tensors: [input], own: false };
  if (input[0] instanceof tf.Tensor) return { tensors: input as tf.Tensor[], own: false };
  const nested = Array.isArray(input[0]);
  const shapes = (nested ? input : [input]) as readonly (readonly number[])[];
  const generator = new random.Generator();
  const tensors = shapes.map((shape, i) =>
    tf.tidy(() => {
      const values = tf.tensor(random.rand(times(shape), { generator }), [...shape]);
      return tf.cast(values, dtypes[i] ?? "float32");
    }),
  );
  return { tensors, own: true };
}

/** A row for each call, in the order in which the calls began. */
function runWithHooks(model: Module, inputs: tf.Tensor[]): SummaryRow[] {
  const rows: SummaryRow[] = [];
  const seen = new Set<Module>();
  const handles: { remove(): void }[] = [];
  const parents = new Map<Module, Module>();
  const watch = (module: Module, path: string, depth: number): void => {
    const open: SummaryRow[] = [];
    handles.push(
      module.registerForwardPreHook((_module, args) => {
        addMissingParents(rows, path, depth, model, seen);
        const row = describeModule(module, path, depth, seen);
        row.inputSize = sizeOf(args).shape;
        rows.push(row);
        open.push(row);
      }),
      module.registerForwardHook((_module, _args, output) => {
        const row = open.pop()!;
        const { shape, bytes } = sizeOf(output);
        row.outputSize = shape;
        row.outputBytes = bytes;
        row.multAdds = countMultAdds(module, row.className, shape);
      }),
    );
    for (const [name, child] of presentChildren(module)) {
      if (parents.has(child)) continue;
      parents.set(child, module);
      watch(child, path ? `${path}.${name}` : name, depth + 1);
    }
  };
  watch(model, "", 0);
  try {
    tf.dispose(model(...inputs) as tf.TensorContainer);
  } finally {
    for (const handle of handles) handle.remove();
  }
  const counts: number[] = [];
  for (const row of rows) row.index = counts[row.depth] = (counts[row.depth] ?? 0) + 1;
  return rows;
}

/** A container that is never called itself (a ModuleList) gets its row before its first child. */
function addMissingParents(
  rows: SummaryRow[],
  path: string,
  depth: number,
  model: Module,
  seen: Set<Module>,
): void {
  const names = path.split(".");
  for (let level = 1; level < depth; level += 1) {
    const parentPath = names.slice(0, level).join(".");
    const parent = model.getSubmodule(parentPath);
    if (!seen.has(parent)) rows.push(describeModule(parent, parentPath, level, seen));
  }
}

function describeModule(
  module: Module,
  path: string,
  depth: number,
  seen: Set<Module>,
): SummaryRow {
  const parameters = module.parameters();
  const count = (list: readonly tf.Tensor[]): number => list.reduce((sum, p) => sum + p.size, 0);
  const isRecursive = seen.has(module);
  seen.add(module);
  return {
    className: module.constructor.name,
    path,
    depth,
    index: 0,
    isLeaf: presentChildren(module).length === 0,
    isRecursive,
    inputSize: [],
    outputSize: [],
    outputBytes: 0,
    numParams: count(parameters),
    trainableParams: count(parameters.filter(({ requiresGrad }) => requiresGrad)),
    paramBytes: parameters.reduce((sum, parameter) => sum + bytesOf(parameter), 0),
    multAdds: 0,
  };
}

const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

/** The first tensor of what went in or came out. */
function sizeOf(value: unknown): { shape: number[]; bytes: number } {
  if (isTensor(value)) return { shape: value.shape, bytes: bytesOf(value) };
  if (value === null || typeof value !== "object") return { shape: [], bytes: 0 };
  return sizeOf(Object.values(value)[0]);
}

/** torchinfo's count: every weight once for each place of the output that it makes. */
function countMultAdds(module: Module, className: string, output: readonly number[]): number {
  let sum = 0;
  for (const [name, parameter] of module.namedParameters({ recurse: false })) {
    if (name === "weight" || name === "bias") {
      const places = className.includes("Conv")
        ? times(output.filter((_, axis) => axis !== 1))
        : (output[0] ?? 1);
      sum += parameter.size * places;
    } else if (name.includes("weight") || name.includes("bias")) {
      sum += parameter.size * times(output.slice(0, 2)); // recurrent layers: every time step
    }
  }
  return sum;
}

function addUp(
  rows: readonly SummaryRow[],
): Omit<ModelSummary, "rows" | "inputBytes" | "toString"> {
  const leaves = rows.filter(({ isLeaf }) => isLeaf);
  const once = rows.filter(({ isRecursive }) => !isRecursive);
  const sum = (list: readonly SummaryRow[], value: (row: SummaryRow) => number): number =>
    list.reduce((total, row) => total + value(row), 0);
  return {
    totalParams: sum(once, (row) => Math.max(0, leftover(rows, row, "numParams"))),
    trainableParams: sum(once, (row) => Math.max(0, leftover(rows, row, "trainableParams"))),
    totalMultAdds: sum(leaves, (row) => row.multAdds),
    outputBytes: sum(leaves, (row) => (row.numParams > 0 ? 2 * row.outputBytes : 0)),
    paramBytes: sum(
      leaves.filter(({ isRecursive }) => !isRecursive),
      (row) => row.paramBytes,
    ),
  };
}
