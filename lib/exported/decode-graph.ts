/** Builds a graph from a program's JSON, with the nodes that `torch.export.load` would make. */
import {
  type Argument,
  Graph,
  type KeywordArguments,
  type ModuleFrame,
  type Node,
  type NodeMeta,
  type TensorMeta,
} from "../graph/index.js";
import {
  type ArgumentJson,
  type GraphJson,
  type NodeJson,
  SCALAR_TYPES,
  type SymJson,
  type TensorMetaJson,
} from "./archive/schema.js";
import { decodeArgument, decodeConstant, type Scope } from "./decode-arguments.js";
import { isKeywordOnly } from "./keyword-only.js";
import { formatSymbolic } from "./python/print.js";

/** The nesting limit of graphs, far above that of any valid program. */
const MAX_NESTING = 32;

/** @param names the names of placeholders for constant inputs, which the graph does not contain. */
export function decodeGraph(json: GraphJson, names: readonly string[], depth = 0): Graph {
  if (depth > MAX_NESTING) throw new TypeError("graphs nested too deep");
  const decoder = new Decoder(json, depth);
  decoder.inputs(names);
  for (const node of json.nodes) decoder.node(node);
  decoder.outputs();
  return decoder.graph;
}

class Decoder implements Scope {
  readonly graph = new Graph();
  /** Value → the node that gives it. */
  private readonly made = new Map<string, Node>();
  private stack: NodeMeta = {};
  /** Parsed module stacks by their text, which neighbouring nodes share. */
  private readonly stacks = new Map<string, NodeMeta>();

  constructor(
    private readonly json: GraphJson,
    private readonly depth: number,
  ) {}

  find(name: string): Node {
    const node = this.made.get(name);
    if (node === undefined) throw new TypeError(`'${name}' is used before it is made`);
    return node;
  }

  subgraph(name: string, json: GraphJson): Node {
    const inner = decodeGraph(json, [], this.depth + 1);
    const meta = { ...this.stack };
    const node = this.graph.add("get_attr", name, [], {}, { name, meta });
    this.graph.subgraphs.set(node.name, inner);
    node.target = node.name;
    return node;
  }

  inputs(names: readonly string[]): void {
    this.json.inputs.forEach((input, i) => {
      const name =
        input.as_tensor?.name ??
        input.as_sym_int?.as_name ??
        input.as_custom_obj?.name ??
        (names[i] || `arg${i}`);
      const node = this.graph.add("placeholder", name, [], {}, { name, meta: this.metaOf(name) });
      if (node.name !== name) throw new TypeError(`two inputs are called '${name}'`);
      this.made.set(name, node);
      const isConstant = !input.as_tensor && !input.as_sym_int && !input.as_custom_obj;
      if (isConstant) node.meta.constant = decodeConstant(input);
    });
  }

  outputs(): void {
    const values = this.json.outputs.map((output) => decodeArgument(output, this));
    const single = this.json.is_single_tensor_return && values.length === 1;
    this.graph.add("output", "output", [single ? values[0] : values], {}, { name: "output" });
  }

  node(json: NodeJson): void {
    this.stack = this.metadata(json.metadata);
    const target = json.target.replace(/^torch\.ops\./, "").replace(/^_operator\./, "operator.");
    const args: Argument[] = [];
    const kwargs: Record<string, Argument> = {};
    for (const { name, arg, kind } of json.inputs) {
      const value = decodeArgument(arg, this);
      const isKeyword =
        typeof kind === "number" && kind > 0 ? kind === 2 : isKeywordOnly(target, name);
      if (isKeyword && name !== "") kwargs[name] = value;
      else args.push(value);
    }
    this.call(json, target, args, kwargs);
  }

  private call(
    json: NodeJson,
    target: string,
    args: readonly Argument[],
    kwargs: KeywordArguments,
  ): void {
    const [only] = json.outputs;
    const isSingle = json.outputs.length === 1 && json.is_hop_single_tensor_return !== false;
    const value = isSingle ? nameOf(only!) : undefined;
    const base = target.split(".").at(target.includes("higher_order") ? -1 : -2) ?? target;
    const name = json.name ?? value ?? base;
    const meta: NodeMeta = { ...this.stack, ...(value === undefined ? {} : this.metaOf(value)) };
    const node = this.graph.add("call_function", target, args, kwargs, { name, meta });
    if (value !== undefined) this.name(value, node);
    else if (isSingle && only!.as_tensors) this.items(node, only!.as_tensors);
    else if (!(isSingle && only!.as_none)) this.items(node, json.outputs);
  }

  private metadata(said: NodeJson["metadata"]): NodeMeta {
    const text = said.nn_module_stack ?? "";
    let modules = this.stacks.get(text);
    if (modules === undefined) this.stacks.set(text, (modules = modulesOf(text)));
    return said.stack_trace ? { stackTrace: said.stack_trace, ...modules } : modules;
  }

