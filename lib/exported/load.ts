import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { CheckpointError, placed } from "../checkpoint/errors.js";
import { type CheckpointInput, withSource } from "../checkpoint/source/open.js";
import { SOURCE_OPTIONS, type SourceOptions } from "../checkpoint/source/options.js";
import { nextTurn } from "../checkpoint/task.js";
import type { Node } from "../graph/index.js";
import { type ExportedFile, openExported } from "./archive/open.js";
import { decodeGraph } from "./decode-graph.js";
import { Guards, type Input } from "./guards.js";
import { lower } from "./lower/lower.js";
import { ModuleTree } from "./modules.js";
import { formatProgram } from "./print/program.js";
import { ExportedProgram } from "./program.js";
import { runProgram } from "./run.js";
import { pythonLine } from "./runtime/errors.js";
import { type Missing, Plan } from "./runtime/plan.js";
import { readSignature, type Signature } from "./signature.js";
import { leafPaths } from "./tree.js";
import { addWeights } from "./weights.js";

export interface LoadExportedOptions extends SourceOptions {
  /** The program to load from an archive with several. Default: the only one, or `"model"`. */
  model?: string | undefined;
}

const OPTIONS = { model: undefined, ...SOURCE_OPTIONS };

export async function loadExported(
  source: CheckpointInput,
  options?: LoadExportedOptions,
): Promise<ExportedProgram> {
  const { model, ...opened } = readOptions<LoadExportedOptions>("loadExported", OPTIONS, options);
  return withSource("loadExported", source, { ...opened, isWhole: true }, (file, task) => {
    task.startReporting();
    return placed(file.name, async () => {
      const opened = await openExported(file, model);
      // The weights are read while the program is decoded.
      const [[program, modules], weights, constants] = await Promise.all([
        decode(opened),
        opened.weights(),
        opened.constants(),
      ]);
      await addWeights(program, modules, { name: file.name, weights, constants }, task.signal);
      return program;
    });
  });
}

/** The program with its modules, still without weights. */
async function decode(file: ExportedFile): Promise<[ExportedProgram, ModuleTree]> {
  const json = await file.program();
  await nextTurn(); // so that reading the weights starts first
  try {
    const signature = readSignature(json);
    const names = signature.inputs.map(({ name }) => name);
    const graph = decodeGraph(json.graph_module.graph, names);
    const { placeholders } = graph;
    if (placeholders.length !== signature.inputs.length) {
      throw new TypeError("the graph and its signature have other numbers of inputs");
    }
    await nextTurn();
    const weights = new Set(
      placeholders.filter((_, i) => signature.inputs[i]!.kind !== "user").map(({ name }) => name),
    );
    const plan = new Plan(
      lower(graph),
      ({ kind, name }) => kind === "placeholder" && weights.has(name),
    );
    if (plan.missing.length > 0) throw missingOps(plan.missing, file.name);
    await nextTurn();
    const ranges = json.range_constraints;
    const guards = new Guards(inputsOf(signature, placeholders), ranges, json.guards_code ?? []);
    const constants = new Map<string, tf.Tensor>();
    const program = new ExportedProgram({
      ...{ graph, signature, plan, guards, ranges, constants },
      run: runProgram,
      print: formatProgram,
    });
    const modules = new ModuleTree(program, graph);
    for (const { fqn } of json.graph_module.module_call_graph) {
      modules.add(fqn.replace(/@\d+$/, ""));
    }
    return [program, modules];
  } catch (cause) {
    // An inconsistent program means a damaged file, wherever the inconsistency was noticed.
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(`the program cannot be read: ${(cause as Error).message}`, {
      file: file.name,
      cause,
    });
  }
}

/** The paths of the user's inputs, with PyTorch's names. */
function inputsOf(
  { inTree, inputs, argumentNames }: Signature,
  placeholders: readonly Node[],
): Input[] {
  const [positional, keyword] = inTree.children;
  const nodes = placeholders.filter((_, i) => inputs[i]!.kind === "user");
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

/** The error for missing ops: all of them, how often each is called, and where first. */
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
