/**
 * The form that each part of a program's JSON must have: that of schema.ts, checked when a file is
 * read.
 */
import {
  boolean,
  type Check,
  expectForm,
  float,
  integer,
  lazy,
  listOf,
  number,
  object,
  oneOf,
  optional,
  recordOf,
  string,
} from "./check.js";
import type {
  ArgumentJson,
  GraphJson,
  InputSpecJson,
  ModuleCallJson,
  NameJson,
  NodeJson,
  OutputSpecJson,
  PayloadJson,
  PayloadsJson,
  ProgramJson,
  SymArgumentJson,
  SymJson,
  TensorMetaJson,
  TreeJson,
} from "./schema.js";

/** `None`, and the unused kinds of a union, are written in many ways. */
const anything: Check = () => null;

const name = object<NameJson>({ name: string });

const hint = oneOf({ as_int: integer, as_bool: boolean, as_float: float });

const size = oneOf<SymJson>({
  as_expr: object<NonNullable<SymJson["as_expr"]>>({ expr_str: string, hint: optional(hint) }),
  as_int: integer,
  as_bool: boolean,
  as_float: float,
});

const symbol = oneOf<SymArgumentJson>({
  as_name: string,
  as_int: integer,
  as_bool: boolean,
  as_float: float,
});

const tensorMeta = object<TensorMetaJson>({
  dtype: number,
  sizes: listOf(size),
  requires_grad: optional(boolean),
  strides: listOf(size),
  storage_offset: size,
  layout: number,
});

const optionalTensor = oneOf({ as_tensor: name, as_none: anything });
const custom = object({ name: string, class_fqn: string });

/** PyTorch 2.4 writes the constants False and True as integers. */
const integerOrBoolean: Check = (value) => (typeof value === "boolean" ? null : integer(value));

const argument: Check = oneOf<ArgumentJson>({
  as_none: anything,
  as_tensor: name,
  as_tensors: listOf(name),
  as_int: integerOrBoolean,
  as_ints: listOf(integer),
  as_float: float,
  as_floats: listOf(float),
  as_string: string,
  as_strings: listOf(string),
  as_sym_int: symbol,
  as_sym_ints: listOf(symbol),
  as_scalar_type: number,
  as_memory_format: number,
  as_layout: number,
  as_device: object({ type: string, index: optional(number) }),
  as_bool: boolean,
  as_bools: listOf(boolean),
  as_sym_bool: symbol,
  as_sym_bools: listOf(symbol),
  as_graph: object({ name: string, graph: lazy(() => graph) }),
  as_optional_tensors: listOf(optionalTensor),
  as_optional_tensor: optionalTensor,
  as_custom_obj: custom,
  as_operator: string,
  as_sym_float: symbol,
  as_sym_floats: listOf(symbol),
  as_complex: object({ real: float, imag: float }),
  as_nested_tensors: listOf(listOf(name)),
  as_int_lists: listOf(listOf(integer)),
  as_float_lists: listOf(listOf(float)),
  as_string_to_argument: recordOf(lazy(() => argument)),
});

const node = object<NodeJson>({
  target: string,
  inputs: listOf(object({ name: string, arg: argument, kind: optional(number) })),
  outputs: listOf(argument),
  metadata: recordOf(optional(string)),
  is_hop_single_tensor_return: optional(boolean),
  name: optional(string),
});

const graph: Check = object<GraphJson>({
  inputs: listOf(argument),
  outputs: listOf(argument),
  nodes: listOf(node),
  tensor_values: recordOf(tensorMeta),
  sym_int_values: recordOf(size),
  sym_bool_values: recordOf(size),
  sym_float_values: optional(recordOf(size)),
  is_single_tensor_return: optional(boolean),
});

const inputSpec = oneOf<InputSpecJson>({
  user_input: object({ arg: argument }),
  parameter: object({ arg: name, parameter_name: string }),
  buffer: object({ arg: name, buffer_name: string, persistent: optional(boolean) }),
  tensor_constant: object({ arg: name, tensor_constant_name: string }),
  custom_obj: object({ arg: custom, custom_obj_name: string }),
  token: object({ arg: name }),
  constant_input: object({ name: string, value: argument }),
});

const outputSpec = oneOf<OutputSpecJson>({
  user_output: object({ arg: argument }),
  loss_output: object({ arg: name }),
  buffer_mutation: object({ arg: name, buffer_name: string }),
  parameter_mutation: object({ arg: name, parameter_name: string }),
  user_input_mutation: object({ arg: name, user_input_name: string }),
  gradient_to_parameter: object({ arg: name, parameter_name: string }),
  gradient_to_user_input: object({ arg: name, user_input_name: string }),
  token: object({ arg: name }),
});

const moduleCall = object<ModuleCallJson>({
  fqn: string,
  signature: optional(
    object<NonNullable<ModuleCallJson["signature"]>>({
      in_spec: string,
      out_spec: string,
      forward_arg_names: optional(listOf(string)),
    }),
  ),
});

const program = object<ProgramJson>({
  graph_module: object<ProgramJson["graph_module"]>({
    graph,
    signature: object({ input_specs: listOf(inputSpec), output_specs: listOf(outputSpec) }),
    module_call_graph: listOf(moduleCall),
    treespec_namedtuple_fields: optional(recordOf(object({ field_names: listOf(string) }))),
  }),
  range_constraints: recordOf(object({ min_val: optional(float), max_val: optional(float) })),
  schema_version: object({ major: number, minor: number }),
  torch_version: optional(string),
  guards_code: optional(listOf(string)),
});

const payloads = object<PayloadsJson>({
  config: recordOf(
    object<PayloadJson>({
      path_name: string,
      is_param: optional(boolean),
      use_pickle: optional(boolean),
      tensor_meta: optional(tensorMeta),
    }),
  ),
});

const tree: Check = object<TreeJson>({
  type: optional(string),
  context: optional(string),
  children_spec: listOf(lazy(() => tree)),
});

/** @throws TypeError that tells where, what was expected and what came. */
export const expectTree = (json: unknown): void => expectForm(json, tree, "TreeSpec");

/** @throws TypeError that tells where, what was expected and what came. */
export const expectProgram = (json: unknown): void => expectForm(json, program, "program");

/** @throws TypeError that tells where, what was expected and what came. */
export const expectPayloads = (json: unknown): void => expectForm(json, payloads, "tensors");
