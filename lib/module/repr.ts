import type { Module } from "./module.js";
import { ownChildren } from "./walk.js";

const indent = (text: string): string => text.replaceAll("\n", "\n  ");

/** PyTorch's `Module.__repr__`. */
export function repr(module: Module): string {
  const children = ownChildren(module).map(
    ([name, child]) => `(${name}): ${child === null ? "None" : indent(String(child))}`,
  );
  return layOut(module.constructor.name, module.extraRepr(), children);
}

/**
 * `Name(extra)` on one line; if there are children or several lines of extra, one line for each.
 */
export function layOut(name: string, extra: string, children: readonly string[]): string {
  const extraLines = extra === "" ? [] : extra.split("\n");
  const lines = [...extraLines, ...children];
  if (lines.length === 0) return `${name}()`;
  if (extraLines.length === 1 && children.length === 0) return `${name}(${extra})`;
  return `${name}(\n  ${lines.join("\n  ")}\n)`;
}

/** The module on one line: `Linear(in_features=2, …)`; of a container the name only. */
export function head(module: Module): string {
  const name = module.constructor.name;
  return ownChildren(module).length ? name : layOut(name, module.extraRepr(), []);
}
