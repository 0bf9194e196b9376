/** Prints an exported program as `print(ep)` does. */
import { type Argument, type Graph, Literal, Node } from "../../graph/index.js";
import { isComplexNumber } from "../aten/support/complex.js";
import { formatFloat } from "../decode-arguments.js";
import { quote } from "../python/print.js";
import type { ProgramParts } from "../program.js";
import type { InputSpec, OutputSpec } from "../signature.js";

export function formatProgram({ graph, signature, ranges }: ProgramParts): string {
  const module = formatModule("GraphModule", graph).replaceAll("\n", "\n    ");
  const inputs = signature.inputs.map((spec, i) => formatInput(spec, graph.placeholders[i]!));
  const values = graph.output?.args[0];
  const outputs = signature.outputs.map((spec, i) =>
    formatOutput(spec, Array.isArray(values) ? (values[i] as Argument) : values),
  );
  const lines = ["# inputs", ...inputs, "", "# outputs", ...outputs];
  const text = `\nGraph signature:\n${lines.join("\n")}\n`.replaceAll("\n", "\n    ");
  const constraints = Object.entries(ranges).map(
    ([symbol, { min_val: min, max_val: max }]) =>
      `${symbol}: VR[${min ?? "-int_oo"}, ${max ?? "int_oo"}]`,
  );
  return (
    `ExportedProgram:\n    ${module}${text.replace("\n    Graph", "\nGraph")}\n` +
    `Range constraints: {${constraints.join(", ")}}\n`
  );
}

const KINDS = { parameter: "PARAMETER", buffer: "BUFFER", constant: "CONSTANT_TENSOR" } as const;

function formatInput(spec: InputSpec, { name }: Node): string {
  if (spec.kind === "user") return `${name}: USER_INPUT`;
  if (spec.kind === "token") return `${name}: TOKEN`;
  const persistent =
    spec.kind === "buffer" ? ` persistent=${spec.persistent ? "True" : "False"}` : "";
  return `${name}: ${KINDS[spec.kind]} target=${quote(spec.key)}${persistent}`;
}

const WRITTEN = {
  buffer: "BUFFER_MUTATION",
  parameter: "PARAMETER_MUTATION",
  input: "USER_INPUT_MUTATION",
} as const;

function formatOutput(spec: OutputSpec, value: Argument): string {
  const name = value instanceof Node ? value.name : "";
  if (spec.kind === "user") return `${name}: USER_OUTPUT`;
  if (spec.kind === "ignored") return `${name}: TOKEN`;
  return `${name}: ${WRITTEN[spec.kind]} target=${quote(spec.key)}`;
}

/** Indents text, except for empty lines. */
const indent = (text: string, by: string): string => text.replace(/^(?=.)/gm, by);

function formatModule(name: string, graph: Graph): string {
  const inputs = graph.placeholders.map((node) => annotated(node));
  const head = `class ${name}(torch.nn.Module):\n    def forward(${["self", ...inputs].join(", ")}):`;
  const body = indent(formatBody(graph).join("\n"), " ".repeat(8));
  const inner = [...graph.subgraphs].map(
    ([target, subgraph]) => `\n${indent(formatModule(target, subgraph), "    ")}`,
  );
  return `${head}\n${body}\n${inner.join("")}`;
}

/** The statements, with the lines of Python code that they come from. */
function formatBody(graph: Graph): string[] {
  const users = graph.users();
  const lastReads = readLast(graph);
  const lines: string[] = [];
  let previous: string | null = null;
  for (const node of graph.nodes) {
    if (node.kind === "placeholder") continue;
    if (node.kind === "output") {
      lines.push(`return ${python(node.args[0], true)}`);
      continue;
    }
    const summary = summaryOf(node.meta.stackTrace);
    if (summary !== previous) lines.push(`${previous === null ? "" : "\n"}# ${summary}`);
    previous = summary;
    const done = [...(lastReads.get(node) ?? [])];
    if (users.get(node)!.size === 0) done.push(node);
    const free = done.length > 0 ? `;  ${done.map(({ name }) => `${name} = `).join("")}None` : "";
    lines.push(`${annotated(node)} = ${callText(node)}${free}`);
  }
  return lines;
}

