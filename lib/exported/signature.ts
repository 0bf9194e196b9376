import type { ArgumentJson, ProgramJson } from "./archive/schema.js";
import { parseTree, type Tree } from "./tree.js";

/** What a placeholder of the program stands for. */
export type InputKind =
  | { kind: "user" }
  | { kind: "parameter"; key: string }
  | { kind: "buffer"; key: string; persistent: boolean }
  | { kind: "constant"; key: string }
  | { kind: "token" };

export type InputSpec = InputKind & {
  /** The name of its placeholder, which the graph does not contain. */
  name: string;
};

/** What an output of the graph is for. */
export type OutputSpec =
  { kind: "user" } | { kind: "buffer" | "parameter" | "input"; key: string } | { kind: "ignored" };

export interface Signature {
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly OutputSpec[];
  /** A pair of the positional inputs and the keyword inputs. */
  readonly inTree: Tree;
  readonly outTree: Tree;
  /** The parameter names of `forward`. */
  readonly argumentNames: readonly string[];
}

export function readSignature(program: ProgramJson): Signature {
  const { signature, module_call_graph: calls, ...more } = program.graph_module;
  const tuples = more.treespec_namedtuple_fields ?? {};
  const root = calls.find(({ fqn }) => fqn === "")?.signature;
  if (!root) throw new TypeError("it does not say how its inputs and outputs nest");
  const inTree = parseTree(root.in_spec, tuples);
  if (inTree.children.length !== 2) {
    throw new TypeError("its inputs are no pair: the positional ones, and those by keyword");
  }
  return {
    inputs: signature.input_specs.map(readInput),
    outputs: signature.output_specs.map(readOutput),
    inTree,
    outTree: parseTree(root.out_spec, tuples),
    argumentNames: root.forward_arg_names ?? [],
  };
}

const nameOf = (argument: ArgumentJson): string =>
  argument.as_tensor?.name ?? argument.as_sym_int?.as_name ?? "";

function readInput(
  spec: ProgramJson["graph_module"]["signature"]["input_specs"][number],
): InputSpec {
  if (spec.user_input) return { kind: "user", name: nameOf(spec.user_input.arg) };
  if (spec.constant_input) return { kind: "user", name: spec.constant_input.name };
  if (spec.parameter) {
    return { kind: "parameter", name: spec.parameter.arg.name, key: spec.parameter.parameter_name };
  }
  if (spec.buffer) {
    const { arg, buffer_name: key, persistent = true } = spec.buffer;
    return { kind: "buffer", name: arg.name, key, persistent };
  }
  if (spec.tensor_constant) {
    const { arg, tensor_constant_name: key } = spec.tensor_constant;
    return { kind: "constant", name: arg.name, key };
  }
  if (spec.token) return { kind: "token", name: spec.token.arg.name };
  if (spec.custom_obj) {
    const { custom_obj_name: name, arg } = spec.custom_obj;
    throw new TypeError(`'${name}' is an object of class ${arg.class_fqn}, which is code`);
  }
  throw new TypeError(`an input of unknown kind: ${Object.keys(spec).join(", ")}`);
}

function readOutput(
  spec: ProgramJson["graph_module"]["signature"]["output_specs"][number],
): OutputSpec {
  if (spec.user_output || spec.loss_output) return { kind: "user" };
  if (spec.buffer_mutation) return { kind: "buffer", key: spec.buffer_mutation.buffer_name };
  if (spec.parameter_mutation) {
    return { kind: "parameter", key: spec.parameter_mutation.parameter_name };
  }
  if (spec.user_input_mutation) {
    return { kind: "input", key: spec.user_input_mutation.user_input_name };
  }
  return { kind: "ignored" };
}
