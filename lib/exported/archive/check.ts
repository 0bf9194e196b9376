/** Checks the form of JSON values, and reports where it is wrong. */
import { describe } from "../../arguments.js";

interface Problem {
  /** `.nodes[3].inputs` */
  at: string;
  want: string;
  got: unknown;
}

export type Check = (value: unknown) => Problem | null;

/** A check for each key of an interface. */
type Checks<T> = { readonly [K in keyof Required<T>]: Check };

const is =
  (want: string, holds: (value: unknown) => boolean): Check =>
  (got) =>
    holds(got) ? null : { at: "", want, got };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const string = is("a string", (value) => typeof value === "string");
export const boolean = is("true or false", (value) => typeof value === "boolean");
export const number = is("a number", (value) => typeof value === "number");

/** An integer; integers that a number cannot hold are represented by their digits. */
export const integer = is(
  "an integer",
  (value) => Number.isInteger(value) || (isRecord(value) && typeof value.$int === "string"),
);

/** A float; numbers that JSON lacks are represented by their names. */
export const float = is(
  "a number",
  (value) =>
    typeof value === "number" ||
    (typeof value === "string" && /^(-?Infinity|NaN)$/.test(value)) ||
    integer(value) === null,
);

/** A value that may be absent or null. */
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null ? null : check(value);

export const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return { at: "", want: "a list", got: value };
    for (let i = 0; i < value.length; i += 1) {
      const problem = check(value[i]);
      if (problem !== null) return { ...problem, at: `[${i}]${problem.at}` };
    }
    return null;
  };

/** An object with arbitrary keys. */
export const recordOf =
  (check: Check): Check =>
  (value) => {
    if (!isRecord(value)) return { at: "", want: "an object", got: value };
    for (const key of Object.keys(value)) {
      const problem = check(value[key]);
      if (problem !== null) return { ...problem, at: `.${key}${problem.at}` };
    }
    return null;
  };

/** An object with these keys; other keys are allowed, and ignored. */
export function object<T>(checks: Checks<T>): Check {
  const entries = Object.entries<Check>(checks);
  return (value) => {
    if (!isRecord(value)) return { at: "", want: "an object", got: value };
    for (const [key, check] of entries) {
      const problem = check(Object.hasOwn(value, key) ? value[key] : undefined);
      if (problem !== null) return { ...problem, at: `.${key}${problem.at}` };
    }
    return null;
  };
}

/** An object with one of several keys, which tells its kind. */
export function oneOf<T>(checks: Checks<T>): Check {
  return (value) => {
    if (!isRecord(value)) return { at: "", want: "an object", got: value };
    for (const key of Object.keys(value)) {
      const problem = Object.hasOwn(checks, key) ? checks[key as keyof T](value[key]) : null;
      if (problem !== null) return { ...problem, at: `.${key}${problem.at}` };
    }
    return null;
  };
}

/** For types that contain values of their own type. */
export const lazy =
  (check: () => Check): Check =>
  (value) =>
    check()(value);

/** @throws TypeError that tells where, what was expected and what came. */
export function expectForm(value: unknown, check: Check, name: string): void {
  const problem = check(value);
  if (problem === null) return;
  const got = problem.got === undefined ? "nothing" : describe(problem.got);
  throw new TypeError(`${name}${problem.at}: expected ${problem.want}, got ${got}`);
}
