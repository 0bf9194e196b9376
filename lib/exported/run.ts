/**
 * Calls an exported program: flattens its inputs, restores the structure of its outputs, and writes
 * its state back.
 */
import * as tf from "@tensorflow/tfjs-core";
import { CheckpointError } from "../checkpoint/errors.js";
import { packed, unpacked } from "./aten/support/complex.js";
import { type Argument, Literal, Node } from "../graph/index.js";
import { State } from "../module/parameter.js";
import { ModuleCalls } from "./module-calls.js";
import { getMember, splitKey } from "./modules.js";
import { type ExportedProgram, partsOf } from "./program.js";
import { quote } from "./python/print.js";
import { withAssertions } from "./runtime/assertions.js";
import { flatten, formatTree, isRecord, type Tree, treeOf, unflatten } from "./tree.js";

/** An output that is not nested: the name of its node, and its dtype in PyTorch. */
export interface FlatOutput {
  name: string;
  value: unknown;
  dtype: string;
}

/**
 * Calls a program with a flat list of inputs, however they are nested. Inputs whose value was fixed
 * when it was exported (a number or None) may be left out.
 */
export function callFlat(program: ExportedProgram, given: readonly unknown[]): FlatOutput[] {
  const { signature, graph } = partsOf(program);
  const nodes = graph.placeholders.filter((_, i) => signature.inputs[i]!.kind === "user");
  const open = nodes.filter(({ meta }) => meta.constant === undefined);
  if (given.length !== nodes.length && given.length !== open.length) {
    const names = open.map(({ name }) => name).join(", ");
    throw new CheckpointError(
      `the program takes ${open.length} input${open.length === 1 ? "" : "s"} (${names}), but got ${given.length}`,
    );
  }
  let at = 0;
  const leaves = nodes.map(({ meta: { constant } }) => {
    if (constant === undefined || given.length === nodes.length) return given[at++];
    return constant instanceof Literal ? constant.value : constant;
  });
  const [args, kwargs] = unflatten(signature.inTree, leaves) as [unknown[], object];
  const output = program(...args, ...(Object.keys(kwargs).length > 0 ? [kwargs] : []));
  const results = (graph.output?.args[0] as readonly Argument[]).filter(
    (_, i) => signature.outputs[i]?.kind === "user",
  );
  return (flatten(signature.outTree, output) ?? []).map((value, i) => {
    const node = results[i];
    const meta = node instanceof Node ? node.meta.value : undefined;
    const dtype = meta !== undefined && "dtype" in meta ? meta.dtype : "float32";
    return { name: node instanceof Node ? node.name : String(value), value, dtype };
  });
}

/** Runs a call of a program. */
export function runProgram(program: ExportedProgram, inputs: readonly unknown[]): unknown {
  const { signature, plan, guards } = partsOf(program);
  const leaves = flattenInputs(signature.inTree, inputs);
  guards.check(leaves);
  const given = bindInputs(program, leaves);
  return tf.tidy(() => {
    const outputs = withAssertions(() => {
      const result = plan.run(unpack(program, given), observerOf(program));
      const own = ownOf(given);
      const outputs = (result.outputs as unknown[]).map(packed).map(own);
      const written = result.written.map(packed).map(own);
      plan.written.forEach((name, i) => write(program, name, written[i], given));
      return outputs;
    });
    const user = outputs.filter((output, i) => isUserOutput(program, output, i, given));
    return unflatten(signature.outTree, apart(user)) as tf.TensorContainer;
  });
}

/** The values of all placeholders: weights, constants and inputs. */
function bindInputs(program: ExportedProgram, leaves: readonly unknown[]): unknown[] {
  const { signature, constants } = partsOf(program);
  let at = 0;
  return signature.inputs.map((spec) => {
    if (spec.kind === "user") return leaves[at++];
    if (spec.kind === "token") return null;
    const own = spec.kind === "constant" ? undefined : stateOf(program, spec.key);
    return own ?? constants.get(spec.key);
  });
}

/** The values that the graph computes with: complex tensors as their two parts. */
function unpack(program: ExportedProgram, given: readonly unknown[]): unknown[] {
  return partsOf(program).graph.placeholders.map(({ meta: { value } }, i) =>
    unpacked(given[i], value !== undefined && "dtype" in value ? value.dtype : undefined),
  );
}

