/**
 * Fills in defaults and refuses unknown names, for the many who write plain JavaScript.
 *
 * `undefined` counts as not given, so that options can be passed through.
 */
export function readOptions<T extends object>(
  where: string,
  defaults: Readonly<T>,
  partial: Readonly<Partial<NoInfer<T>>> | undefined,
): T {
  const options: T = { ...defaults };
  if (partial === undefined) return options;
  const given = partial as Partial<T>;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(
      `${where}: options must be an object { ${Object.keys(defaults).join(", ")} }, got ${describe(given)}`,
    );
  }
  for (const key in given) {
    if (!Object.hasOwn(defaults, key)) {
      const known = Object.keys(defaults);
      throw new TypeError(
        `${where} got an unexpected option '${key}'; ` +
          (known.length ? `known options: ${known.join(", ")}` : "it takes no options"),
      );
    }
    if (given[key] !== undefined) options[key] = given[key];
  }
  return options;
}

/** What a value is, in words for an error message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "function") return "a function";
  if (value instanceof Promise) return "a Promise (is an await missing?)";
  if (typeof value !== "object") return `${typeof value} ${JSON.stringify(value)}`;
  return `an object of ${(value as { constructor?: { name?: string } }).constructor?.name ?? "no"} class`;
}

/** `3` and `[3, 3]` alike become `[3, 3]`: the one form that is used inside. */
export function expandSize(where: string, value: number | readonly number[], n: number): number[] {
  if (Number.isInteger(value)) return new Array<number>(n).fill(value as number);
  if (typeof value !== "object") {
    throw new TypeError(
      `${where} must be a single int or an array of ${n} ints, but got ${describe(value)}`,
    );
  }
  if (value.length === n && value.every(Number.isInteger)) return [...value];
  throw new RangeError(
    `${where} must be a single int or an array of ${n} ints, but got [${value.join(", ")}]`,
  );
}

/** As {@link expandSize}; `[3]` becomes `[3, 3]` too, where PyTorch expands such a list. */
export function expandSteps(where: string, value: number | readonly number[], n: number): number[] {
  const isOne = Array.isArray(value) && value.length === 1;
  return expandSize(where, isOne ? (value as number[])[0]! : value, n);
}
