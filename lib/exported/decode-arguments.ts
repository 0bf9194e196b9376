import { type Argument, Literal, type Node } from "../graph/index.js";
import {
  type ArgumentJson,
  type GraphJson,
  LAYOUTS,
  MEMORY_FORMATS,
  type NameJson,
  SCALAR_TYPES,
  type SymArgumentJson,
} from "./archive/schema.js";

/** What the arguments of a graph's nodes can refer to. */
export interface Scope {
  /** The node that gives the value of that name. */
  find(name: string): Node;
  /** A `get_attr` node for a graph that is an argument of an op. */
  subgraph(name: string, graph: GraphJson): Node;
}

/** Decodes an argument, an object with one key that tells its kind. */
export function decodeArgument(argument: ArgumentJson, scope: Scope): Argument {
  const a = argument;
  if (a.as_none !== undefined) return null;
  if (a.as_tensor) return scope.find(a.as_tensor.name);
  if (a.as_tensors) return findAll(a.as_tensors, scope);
  if (a.as_optional_tensor) return findOptional(a.as_optional_tensor, scope);
  if (a.as_optional_tensors) return a.as_optional_tensors.map((one) => findOptional(one, scope));
  if (a.as_nested_tensors) return a.as_nested_tensors.map((list) => findAll(list, scope));
  if (a.as_sym_int) return decodeSymbolic(a.as_sym_int, scope);
  if (a.as_sym_ints) return a.as_sym_ints.map((one) => decodeSymbolic(one, scope));
  if (a.as_sym_bool) return decodeSymbolic(a.as_sym_bool, scope);
  if (a.as_sym_bools) return a.as_sym_bools.map((one) => decodeSymbolic(one, scope));
  if (a.as_sym_float) return decodeSymbolic(a.as_sym_float, scope);
  if (a.as_sym_floats) return a.as_sym_floats.map((one) => decodeSymbolic(one, scope));
  if (a.as_graph) return scope.subgraph(a.as_graph.name, a.as_graph.graph);
  if (a.as_string_to_argument) {
    const entries = Object.entries(a.as_string_to_argument);
    return Object.fromEntries(entries.map(([key, one]) => [key, decodeArgument(one, scope)]));
  }
  if (a.as_custom_obj) {
    throw new TypeError(
      `'${a.as_custom_obj.name}' is an object of class ${a.as_custom_obj.class_fqn}, which is code`,
    );
  }
  return decodeConstant(a);
}

const findAll = (names: readonly NameJson[], scope: Scope): Node[] =>
  names.map(({ name }) => scope.find(name));

const findOptional = (one: { as_tensor?: NameJson }, scope: Scope): Node | null =>
  one.as_tensor ? scope.find(one.as_tensor.name) : null;

/** Decodes an argument that refers to no node. */
export function decodeConstant(a: ArgumentJson): Argument {
  if (a.as_none !== undefined) return null;
  if (a.as_bool !== undefined) return a.as_bool;
  if (a.as_bools) return a.as_bools;
  if (a.as_int !== undefined) return int(a.as_int);
  if (a.as_ints) return a.as_ints.map(int);
  if (a.as_int_lists) return a.as_int_lists.map((list) => list.map(int));
  if (a.as_float !== undefined) return float(a.as_float);
  if (a.as_floats) return a.as_floats.map(float);
  if (a.as_float_lists) return a.as_float_lists.map((list) => list.map(float));
  if (a.as_string !== undefined) return a.as_string;
  if (a.as_strings) return a.as_strings;
  if (a.as_operator !== undefined) {
    const name = a.as_operator.replace(/^torch\.ops\./, "");
    return new Literal(name, name);
  }
  if (a.as_scalar_type !== undefined) return named(SCALAR_TYPES, a.as_scalar_type, "dtype");
  if (a.as_memory_format !== undefined) {
    return named(MEMORY_FORMATS, a.as_memory_format, "memory format");
  }
  if (a.as_layout !== undefined) return named(LAYOUTS, a.as_layout, "layout");
  if (a.as_device) {
    const { type, index } = a.as_device;
    return typeof index === "number" ? `${type}:${index}` : type;
  }
  if (a.as_complex) {
    const { real, imag } = a.as_complex;
    const sign = imag < 0 ? "-" : "+";
    const text = real === 0 ? `${imag}j` : `(${real}${sign}${Math.abs(imag)}j)`;
    return new Literal({ real, imag }, text);
  }
  throw new TypeError(`an argument of unknown kind: ${Object.keys(a).join(", ")}`);
}

function decodeSymbolic(one: SymArgumentJson, scope: Scope): Argument {
  if (one.as_name !== undefined) return scope.find(one.as_name);
  if (one.as_int !== undefined) return int(one.as_int);
  if (one.as_float !== undefined) return float(one.as_float);
  return one.as_bool!;
}

function int(value: number): Argument {
  const digits = (value as unknown as { $int?: string }).$int;
  return digits === undefined ? value : new Literal(Number(digits), digits);
}

const float = (value: number | string): Argument =>
  new Literal(Number(value), formatFloat(Number(value)));

/** Python's `repr` of a float. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e16) return `${value}.0`;
  const isPlain = size >= 1e-4 && size < 1e16;
  const text = isPlain ? String(value) : value.toExponential();
  // JavaScript writes 1e-7 where Python writes 1e-07.
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function named(names: Readonly<Record<number, string>>, value: number, what: string): Literal {
  const name = names[value];
  if (name === undefined) throw new TypeError(`a ${what} of unknown number ${value}`);
  return new Literal(name, `torch.${name}`);
}
