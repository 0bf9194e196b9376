/** Finds the tensors of a model in a saved value. */
import { CheckpointError } from "./errors.js";
import { NumpyArray } from "./numpy/pickle.js";
import { Global, Placeholder } from "./pickle/values.js";
import { LazyTensor, UnreadableTensor } from "./tensor.js";
import { StorageValue } from "./torch/rebuild.js";
import { list, under } from "./wanted.js";

export type StateDict = Map<string, LazyTensor | UnreadableTensor>;

/** How deep in the value trainers store it, and how deep a state_dict itself may be nested. */
const MAX_SEARCH = 4;
const MAX_NESTING = 32;

/** The keys under which trainers store the model. */
const MODEL_KEYS = new Set([
  ...["state_dict", "model", "model_state_dict", "model_state", "module", "ema"],
  ...["model_ema", "ema_state_dict", "net", "network", "params", "weights", "state"],
]);

/** Keys of other things that contain tensors. */
const OTHER_KEYS =
  /^opt$|optim|sched|callback|loop|hyper|scaler|rng|random|config|args|metric|loss|history|precision/i;

/** A state_dict that was found, and its path in the form of the option `key`. */
interface Candidate {
  path: string;
  value: unknown;
}

/**
 * The state_dict in a saved value: the value itself, or the only one in it, or the one that `key`
 * names.
 *
 * @throws CheckpointError that lists the candidates if there are several, or the contents if there
 *   is none.
 */
export function findStateDict(root: unknown, key: string | undefined): StateDict {
  if (key !== undefined) return collect(resolve(root, key), key);
  const tensor = tensorOf(root);
  if (tensor !== null) return new Map([["array", tensor]]);
  const candidates = findCandidates(root);
  if (candidates.length === 1) return collect(candidates[0]!.value);
  if (candidates.length > 1) throw new CheckpointError(severalOf(candidates));
  throw new CheckpointError(noneOf(root));
}

function tensorOf(value: unknown): LazyTensor | UnreadableTensor | null {
  if (value instanceof NumpyArray || value instanceof StorageValue) return value.tensor;
  return value instanceof LazyTensor || value instanceof UnreadableTensor ? value : null;
}

/**
 * A key of a dict as Python prints it; null for tuples and objects. Floats are printed as
 * JavaScript does: `1` for 1.0 (here the same as a pickle's integer 1), `0.00001` and `Infinity`.
 */
function nameOf(key: unknown): string | null {
  if (key === null) return "None";
  if (typeof key === "boolean") return key ? "True" : "False";
  const isName = typeof key === "string" || typeof key === "number" || typeof key === "bigint";
  return isName ? String(key) : null;
}

/** The items of a dict or list, with their keys as text; null for anything else. */
function itemsOf(value: unknown): [string, unknown][] | null {
  const items = value instanceof Placeholder ? value.items : value;
  if (items instanceof Map) {
    const pairs = [...(items as Map<unknown, unknown>)];
    return pairs.flatMap(([key, item]): [string, unknown][] => {
      const name = nameOf(key);
      return name === null ? [] : [[name, item]];
    });
  }
  if (Array.isArray(items)) return items.map((item, i) => [String(i), item as unknown]);
  return null;
}

const isOptimizer = (value: unknown): boolean =>
  value instanceof Map && value.has("state") && value.has("param_groups");

