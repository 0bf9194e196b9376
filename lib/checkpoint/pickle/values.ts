/**
 * The values in a pickle: str is a string, bytes a Uint8Array, int a number (a bigint beyond 2^53),
 * list and tuple an array, dict a Map, set a Set, and anything else one of these classes.
 */

/** The name of a class or function, which is never looked up. */
export class Global {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** An object of an unknown class: it stores what the pickle says about it. */
export class Placeholder {
  state: unknown = undefined;
  /** Filled if the class is a kind of dict or list. */
  readonly items = new Map<unknown, unknown>();
  readonly list: unknown[] = [];

  constructor(
    readonly className: string,
    readonly args: unknown,
  ) {}
}

/** A value that a pickle gives a state after it has been made. */
export interface Stateful {
  setState(state: unknown): void;
}

export function isStateful(value: unknown): value is Stateful {
  return typeof (value as Partial<Stateful> | null)?.setState === "function";
}

/** Makes the value that Python would get by calling the function of that name. */
export type Builder = (...args: unknown[]) => unknown;

/** Python's path of a callable → what it builds here. All others are refused. */
export type Builders = ReadonlyMap<string, Builder>;
