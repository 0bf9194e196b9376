/**
 * How the inputs and outputs of a program are nested: torch.utils._pytree's TreeSpec, as stored in
 * files.
 *
 * Tuples and lists are arrays; dicts, named tuples, dataclasses and the outputs of Hugging Face's
 * models are plain objects. For other classes the context decides: it is an object if the children
 * have names there, else an array.
 * names its children, else an array.
 */
import * as tf from "@tensorflow/tfjs-core";
import { expectTree } from "./archive/form.js";
import type { TreeJson } from "./archive/schema.js";
import { quote } from "./python/print.js";

export interface Tree {
  /** The class, such as `builtins.dict`; null for a leaf. */
  readonly type: string | null;
  /** The names of the children, if they have names. */
  readonly keys: readonly (string | number)[] | null;
  /** For a dataclass: its fields that were None. */
  readonly noneKeys: readonly string[];
  readonly context: unknown;
  readonly children: readonly Tree[];
}

const LEAF: Tree = { type: null, keys: null, noneKeys: [], context: null, children: [] };
const MAX_DEPTH = 64;

/** @param namedtuples the fields of each class of named tuples. */
export function parseTree(
  text: string,
  namedtuples: Readonly<Record<string, { field_names: string[] }>> = {},
): Tree {
  const [protocol, json] = parseList(text);
  if (protocol !== 1) throw new TypeError(`a TreeSpec of protocol ${JSON.stringify(protocol)}`);
  expectTree(json);
  const convert = ({ type, context, children_spec: inner }: TreeJson, depth: number): Tree => {
    if (type === null || type === undefined) return LEAF;
    if (depth > MAX_DEPTH) throw new TypeError("a TreeSpec nested too deep");
    const children = inner.map((child) => convert(child, depth + 1));
    const parsed = parseContext(context);
    const names = keysOf(type, parsed, children.length, namedtuples);
    return { type, context: parsed, children, ...names };
  };
  return convert(json as TreeJson, 0);
}

function parseList(text: string): unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list;
  } catch {
    // The error below describes what is wrong.
  }
  throw new TypeError(`a TreeSpec that is no list: ${quote(text.slice(0, 80))}`);
}

function parseContext(context: string | null): unknown {
  if (context === null) return null;
  try {
    return JSON.parse(context);
  } catch {
    return context;
  }
}

const isNames = (value: unknown, count: number): value is string[] =>
  Array.isArray(value) && value.length === count && value.every(isKey);

const isKey = (value: unknown): boolean => typeof value === "string" || typeof value === "number";

function keysOf(
  type: string,
  context: unknown,
  count: number,
  namedtuples: Readonly<Record<string, { field_names: string[] }>>,
): Pick<Tree, "keys" | "noneKeys"> {
  const noneKeys: string[] = [];
  if (type === "builtins.tuple" || type === "builtins.list") return { keys: null, noneKeys };
  const fields = [type, String(context)].map((name) => namedtuples[name]?.field_names);
  const named = fields.find((names) => names?.length === count);
  if (named) return { keys: named, noneKeys };
  if (isNames(context, count)) return { keys: context, noneKeys };
  if (Array.isArray(context)) {
    // A dataclass has [its fields, those that are None]; a defaultdict has [its factory, its keys].
    const names = (context as unknown[]).find((part) => isNames(part, count)) as string[];
    const rest = (context as unknown[]).filter((part) => part !== names && Array.isArray(part));
    if (names) return { keys: names, noneKeys: rest.flat().filter(isKey) as string[] };
  }
  return { keys: null, noneKeys };
}

/** Restores the structure around a list of leaves. */
export function unflatten(tree: Tree, leaves: readonly unknown[]): unknown {
  let at = 0;
  const build = (node: Tree): unknown => {
    if (node.type === null) return leaves[at++];
    const values = node.children.map(build);
    if (node.keys === null) return values;
    const none = node.noneKeys.map((key): [string, unknown] => [key, null]);
    return Object.fromEntries([...node.keys.map((key, i) => [key, values[i]]), ...none]) as unknown;
  };
  return build(tree);
}

