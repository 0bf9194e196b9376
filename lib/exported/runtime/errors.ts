import type { Node } from "../../graph/index.js";

/** Errors that already name a node: that of the innermost graph counts. */
const located = new WeakSet<Error>();

/**
 * Adds to an error the node of the program that failed, its module, and the line of Python code.
 */
export function locate(error: unknown, node: Node): unknown {
  if (!(error instanceof Error) || located.has(error)) return error;
  located.add(error);
  const before = error.message;
  error.message = `${before}\n  ${describeNode(node)}`;
  if (error.stack !== undefined) error.stack = error.stack.replace(before, () => error.message);
  return error;
}

/** `at %conv2d = aten.conv2d.default, in layer1.0.conv1 (Conv2d)`, and the line of Python code. */
export function describeNode(node: Node): string {
  const { module, moduleType } = node.meta;
  const place = module ? `, in ${module} (${moduleType})` : moduleType ? `, in ${moduleType}` : "";
  const line = pythonLine(node);
  return `at %${node.name} = ${node.target}${place}${line === null ? "" : `\n  ${line}`}`;
}

/** The innermost line of the user's own code, or of a library if there is none. */
export function pythonLine({ meta: { stackTrace } }: Node): string | null {
  const frames = (stackTrace ?? "").trim().split(/\n(?=\s*File ")/);
  const own = frames.filter((frame) => !frame.includes("site-packages"));
  const frame = own.at(-1) ?? frames.at(-1)!;
  return frame === "" ? null : frame.trim();
}