/** For each node, the values that no later node reads. */
function readLast(graph: Graph): Map<Node, Node[]> {
  const seen = new Set<Node>();
  const last = new Map<Node, Node[]>();
  for (const node of graph.nodes.toReversed()) {
    for (const input of node.inputs()) {
      if (seen.has(input)) continue;
      seen.add(input);
      last.set(node, [...(last.get(node) ?? []), input]);
    }
  }
  return last;
}

function summaryOf(trace: string | undefined): string {
  const lines = (trace ?? "").trim().split("\n");
  for (let i = lines.length - 2; i >= 0; i -= 1) {
    const found = /^File "(.+)", line (\d+), in (.+)$/.exec(lines[i]!.trim());
    if (!found) continue;
    const [, file, line, name] = found;
    return `File: ${file}:${line} in ${name}, code: ${lines[i + 1]!.trim()}`;
  }
  return "No stacktrace found for following nodes";
}

const INFIX: Readonly<Record<string, string>> = {
  ...{ eq: "==", ne: "!=", lt: "<", gt: ">", le: "<=", ge: ">=", add: "+", sub: "-", mul: "*" },
  ...{ floordiv: "//", truediv: "/", mod: "%", pow: "**", and_: "&", or_: "|", xor: "^" },
  ...{ lshift: "<<", rshift: ">>" },
};

function callText({ kind, target, args, kwargs }: Node): string {
  if (kind === "get_attr") return `self.${target}`;
  const operator = /^operator\.(\w+)$/.exec(target)?.[1];
  if (operator === "getitem") return `${python(args[0])}[${python(args[1])}]`;
  if (operator === "neg") return `-${python(args[0])}`;
  if (operator !== undefined && Object.hasOwn(INFIX, operator)) {
    return `${python(args[0])} ${INFIX[operator]} ${python(args[1])}`;
  }
  const isTorch = /^(torch|math|operator|tfjs)\./.test(target);
  const named = Object.entries(kwargs).map(([name, value]) => `${name} = ${python(value)}`);
  const all = [...args.map((one) => python(one)), ...named];
  return `${isTorch ? target : `torch.ops.${target}`}(${all.join(", ")})`;
}

/** An argument as Python code. */
function python(argument: Argument, isTuple = false): string {
  if (argument instanceof Node) return argument.name;
  if (argument === null || argument === undefined) return "None";
  if (argument instanceof Literal) return literal(argument);
  if (typeof argument === "boolean") return argument ? "True" : "False";
  if (typeof argument === "string")
    return isDevice(argument) ? deviceText(argument) : quote(argument);
  if (Array.isArray(argument)) {
    const items = argument.map((one: Argument) => python(one));
    if (!isTuple) return `[${items.join(", ")}]`;
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
  }
  if (typeof argument !== "object") return String(argument);
  const entries = Object.entries(argument as Record<string, Argument>);
  return `{${entries.map(([key, one]) => `${quote(key)}: ${python(one)}`).join(", ")}}`;
}

function literal({ value, text }: Literal): string {
  // As torch.fx prints numbers that are imaginary only.
  if (isComplexNumber(value) && value.real === 0) {
    return `complex(${formatFloat(value.real)}, ${formatFloat(value.imag)})`;
  }
  // An op as an argument of another op is printed by its name.
  return value === text ? `torch.ops.${text}` : text;
}

const isDevice = (text: string): boolean => /^(cpu|cuda|mps|xpu|meta)(:\d+)?$/.test(text);

function deviceText(device: string): string {
  const [type, index] = device.split(":");
  return `device(type='${type}'${index === undefined ? "" : `, index=${index}`})`;
}

const SHORT: Readonly<Record<string, string>> = {
  ...{ float16: "f16", bfloat16: "bf16", float32: "f32", float64: "f64", complex32: "c32" },
  ...{ complex64: "c64", complex128: "c128", int8: "i8", int16: "i16", int32: "i32", int64: "i64" },
  ...{ bool: "b8", uint8: "u8", uint16: "u16", uint32: "u32", uint64: "u64" },
};

function annotated({ name, meta: { value, symbol } }: Node): string {
  if (symbol !== undefined) return `${name}: "Sym(${symbol})"`;
  if (value === undefined || !("dtype" in value)) return name;
  const { dtype, shape } = value;
  return `${name}: "${SHORT[dtype] ?? dtype}[${shape.join(", ")}]"`;
}
