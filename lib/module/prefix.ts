import type { StateSource, StateValue } from "./state-dict.js";

/**
 * A state_dict without the prefix that a wrapper has added to its keys: `module.` (DataParallel),
 * `_orig_mod.` (torch.compile), `net.` (an attribute of a trainer). Keys without the prefix are
 * kept.
 *
 * @see torch.nn.modules.utils.consume_prefix_in_state_dict_if_present
 * @example model.loadStateDict(nn.stripPrefix(await nn.load(url), "module."));
 */
export function stripPrefix<T extends StateValue>(
  state: ReadonlyMap<string, T> | Readonly<Record<string, T>>,
  prefix: string,
): Map<string, T>;
export function stripPrefix(state: StateSource, prefix: string): Map<string, StateValue> {
  const items = state instanceof Map ? [...state] : Object.entries(state);
  return new Map(
    (items as [string, StateValue][]).map(([key, value]) => [
      key.startsWith(prefix) ? key.slice(prefix.length) : key,
      value,
    ]),
  );
}

/** The prefix that all unexpected keys have, if without it they are missing keys; else `null`. */
export function sharedPrefix(
  missing: readonly string[],
  unexpected: readonly string[],
): string | null {
  const [first] = unexpected;
  if (first === undefined) return null;
  const wanted = new Set(missing);
  const ends = [...first.matchAll(/\./g)].map(({ index }) => index + 1);
  const counts = ends
    .map((end) => first.slice(0, end))
    .filter((prefix) => unexpected.every((key) => key.startsWith(prefix)))
    .map((prefix) => ({
      prefix,
      count: unexpected.filter((key) => wanted.has(key.slice(prefix.length))).length,
    }))
    .filter(({ count }) => count > 0);
  counts.sort((a, b) => b.count - a.count);
  return counts[0]?.prefix ?? null;
}
