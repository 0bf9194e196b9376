import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { CheckpointError, placed } from "../checkpoint/errors.js";
import { type CheckpointInput, type OpenOptions, withSource } from "../checkpoint/source/open.js";
import type { TaskOptions } from "../checkpoint/task.js";
import type { Graph, Node } from "../graph/index.js";
import { Buffer, Parameter } from "../module/index.js";
import type { Entry } from "../checkpoint/entry.js";
import type { State } from "../module/parameter.js";
import { type ExportedFile, openExported } from "./archive/open.js";
import { decodeGraph } from "./decode-graph.js";
import { Guards, type Input } from "./guards.js";
import { lower } from "./lower/lower.js";
import { ModuleTree, toTensor } from "./modules.js";
import { formatProgram } from "./print/program.js";
import { ExportedProgram, partsOf } from "./program.js";
import { runProgram } from "./run.js";
import { pythonLine } from "./runtime/errors.js";
import { type Missing, Plan } from "./runtime/plan.js";
import { type InputSpec, readSignature, type Signature } from "./signature.js";
import { leafPaths } from "./tree.js";

export interface LoadExportedOptions extends TaskOptions, Pick<OpenOptions, "cache" | "integrity"> {
  /** Which program of an archive that has several. Default: the only one, or `"model"`. */
  model?: string | undefined;
}

const OPTIONS: { [K in keyof Required<LoadExportedOptions>]: LoadExportedOptions[K] } = {
  model: undefined,
  cache: undefined,
  integrity: undefined,
  onProgress: undefined,
  signal: undefined,
};

export async function loadExported(
  source: CheckpointInput,
  options?: LoadExportedOptions,
): Promise<ExportedProgram> {
  const { model, ...opened } = readOptions("loadExported", OPTIONS, options);
  return withSource(source, { ...opened, isWhole: true }, (file, task) => {
    task.startReporting();
    return placed(file.name, async () => build(await openExported(file, model)));
  });
}

function build(file: ExportedFile): ExportedProgram {
  const program = decoded(file, () => {
    const signature = readSignature(file.program);
    const names = signature.inputs.map(({ name }) => name);
    const graph = decodeGraph(file.program.graph_module.graph, names);
    if (graph.placeholders.length !== signature.inputs.length) {
      throw new TypeError("the graph and its signature have other numbers of inputs");
    }
    const weights = new Set(
      signature.inputs.flatMap(({ kind }, i) =>
        kind === "user" ? [] : [graph.placeholders[i]!.name],
      ),
    );
    const plan = new Plan(
      lower(graph),
      ({ kind, name }) => kind === "placeholder" && weights.has(name),
    );
    if (plan.missing.length > 0) throw missingOps(plan.missing, file.name);
    const ranges = file.program.range_constraints;
    const guards = new Guards(inputsOf(signature, graph), ranges, file.program.guards_code ?? []);
    const constants = new Map<string, tf.Tensor>();
    return new ExportedProgram({
      ...{ graph, signature, plan, guards, ranges, constants },
      run: runProgram,
      print: formatProgram,
    });
  });
  addModules(program, file);
  return program;
}

/** A program that does not hang together is a damaged file, whatever showed it. */
function decoded<T>(file: ExportedFile, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(`the program cannot be read: ${(cause as Error).message}`, {
      file: file.name,
      cause,
    });
  }
}

/** Where each input of the user's is, in PyTorch's names. */
function inputsOf({ inTree, inputs, argumentNames }: Signature, graph: Graph): Input[] {
  const [positional, keyword] = inTree.children;
  const nodes = graph.placeholders.filter((_, i) => inputs[i]!.kind === "user");
  const named = [
    ...positional!.children.map((tree, i) => ({
      tree,
      path: argumentNames[i] ?? nodes[i]?.name ?? `args_${i}`,
      place: `*args[${i}]`,
    })),
    ...keyword!.children.map((tree, i) => {
      const key = String(keyword!.keys![i]);
      return { tree, path: key, place: `**kwargs['${key}']` };
    }),
  ];
  const places = named.flatMap(({ tree, path, place }) => {
    const places = leafPaths(tree, place);
    return leafPaths(tree, path).map((at, i) => ({ path: at, place: places[i]! }));
  });
  if (places.length !== nodes.length) {
    throw new TypeError(
      `${places.length} inputs in its structure, but ${nodes.length} in its graph`,
    );
  }
  return places.map((place, i) => ({ ...place, node: nodes[i]! }));
}

