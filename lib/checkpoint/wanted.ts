/** Which of a file's tensors are wanted, and under which names. */
import { describe } from "../arguments.js";
import { CheckpointError } from "./errors.js";

export interface Wanted {
  /** Takes only the tensors for which it gives true; the bytes of the others are not read. */
  filter?: ((key: string) => boolean) | undefined;
  /**
   * Takes what is there: the tensor of that name, under it; or those whose names go on with a dot,
   * under what follows. In the file of a trainer, where the state_dict is: `"model"`, `"ema.shadow"`;
   * there it is found without, unless there are several. `filter` is asked by the names that result.
   */
  key?: string | undefined;
}

/** @throws TypeError that says which is not what it should be. */
export function checkWanted(where: string, { key, filter }: Wanted): void {
  if (key !== undefined && typeof key !== "string") {
    throw new TypeError(`${where}: key must be a string, got ${describe(key)}`);
  }
  if (filter === undefined || typeof filter === "function") return;
  const example = (filter as unknown) instanceof RegExp ? String(filter) : "/^encoder\\./";
  throw new TypeError(
    `${where}: filter must be a function of the key, such as (key) => ${example}.test(key), ` +
      `got ${describe(filter)}`,
  );
}

/** Those that `key` names and `filter` lets pass. */
export function choose<T>(found: ReadonlyMap<string, T>, wanted: Wanted): ReadonlyMap<string, T> {
  const { key } = wanted;
  return pass(key === undefined ? found : at(found, key), wanted);
}

/** Those that `filter` lets pass. */
export function pass<T>(found: ReadonlyMap<string, T>, { filter }: Wanted): ReadonlyMap<string, T> {
  if (filter === undefined) return found;
  return new Map([...found].filter(([name]) => isPassed(filter(name))));
}

function isPassed(answer: unknown): boolean {
  if (!(answer instanceof Promise)) return Boolean(answer);
  throw new TypeError("load: filter must tell at once whether it takes a key, got a Promise");
}

function at<T>(found: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  if (found.has(key)) return new Map([[key, found.get(key)!]]);
  const below = under(found, key);
  if (below !== null) return below;
  const names = [...found.keys()].map((name) => `'${name.slice(0, 60)}'`);
  throw new CheckpointError(`there is no '${key}' in it; it has ${list(names)}`, { key });
}

/** What stands under names that begin with the key and a dot; null if nothing does. */
export function under<T>(found: ReadonlyMap<string, T>, key: string): Map<string, T> | null {
  const prefix = `${key}.`;
  const items = [...found].filter(([name]) => name.startsWith(prefix));
  if (items.length === 0) return null;
  return new Map(items.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** `a, b and 3 more`. */
export function list(texts: readonly string[]): string {
  const more = texts.length > 12 ? ` and ${texts.length - 12} more` : "";
  return texts.length === 0 ? "nothing" : texts.slice(0, 12).join(", ") + more;
}
