import { isPlain } from "./structure.js";

/** A list, an object, a map, a set or an array of numbers, as it was: `forward` may go by it. */
export interface Watched {
  /** Whether it still has what it had. */
  holds(): boolean;
  /** Gives it back what it had. */
  restore(): void;
}

/** Of more than so many entries, as of a vocabulary, only the number is watched: it is asked before every call. */
const MOST = 1024;

/** What was found in a value: how it is watched, and what it holds. */
interface Found {
  watched: Watched;
  inner: readonly unknown[];
}

/** What has to be looked at of a value that is data, and what that holds; `null` of anything else. */
export function watch(value: unknown): Found | null {
  if (typeof value !== "object" || value === null) return null;
  if (value instanceof Map) return watchEntries(value, (entry) => value.set(...(entry as [unknown, unknown]))); // prettier-ignore
  if (value instanceof Set) return watchEntries(value, ([one]) => value.add(one));
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value)) {
    return watchList(value as unknown[]);
  }
  return isPlain(value) ? watchObject(value) : null;
}

/** A list, or an array of numbers, whose length stays. */
function watchList(list: unknown[]): Found {
  const { length } = list;
  const before = length > MOST ? [] : Array.from(list);
  const holds = (): boolean => {
    if (list.length !== length) return false;
    for (let i = 0; i < before.length; i += 1) if (!Object.is(list[i], before[i])) return false;
    return true;
  };
  const restore = (): void => {
    if (Array.isArray(list)) list.length = length;
    before.forEach((one, i) => (list[i] = one));
  };
  return { watched: { holds, restore }, inner: before };
}

/** A map or a set. */
function watchEntries(
  value: Map<unknown, unknown> | Set<unknown>,
  put: (entry: readonly unknown[]) => void,
): Found {
  const { size } = value;
  const before = size > MOST ? [] : [...value.entries()];
  const holds = (): boolean => {
    if (value.size !== size) return false;
    let i = 0;
    if (before.length > 0) {
      for (const [name, one] of value.entries()) {
        const [oldName, old] = before[i++]!;
        if (!Object.is(name, oldName) || !Object.is(one, old)) return false;
      }
    }
    return true;
  };
  const restore = (): void => {
    if (size > MOST) return;
    value.clear();
    before.forEach(put);
  };
  return { watched: { holds, restore }, inner: before.flat() };
}

function watchObject(value: Record<string, unknown>): Found {
  const all = Object.keys(value);
  // What is computed is made of what is looked at anyway, and cannot be given back.
  const names = all.filter((name) => !Object.getOwnPropertyDescriptor(value, name)!.get);
  const before = names.length > MOST ? [] : names.map((name) => value[name]);
  const holds = (): boolean => {
    if (Object.keys(value).length !== all.length) return false;
    for (let i = 0; i < before.length; i += 1) if (!Object.hasOwn(value, names[i]!) || !Object.is(value[names[i]!], before[i])) return false; // prettier-ignore
    return true;
  };
  const restore = (): void => {
    for (const name of Object.keys(value)) if (!all.includes(name)) delete value[name];
    before.forEach((one, i) => (value[names[i]!] = one));
  };
  return { watched: { holds, restore }, inner: before };
}