function findCandidates(root: unknown): Candidate[] {
  const seen = new Set<unknown>();
  const search = (value: unknown, path: string, depth: number): Candidate[] => {
    if (depth > MAX_SEARCH || seen.has(value) || isOptimizer(value)) return [];
    const isDict = value instanceof Map || value instanceof Placeholder;
    const items = isDict || depth === 0 ? itemsOf(value) : null;
    if (items === null) return [];
    seen.add(value);
    const tensors = items.filter(([, item]) => tensorOf(item) !== null).length;
    const isOnlyTensors = tensors === items.length && value instanceof Map;
    const isModel = isOnlyTensors && (tensors > 0 || depth === 0 || MODEL_KEYS.has(lastOf(path)));
    if (isModel) return [{ path, value }];
    const below = items
      .filter(([name]) => !OTHER_KEYS.test(name))
      .flatMap(([name, item]) => search(item, path ? `${path}.${name}` : name, depth + 1));
    const isTrainer = items.some(([name, item]) => MODEL_KEYS.has(name) && seen.has(item));
    if (isTrainer && below.length > 0) return below;
    if (tensors > 0 && 2 * tensors >= items.length) return [{ path, value }];
    if (below.length > 0) return below;
    return tensors > 0 && depth === 0 ? [{ path, value }] : [];
  };
  return search(root, "", 0);
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

/** The value at a path of keys, which may contain dots themselves. */
function resolve(root: unknown, key: string): unknown {
  let steps = 0;
  const walk = (value: unknown, rest: string): unknown => {
    steps += 1;
    if (steps > 100_000) return undefined;
    const items = new Map(itemsOf(value));
    if (items.has(rest)) return items.get(rest);
    for (const [name, item] of items) {
      if (!rest.startsWith(`${name}.`)) continue;
      const found = walk(item, rest.slice(name.length + 1));
      if (found !== undefined) return found;
    }
    return under(items, rest) ?? undefined;
  };
  const found = walk(root, key);
  if (found !== undefined) return found;
  throw new CheckpointError(`there is no '${key}' in it; ${contentsOf(root)}`, { key });
}

/** All tensors in a value, nested ones with dotted keys; if it is a tensor itself, under `name`. */
function collect(value: unknown, name = "array"): StateDict {
  const state: StateDict = new Map();
  const seen = new Set<unknown>();
  const add = (item: unknown, path: string, depth: number): void => {
    const tensor = tensorOf(item);
    if (tensor !== null) {
      state.set(depth === 0 ? name : path, tensor);
      return;
    }
    const items = itemsOf(item);
    if (items === null || seen.has(item) || depth > MAX_NESTING) return;
    seen.add(item);
    for (const [step, child] of items) add(child, depth > 0 ? `${path}.${step}` : step, depth + 1);
  };
  add(value, "", 0);
  if (state.size > 0 || (value instanceof Map && value.size === 0)) return state;
  throw new CheckpointError(`there are no tensors under '${name}'; ${contentsOf(value)}`);
}

function severalOf(candidates: Candidate[]): string {
  const lines = candidates.slice(0, 10).map(({ path, value }) => {
    const names = itemsOf(value)!.map(([name]) => name);
    const shown = names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
    return `  { key: ${JSON.stringify(path)} }: ${names.length} keys (${shown})`;
  });
  const more = candidates.length > 10 ? `\n  and ${candidates.length - 10} more` : "";
  return `holds several models; choose one by the option key:\n${lines.join("\n")}${more}`;
}

function noneOf(root: unknown): string {
  if (isOptimizer(root)) return "holds the state of an optimizer, and no model";
  const modules = [["", root] as [string, unknown], ...(itemsOf(root) ?? [])].filter(
    ([, value]) => value instanceof Placeholder,
  ) as [string, Placeholder][];
  const found = modules.find(([name]) => name === "" || MODEL_KEYS.has(name));
  if (found === undefined) return `holds no state_dict; ${contentsOf(root)}`;
  const [name, { className }] = found;
  return (
    `holds a pickled object of class ${className}${name && ` under '${name}'`}, which is code, not a ` +
    "state_dict; in Python, save its tensors: torch.save(model.state_dict(), path)"
  );
}

function contentsOf(value: unknown): string {
  const items = itemsOf(value);
  if (items === null || value instanceof Placeholder) return `it is ${describe(value)}`;
  if (items.length === 0) return `it is ${describe(value)}, and empty`;
  return `it has ${list(items.map(([name, item]) => `'${name.slice(0, 60)}' (${describe(item)})`))}`;
}

function describe(value: unknown): string {
  if (tensorOf(value) !== null) return "a tensor";
  if (value instanceof Placeholder) return `an object of class ${value.className}`;
  if (value instanceof Global) return value.path;
  if (value instanceof Map) return "a dict";
  if (value instanceof Set) return "a set";
  if (value instanceof Uint8Array) return "bytes";
  if (Array.isArray(value)) return "a list";
  if (value === null) return "None";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