function stateOf(program: ExportedProgram, key: string): State | undefined {
  const [owner, name] = splitKey(key);
  const value = getMember(program.getSubmodule(owner), name);
  return value instanceof State ? value : undefined;
}

/** Whether an output is for the caller; if it is a new value of a weight, it is written there. */
function isUserOutput(
  program: ExportedProgram,
  output: unknown,
  i: number,
  given: readonly unknown[],
): boolean {
  const spec = partsOf(program).signature.outputs[i];
  if (spec === undefined || spec.kind === "user") return true;
  if (spec.kind === "input") write(program, spec.key, output, given);
  else if (spec.kind !== "ignored") assign(stateOf(program, spec.key), output);
  return false;
}

/** Writes a new value to the tensor that a placeholder stands for. */
function write(
  program: ExportedProgram,
  placeholder: string,
  value: unknown,
  given: readonly unknown[],
): void {
  const { graph, constants, signature } = partsOf(program);
  const at = graph.placeholders.findIndex(({ name }) => name === placeholder);
  const target = given[at];
  if (target instanceof tf.Variable) return assign(target, value);
  const spec = signature.inputs[at];
  if (spec === undefined || spec.kind === "user" || spec.kind === "token") return;
  constants.get(spec.key)?.dispose();
  constants.set(spec.key, tf.keep(tf.clone(value as tf.Tensor)));
}

const CALLS = new WeakMap<ExportedProgram, ModuleCalls>();

function observerOf(program: ExportedProgram): ModuleCalls | undefined {
  const calls = CALLS.get(program) ?? new ModuleCalls(program, partsOf(program).plan);
  CALLS.set(program, calls);
  return calls.hasHooks() ? calls.begin() : undefined;
}

function assign(target: tf.Variable | undefined, value: unknown): void {
  if (target === undefined || !(value instanceof tf.Tensor)) return;
  if (target.dataId === value.dataId) return;
  target.assign(tf.cast(value as tf.Tensor, target.dtype));
}

/** @throws TypeError with PyTorch's message. */
function checkKeywords(given: readonly string[], expected: readonly string[]): void {
  const known = new Set(expected);
  if (given.length === known.size && given.every((key) => known.has(key))) return;
  const list = (keys: readonly string[]): string => `[${keys.map(quote).join(", ")}]`;
  throw new TypeError(
    "Ran into a kwarg keyword mismatch: Got the following keywords " +
      `${list(given)} but expected ${list(expected)}`,
  );
}

/** The flattened inputs, in the order of the placeholders. */
function flattenInputs(tree: Tree, inputs: readonly unknown[]): unknown[] {
  const [positional, keyword] = tree.children as [Tree, Tree];
  const last = inputs.at(-1);
  // An object in the place of a tensor, or after all other inputs, can only be the keyword
  // arguments.
  const place = positional.children[inputs.length - 1];
  const hasKeywords = isRecord(last) && (place === undefined || place.type === null);
  const args = hasKeywords ? inputs.slice(0, -1) : [...inputs];
  const kwargs = hasKeywords ? last : {};
  checkKeywords(Object.keys(kwargs), (keyword.keys ?? []).map(String));
  const leaves = flatten(tree, [args, kwargs]);
  if (leaves !== null) return leaves;
  throw new TypeError(
    "Trying to flatten user inputs with exported input tree spec: \n" +
      `${formatTree(tree)}\n` +
      "but actually got inputs with tree spec of: \n" +
      `${formatTree(treeOf([args, kwargs], tree))}.\n` +
      "Please check that the inputs have the same number and type of args and kwargs " +
      "as the ones you used when tracing.",
  );
}

/**
 * Copies values that are inputs or weights, so that they keep their values while those are written.
 */
function ownOf(given: readonly unknown[]): (value: unknown) => unknown {
  const held = new Set<unknown>(given.flat());
  return (value) => (held.has(value) && value instanceof tf.Tensor ? tf.clone(value) : value);
}

/** If a tensor is returned twice, the caller gets two tensors. */
function apart(outputs: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>();
  return outputs.map((output) => {
    if (!(output instanceof tf.Tensor)) return output ?? null;
    if (seen.has(output)) return tf.clone(output);
    seen.add(output);
    return output;
  });
}
