import type { Graph } from "./graph.js";
import type { Node } from "./node.js";

const SHAPES: Record<Node["kind"], [string, string]> = {
  placeholder: ["([", "])"],
  get_attr: ["[/", "/]"],
  call_function: ["[", "]"],
  output: ["([", "])"],
};

/** The text in a box: the op, and the shape of its result. */
function label(node: Node): string {
  const { value } = node.meta;
  const shape = value && "shape" in value ? `<br/>${value.dtype} ${value.shape.join("×")}` : "";
  return `"${node.target}${shape}"`;
}

/**
 * The graph as a diagram in the language of Mermaid, which Markdown viewers draw. Modules are boxes
 * around the ops that they called.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function toMermaid(graph: Graph): string {
  const lines = ["flowchart TD"];
  let open: string | undefined;
  const move = (module: string | undefined): void => {
    if (module === open) return;
    if (open !== undefined) lines.push("  end");
    if (module !== undefined) lines.push(`  subgraph m${lines.length} ["${module}"]`);
    open = module;
  };
  for (const node of graph.nodes) {
    move(node.kind === "call_function" ? node.meta.module || undefined : undefined);
    const [left, right] = SHAPES[node.kind];
    lines.push(`  ${open === undefined ? "" : "  "}${node.name}${left}${label(node)}${right}`);
  }
  move(undefined);
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs())) lines.push(`  ${input.name} --> ${node.name}`);
  }
  return lines.join("\n");
}
