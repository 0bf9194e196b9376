import type { Graph } from "./graph.js";
import { type Argument, Literal, Node } from "./node.js";

/** Prints a graph as `torch.fx.Graph` does. */
export function printGraph(graph: Graph): string {
  const readers = graph.readers();
  const lines = graph.nodes.map((node) => {
    const uses = `[num_users=${readers.get(node)!}]`;
    if (node.kind === "output") return `return ${formatArgument(node.args[0], "")}`;
    const head = `%${node.name} : ${uses} = ${node.kind}[target=${targetName(node)}]`;
    if (node.kind !== "call_function") return head;
    return `${head}(args = ${tuple(node.args)}, kwargs = ${dict(node.kwargs)})`;
  });
  return ["graph():", ...lines.map((line) => `    ${line}`)].join("\n");
}

/** PyTorch's ops are printed as functions of `torch.ops`. */
function targetName({ kind, target }: Node): string {
  if (kind !== "call_function" || /^(tfjs|torch|operator|math)\./.test(target)) return target;
  return /^(higher_order\.\w+|\w+\.\w+\.\w+)$/.test(target) ? `torch.ops.${target}` : target;
}

export function formatArgument(argument: Argument, mark = "%"): string {
  if (argument instanceof Node) return mark + argument.name;
  if (argument === null || argument === undefined) return "None";
  if (argument instanceof Literal) return argument.text;
  if (typeof argument === "boolean") return argument ? "True" : "False";
  if (typeof argument === "number") return formatNumber(argument);
  if (typeof argument !== "object") return String(argument);
  if (Array.isArray(argument)) {
    return mark === ""
      ? tuple(argument, mark)
      : `[${argument.map((one: Argument) => formatArgument(one, mark)).join(", ")}]`;
  }
  return dict(argument as Record<string, Argument>, mark);
}

function formatNumber(value: number): string {
  if (Number.isFinite(value)) return String(value).replace(/e-(\d)$/, "e-0$1");
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function tuple(items: readonly Argument[], mark = "%"): string {
  const parts = items.map((one) => formatArgument(one, mark));
  return parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(", ")})`;
}

function dict(items: Readonly<Record<string, Argument>>, mark = "%"): string {
  const parts = Object.entries(items).map(([name, one]) => `${name}: ${formatArgument(one, mark)}`);
  return `{${parts.join(", ")}}`;
}
