import * as tf from "@tensorflow/tfjs-core";
import type { Module } from "./module.js";
import { bytesOf, countMultAdds, sizeOf } from "./summary-measure.js";
import { presentChildren, walk } from "./walk.js";

/** One call of a module, or a container inside of which a call happened. */
export interface SummaryRow {
  className: string;
  /** The path of the module in the model; `""` is the model. */
  path: string;
  depth: number;
  /** A number among the modules of its depth, from 1. */
  index: number;
  isLeaf: boolean;
  /** Whether the module has been called before. */
  isRecursive: boolean;
  inputSize: number[];
  outputSize: number[];
  outputBytes: number;
  /** The number of parameters, including those of children; shared ones count once. */
  numParams: number;
  trainableParams: number;
  /** The part of `numParams` that no row below this one counts. */
  leftoverParams: number;
  paramBytes: number;
  /** Including the calls inside of this one. */
  multAdds: number;
}

/** The result of `summary`; `String(it)` is the table. */
export interface ModelSummary {
  /**
   * A container that is entered several times, such as a ModuleList, occurs several times as the
   * same row.
   */
  rows: SummaryRow[];
  totalParams: number;
  trainableParams: number;
  totalMultAdds: number;
  /**
   * In bytes. As in torchinfo, `outputBytes` counts layers with parameters twice, for their
   * gradients.
   */
  inputBytes: number;
  outputBytes: number;
  paramBytes: number;
  toString(): string;
}

interface Entry {
  module: Module;
  row: SummaryRow;
  isCalled: boolean;
}

/** Runs the model, and makes a row for each call, in the order in which the calls begin. */
export function listCalls(model: Module, inputs: readonly unknown[]): SummaryRow[] {
  const entries = addContainers(runWithHooks(model, inputs), model);
  countParameters(entries);
  const counts: number[] = [];
  for (const { row } of entries) row.index = counts[row.depth] = (counts[row.depth] ?? 0) + 1;
  return entries.map(({ row }) => row);
}

function runWithHooks(model: Module, inputs: readonly unknown[]): Entry[] {
  const calls: Entry[] = [];
  const open: Entry[] = [];
  const seen = new Set<Module>();
  const handles: { remove(): void }[] = [];
  const before = (module: Module, paths: readonly string[], args: unknown): void => {
    const row = makeRow(module, placeOf(paths, open), seen.has(module));
    seen.add(module);
    row.inputSize = sizeOf(args).shape;
    const call = { module, row, isCalled: true };
    calls.push(call);
    open.push(call);
  };
  const after = (module: Module, output: unknown): void => {
    const { row } = open.pop()!;
    const { shape, bytes } = sizeOf(output);
    row.outputSize = shape;
    row.outputBytes = bytes;
    if (!row.isLeaf) return;
    const multAdds = countMultAdds(module, shape);
    row.multAdds = multAdds;
    for (const outer of open) if (!outer.row.isLeaf) outer.row.multAdds += multAdds;
  };
  for (const [module, paths] of placesOf(model)) {
    handles.push(
      module.registerForwardPreHook((_module, args) => before(module, paths, args)),
      module.registerForwardHook((_module, _args, output) => after(module, output)),
    );
  }
  try {
    tf.dispose(model(...inputs) as tf.TensorContainer);
  } finally {
    for (const handle of handles) handle.remove();
  }
  return calls;
}

/** All modules with their paths; a shared module has several. */
function placesOf(model: Module): Map<Module, string[]> {
  const places = new Map<Module, string[]>();
  for (const [path, module] of walk(model, "", false)) {
    places.set(module, [...(places.get(module) ?? []), path]);
  }
  return places;
}

/**
 * For a shared module, the path inside of the module that calls it (torchinfo takes the last path).
 */
function placeOf(paths: readonly string[], open: readonly Entry[]): string {
  for (const { row } of open.toReversed()) {
    const path = paths.findLast((place) => isBelow(place, row.path));
    if (path !== undefined) return path;
  }
  return paths.at(-1)!;
}

const isBelow = (path: string, ancestor: string): boolean =>
  path !== ancestor && (ancestor === "" || path.startsWith(`${ancestor}.`));

function makeRow(module: Module, path: string, isRecursive: boolean): SummaryRow {
  return {
    className: "",
    path,
    depth: path === "" ? 0 : path.split(".").length,
    index: 0,
    isLeaf: presentChildren(module).length === 0,
    isRecursive,
    inputSize: [],
    outputSize: [],
    outputBytes: 0,
    numParams: 0,
    trainableParams: 0,
    leftoverParams: 0,
    paramBytes: 0,
    multAdds: 0,
  };
}

/**
 * Containers that are not called themselves (a ModuleList) get a row wherever calls go into them.
 * As in torchinfo it is the same row each time: marked as recursive everywhere, with the last one's
 * index.
 */
function addContainers(calls: readonly Entry[], model: Module): Entry[] {
  const listed = new Set(calls.map(({ module }) => module));
  const containers = new Map<string, Entry>();
  const entries: Entry[] = [];
  let previous = "";
  for (const call of calls) {
    const names = call.row.path.split(".");
    for (let level = 1; level < names.length; level += 1) {
      const path = names.slice(0, level).join(".");
      if (previous === path || isBelow(previous, path)) continue;
      const container = containers.get(path) ?? makeContainer(model.getSubmodule(path), path);
      container.row.isRecursive = listed.has(container.module);
      listed.add(container.module);
      containers.set(path, container);
      entries.push(container);
    }
    entries.push(call);
    previous = call.row.path;
  }
  return entries;
}

function makeContainer(module: Module, path: string): Entry {
  return { module, row: makeRow(module, path, false), isCalled: false };
}

/** Counted after the run, when lazy layers have their parameters. */
function countParameters(entries: readonly Entry[]): void {
  const parameters = new Map(entries.map(({ module }) => [module, module.parameters()]));
  const count = (list: Iterable<tf.Tensor>): number =>
    [...list].reduce((sum, { size }) => sum + size, 0);
  // The row of a container that is entered again only says so: its parameters are counted by the
  // rows around it.
  const counting = entries.filter(({ isCalled, row }) => isCalled || !row.isRecursive);
  for (const { module, row } of entries) {
    const own = parameters.get(module)!;
    row.className = module.constructor.name;
    row.numParams = count(own);
    row.trainableParams = count(own.filter(({ requiresGrad }) => requiresGrad));
    row.paramBytes = own.reduce((sum, parameter) => sum + bytesOf(parameter), 0);
    const rest = new Set(own);
    for (const other of row.isLeaf ? [] : counting) {
      if (!isBelow(other.row.path, row.path)) continue;
      for (const parameter of parameters.get(other.module)!) rest.delete(parameter);
    }
    row.leftoverParams = count(rest);
  }
}
