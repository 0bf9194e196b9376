/**
 * What a pickle holds, without Python: str is a string, bytes a Uint8Array, int a number (a bigint
 * beyond 2^53), list and tuple an array, dict a Map, set a Set, and the rest is one of these.
 */

/** A name of a class or function: only a name, never looked up. */
export class Global {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** An object of a class that is not known here: what the pickle says about it, inert. */
export class Placeholder {
  state: unknown = undefined;
  /** Filled if the class is a kind of dict, or of list. */
  readonly items = new Map<unknown, unknown>();
  readonly list: unknown[] = [];

  constructor(
    readonly className: string,
    readonly args: unknown,
  ) {}
}

/** Something that takes the state that a pickle gives it after making it. */
export interface Stateful {
  setState(state: unknown): void;
}

export function isStateful(value: unknown): value is Stateful {
  return typeof (value as Partial<Stateful> | null)?.setState === "function";
}

/** Makes the value that Python would get by calling a function of that name. */
export type Builder = (...args: unknown[]) => unknown;

/** Python's path of a callable → what it builds here. All others are refused. */
export type Builders = ReadonlyMap<string, Builder>;