/** Makes the modules, in the order that they had, and uploads the weights. */
function addModules(program: ExportedProgram, file: ExportedFile): void {
  const { graph, signature, constants } = partsOf(program);
  const tree = new ModuleTree(program, graph);
  const shared = new Shared();
  const { module_call_graph: calls } = file.program.graph_module;
  try {
    for (const { fqn } of calls) tree.add(fqn.replace(/@\d+$/, ""));
    signature.inputs.forEach((spec, i) => {
      if (spec.kind === "user" || spec.kind === "token") return;
      const entry = findEntry(file, spec.key);
      if (spec.kind === "constant") constants.set(spec.key, tf.keep(toTensor(entry)));
      else tree.set(spec.key, shared.get(entry, spec, graph.placeholders[i]!));
    });
  } catch (error) {
    program.dispose();
    throw error;
  }
}

function findEntry({ weights, constants, name: file }: ExportedFile, key: string): Entry {
  for (const { entries, refused } of [weights, constants]) {
    const entry = entries.get(key);
    if (entry !== undefined) return entry;
    const why = refused.get(key);
    if (why !== undefined) throw new CheckpointError(`'${key}' is ${why}`, { file, key });
  }
  throw new CheckpointError(`there is no tensor '${key}' in it`, { file, key });
}

/** Keys whose bytes are the same ones are one parameter, as tied weights are in PyTorch. */
class Shared {
  private readonly states = new Map<ArrayBufferLike, Map<string, State>>();

  get(entry: Entry, spec: InputSpec, node: Node): State {
    const { buffer, byteOffset, byteLength } = entry.data;
    const at = this.states.get(buffer) ?? new Map<string, State>();
    this.states.set(buffer, at);
    const place = [spec.kind, byteOffset, byteLength, entry.dtype, ...entry.shape].join();
    const state = at.get(place) ?? toState(entry, spec, node);
    if (byteLength > 0) at.set(place, state);
    return state;
  }
}

function toState(entry: Entry, spec: InputSpec, { meta: { value } }: Node): State {
  const tensor = toTensor(entry);
  const isBuffer = spec.kind === "buffer";
  const requiresGrad = value !== undefined && "dtype" in value && value.requiresGrad === true;
  const state = isBuffer
    ? new Buffer(tensor, { persistent: spec.persistent })
    : new Parameter(tensor, { requiresGrad });
  tensor.dispose();
  return state;
}

/** All ops that are not there, how often each is called, and where first. */
function missingOps(missing: readonly Missing[], file: string): CheckpointError {
  const first = new Map<string, Node>();
  const counts = new Map<string, number>();
  for (const { target, node } of missing) {
    if (!first.has(target)) first.set(target, node);
    counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  const lines = [...first].map(([target, node]) => {
    const { module, moduleType } = node.meta;
    const place = module ? `, in ${module} (${moduleType})` : "";
    const line = pythonLine(node)?.replace(/\n\s*/g, ": ");
    return `  ${target} × ${counts.get(target)}${place}${line ? `\n    ${line}` : ""}`;
  });
  const [target] = first.keys();
  return new CheckpointError(
    `the program calls ${first.size} op${first.size > 1 ? "s" : ""} that ` +
      `${first.size > 1 ? "are" : "is"} not built in:\n${lines.join("\n")}\n` +
      `Before loading it, nn.registerOp('${target}', fn) adds one`,
    { file },
  );
}