  private name(value: string, node: Node): void {
    if (this.made.has(value)) throw new TypeError(`'${value}' is made twice`);
    this.made.set(value, node);
  }

  /** Makes a `getitem` node for each of several outputs that may be read. */
  private items(node: Node, outputs: readonly (ArgumentJson | { name: string })[]): void {
    const metas: (TensorMeta | null)[] = [];
    outputs.forEach((output, i) => {
      const value = "name" in output ? output.name : nameOf(output);
      const inner = "name" in output ? undefined : (output.as_tensors ?? output.as_sym_ints);
      const meta = value === undefined ? {} : this.metaOf(value);
      metas.push((meta.value as TensorMeta | undefined) ?? null);
      if (inner === undefined && (value === undefined || isUnused(value, node, i))) return;
      const options = { name: value ?? "getitem", meta: { ...this.stack, ...meta } };
      const item = this.graph.add("call_function", "operator.getitem", [node, i], {}, options);
      if (value !== undefined) this.name(value, item);
      else
        this.items(
          item,
          inner!.map((one) => ("name" in one ? one : { as_sym_int: one })),
        );
    });
    node.meta = { ...node.meta, value: metas };
  }

  private metaOf(name: string): NodeMeta {
    const tensor = own(this.json.tensor_values, name);
    if (tensor) return { value: decodeTensorMeta(tensor) };
    const symbol =
      own(this.json.sym_int_values, name) ??
      own(this.json.sym_bool_values, name) ??
      own(this.json.sym_float_values ?? {}, name);
    return symbol ? { symbol: String(decodeSize(symbol)) } : {};
  }
}

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const isUnused = (value: string, node: Node, i: number): boolean =>
  value === `${node.name}_unused_${i}`;

function nameOf(output: ArgumentJson): string | undefined {
  return (
    output.as_tensor?.name ??
    output.as_sym_int?.as_name ??
    output.as_sym_bool?.as_name ??
    output.as_sym_float?.as_name
  );
}

export function decodeTensorMeta(json: TensorMetaJson): TensorMeta {
  const dtype = SCALAR_TYPES[json.dtype];
  if (dtype === undefined) throw new TypeError(`a dtype of unknown number ${json.dtype}`);
  return {
    shape: json.sizes.map(decodeSize),
    dtype,
    layout: { shape: json.sizes.map(exampleSize), stride: json.strides.map(exampleSize) },
    requiresGrad: json.requires_grad,
  };
}

/** A number, or the text of an expression of symbols. */
export function decodeSize(json: SymJson): number | string {
  if (json.as_expr) return formatSymbolic(json.as_expr.expr_str);
  const value = json.as_int ?? json.as_float ?? json.as_bool;
  return typeof value === "boolean" ? (value ? "True" : "False") : value!;
}

/** The size when the program was exported; -1 if unknown. */
const exampleSize = ({ as_int: int, as_expr: expr }: SymJson): number =>
  int ?? expr?.hint?.as_int ?? -1;

function modulesOf(text: string): NodeMeta {
  const moduleStack = decodeModuleStack(text);
  const last = moduleStack.at(-1);
  if (last === undefined) return {};
  return { moduleStack, module: last.path, moduleType: last.type.split(".").at(-1)! };
}

/** Parses `key,path,type` for each module, separated by `;`; commas may occur in brackets. */
export function decodeModuleStack(text: string): ModuleFrame[] {
  const frames: ModuleFrame[] = [];
  for (const part of text.split(";")) {
    const [key, path, type, ...more] = splitFields(part);
    if (type === undefined || more.length > 0 || path!.startsWith("_empty_nn_module_stack"))
      continue;
    frames.push({ key: key!, path: cleanPath(path!), type });
  }
  return frames;
}

function splitFields(text: string): string[] {
  if (!/[[(]/.test(text)) return text.split(",");
  const fields = [""];
  let open = 0;
  for (const character of text) {
    if ("[(".includes(character)) open += 1;
    if (")]".includes(character)) open -= 1;
    if (character === "," && open === 0) fields.push("");
    else fields[fields.length - 1] += character;
  }
  return fields;
}

/** Older exporters write `getattr(L['self'].layer1, '0')` for `layer1.0`. */
function cleanPath(path: string): string {
  if (!path.includes("L[")) return path.replace(/@\d+$/, "");
  let clean = path;
  for (let i = 0; i < 64 && clean.includes("getattr("); i += 1) {
    clean = clean.replace(/getattr\(([^()]*), ['"]([^'"]*)['"]\)/, "$1.$2");
  }
  return clean.replace(/\[['"]?([^\]'"]*)['"]?\]/g, ".$1").replace(/^L\.\w+\.?/, "");
}
