/** Which tensors of a file are wanted, and under which names. */
import { describe } from "../arguments.js";
import { CheckpointError } from "./errors.js";

export interface Wanted {
  /** Reads only the tensors for which it returns true; the bytes of others are not read. */
  filter?: ((key: string) => boolean) | undefined;
  /**
   * Reads only a part: the tensor with that name, or those whose names begin with it and a dot,
   * which is then removed. In a trainer's file it is the path of the state_dict, such as `"model"`
   * or `"ema.shadow"`; needed only if there are several. `filter` gets the resulting names.
   */
  key?: string | undefined;
}

/** @throws TypeError that names the wrong option. */
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

/** The tensors that `key` and `filter` select. */
export function choose<T>(found: ReadonlyMap<string, T>, wanted: Wanted): ReadonlyMap<string, T> {
  const { key } = wanted;
  return pass(key === undefined ? found : at(found, key), wanted);
}

/** The tensors that `filter` selects. */
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

/** The tensors whose names begin with the key and a dot, without that; null if there are none. */
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