/** The paths of the leaves: `x`, `d['k']`, `xs[0]`, `batch.ids`. */
export function leafPaths(tree: Tree, path: string): string[] {
  if (tree.type === null) return [path];
  const { keys, type } = tree;
  return tree.children.flatMap((child, i) => {
    const key = keys?.[i] ?? i;
    const isAttribute = keys !== null && !isDict(type);
    const step = isAttribute ? `.${key}` : `[${typeof key === "string" ? quote(key) : key}]`;
    return leafPaths(child, path + step);
  });
}

const isDict = (type: string): boolean => /(^|\.)(dict|OrderedDict|defaultdict)$/.test(type);

/** Whether a value is a plain object or a Map, and not a tensor. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  if (value instanceof tf.Tensor || ArrayBuffer.isView(value)) return false;
  return true;
}

const entriesOf = (value: Record<string, unknown>): [string, unknown][] =>
  value instanceof Map
    ? [...(value as Map<unknown, unknown>)].map(([key, item]) => [String(key), item])
    : Object.entries(value);

/** The leaves of a value with the structure of the tree; null if it has another structure. */
export function flatten(tree: Tree, value: unknown): unknown[] | null {
  if (tree.type === null) {
    return Array.isArray(value) || isRecord(value) ? null : [value ?? null];
  }
  const { keys, children } = tree;
  let items: unknown[];
  if (keys === null || Array.isArray(value)) {
    if (!Array.isArray(value) || value.length !== children.length) return null;
    if (keys !== null && isDict(tree.type)) return null;
    items = value;
  } else {
    if (!isRecord(value)) return null;
    const entries = new Map(entriesOf(value));
    for (const key of tree.noneKeys) if (entries.get(key) === null) entries.delete(key);
    if (entries.size !== keys.length || !keys.every((key) => entries.has(String(key)))) return null;
    items = keys.map((key) => entries.get(String(key)));
  }
  const leaves: unknown[] = [];
  for (const [i, child] of children.entries()) {
    const inner = flatten(child, items[i]);
    if (inner === null) return null;
    leaves.push(...inner);
  }
  return leaves;
}

/** The tree of a value; `like` tells whether an array is a tuple or a list. */
export function treeOf(value: unknown, like?: Tree): Tree {
  if (Array.isArray(value)) {
    const isSequence = like !== undefined && like.keys === null && like.type !== null;
    const type = isSequence ? like.type : "builtins.list";
    const children = value.map((item, i) => treeOf(item, like?.children[i]));
    return { type, keys: null, noneKeys: [], context: null, children };
  }
  if (!isRecord(value)) return LEAF;
  const entries = entriesOf(value);
  const keys = entries.map(([key]) => key);
  const children = entries.map(([key, item]) => {
    const i = like?.keys?.indexOf(key) ?? -1;
    return treeOf(item, i < 0 ? undefined : like!.children[i]);
  });
  const type = like?.keys ? like.type : "builtins.dict";
  return { type, keys, noneKeys: [], context: keys, children };
}

/** As Python prints a TreeSpec. */
export function formatTree(tree: Tree, indent = 0): string {
  if (tree.type === null) return "*";
  const inner = indent + 2;
  const name = tree.type.split(".").at(-1)!;
  const children = tree.children.map((child, i) =>
    i === 0 ? formatTree(child, inner) : `\n${" ".repeat(inner)}${formatTree(child, inner)}`,
  );
  return `TreeSpec(${name}, ${formatContext(tree.context)}, [${children.join(",")}])`;
}

function formatContext(context: unknown): string {
  if (context === null) return "None";
  if (typeof context === "string") return quote(context);
  if (Array.isArray(context)) return `[${context.map(formatContext).join(", ")}]`;
  return JSON.stringify(context);
}
