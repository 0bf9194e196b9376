/**
 * The JSON of an exported program, as declared in torch/_export/serde/schema.py. Unions are objects
 * with one key. Parts that inference does not need are left out.
 */

interface Expr {
  expr_str: string;
  hint?: { as_int?: number; as_bool?: boolean; as_float?: number } | null;
}

export interface SymJson {
  as_expr?: Expr;
  as_int?: number;
  as_bool?: boolean;
  as_float?: number;
}

export interface TensorMetaJson {
  dtype: number;
  sizes: SymJson[];
  requires_grad: boolean;
  strides: SymJson[];
  storage_offset: SymJson;
  layout: number;
}

export interface SymArgumentJson {
  as_name?: string;
  as_int?: number;
  as_bool?: boolean;
  as_float?: number;
}

export interface NameJson {
  name: string;
}

/** Exactly one of the keys is present. */
export interface ArgumentJson {
  as_none?: boolean;
  as_tensor?: NameJson;
  as_tensors?: NameJson[];
  as_int?: number;
  as_ints?: number[];
  as_float?: number | string;
  as_floats?: (number | string)[];
  as_string?: string;
  as_strings?: string[];
  as_sym_int?: SymArgumentJson;
  as_sym_ints?: SymArgumentJson[];
  as_scalar_type?: number;
  as_memory_format?: number;
  as_layout?: number;
  as_device?: { type: string; index?: number | null };
  as_bool?: boolean;
  as_bools?: boolean[];
  as_sym_bool?: SymArgumentJson;
  as_sym_bools?: SymArgumentJson[];
  as_graph?: { name: string; graph: GraphJson };
  as_optional_tensors?: { as_tensor?: NameJson; as_none?: boolean }[];
  as_optional_tensor?: { as_tensor?: NameJson; as_none?: boolean };
  as_custom_obj?: { name: string; class_fqn: string };
  as_operator?: string;
  as_sym_float?: SymArgumentJson;
  as_sym_floats?: SymArgumentJson[];
  as_complex?: { real: number; imag: number };
  as_nested_tensors?: NameJson[][];
  as_int_lists?: number[][];
  as_float_lists?: number[][];
  as_string_to_argument?: Record<string, ArgumentJson>;
}

export interface NodeJson {
  target: string;
  inputs: { name: string; arg: ArgumentJson; kind?: number | null }[];
  outputs: ArgumentJson[];
  metadata: Record<string, string | undefined>;
  is_hop_single_tensor_return?: boolean | null;
  name?: string | null;
}

export interface GraphJson {
  inputs: ArgumentJson[];
  outputs: ArgumentJson[];
  nodes: NodeJson[];
  tensor_values: Record<string, TensorMetaJson>;
  sym_int_values: Record<string, SymJson>;
  sym_bool_values: Record<string, SymJson>;
  sym_float_values?: Record<string, SymJson>;
  is_single_tensor_return?: boolean;
}

export interface InputSpecJson {
  user_input?: { arg: ArgumentJson };
  parameter?: { arg: NameJson; parameter_name: string };
  buffer?: { arg: NameJson; buffer_name: string; persistent?: boolean };
  tensor_constant?: { arg: NameJson; tensor_constant_name: string };
  custom_obj?: { arg: { name: string; class_fqn: string }; custom_obj_name: string };
  token?: { arg: NameJson };
  constant_input?: { name: string; value: ArgumentJson };
}

export interface OutputSpecJson {
  user_output?: { arg: ArgumentJson };
  loss_output?: { arg: NameJson };
  buffer_mutation?: { arg: NameJson; buffer_name: string };
  parameter_mutation?: { arg: NameJson; parameter_name: string };
  user_input_mutation?: { arg: NameJson; user_input_name: string };
  gradient_to_parameter?: { arg: NameJson; parameter_name: string };
  gradient_to_user_input?: { arg: NameJson; user_input_name: string };
  token?: { arg: NameJson };
}

export interface ModuleCallJson {
  fqn: string;
  signature?: {
    in_spec: string;
    out_spec: string;
    forward_arg_names?: string[] | null;
  } | null;
}

export interface ProgramJson {
  graph_module: {
    graph: GraphJson;
    signature: { input_specs: InputSpecJson[]; output_specs: OutputSpecJson[] };
    module_call_graph: ModuleCallJson[];
    /** The field names of each class of named tuples. */
    treespec_namedtuple_fields?: Record<string, { field_names: string[] }> | null;
  };
  range_constraints: Record<string, { min_val?: number | null; max_val?: number | null }>;
  schema_version: { major: number; minor: number };
  torch_version?: string;
  guards_code?: string[];
}

/** Where a weight is in the archive. */
export interface PayloadJson {
  path_name: string;
  is_param: boolean;
  use_pickle: boolean;
  tensor_meta: TensorMetaJson | null;
}

/**
 * How inputs or outputs are nested: the second element of a list that begins with the protocol
 * number.
 */
export interface TreeJson {
  /** Null for a leaf. */
  type: string | null;
  context: string | null;
  children_spec: TreeJson[];
}

/** The content of a `…_config.json`: key → where the weight is. */
export interface PayloadsJson {
  config: Record<string, PayloadJson>;
}

/** PyTorch's names of dtypes, by their numbers in the file. */
export const SCALAR_TYPES: Readonly<Record<number, string>> = {
  ...{ 1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32" },
  ...{ 8: "float64", 9: "complex32", 10: "complex64", 11: "complex128", 12: "bool" },
  ...{ 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2" },
  ...{ 31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 33: "float8_e8m0fnu" },
  ...{ 34: "uint32", 35: "uint64" },
};

export const LAYOUTS: Readonly<Record<number, string>> = {
  ...{ 1: "sparse_coo", 2: "sparse_csr", 3: "sparse_csc", 4: "sparse_bsr", 5: "sparse_bsc" },
  ...{ 6: "_mkldnn", 7: "strided" },
};

export const MEMORY_FORMATS: Readonly<Record<number, string>> = {
  ...{ 1: "contiguous_format", 2: "channels_last", 3: "channels_last_3d", 4: "preserve_format" },
};
