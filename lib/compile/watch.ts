import { isPlain } from "./structure.js";

/**
 * A list, object, map, set or typed array as it was when the model was traced; `forward` may depend
 * on it.
 */
export interface Watched {
  /** Whether the contents are still the same. */
  holds(): boolean;
  /** Restores the contents. */
  restore(): void;
}

/**
 * Of larger collections, such as a vocabulary, only the size is watched, since this runs before
 * every call.
 */
const MOST = 1024;

/** How a value is watched, and the values in it. */
interface Found {
  watched: Watched;
  inner: readonly unknown[];
}

/** How to watch a value that is plain data, and what it contains; `null` for anything else. */
export function watch(value: unknown): Found | null {
  if (typeof value !== "object" || value === null) return null;
  if (value instanceof Map) return watchEntries(value, (entry) => value.set(...(entry as [unknown, unknown]))); // prettier-ignore
  if (value instanceof Set) return watchEntries(value, ([one]) => value.add(one));
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value)) {
    return watchList(value as unknown[]);
  }
  return isPlain(value) ? watchObject(value) : null;
}

/** A list, or a typed array, whose length cannot change. */
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
  // Properties with getters are left out: they are computed from others that are watched, and could
  // not be restored.
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
