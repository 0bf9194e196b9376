import { CheckpointError } from "../../checkpoint/errors.js";

/** An integer that may be beyond what a number can hold exactly. */
const LONG = /"(?:[^"\\]|\\.)*"|(?<![\d.eE])-?\d{16,}(?![\d.eE])/g;
const HAS_LONG = /[\s:[,]-?\d{16,}[\s,\]}]/;
const SPECIAL = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/** Parses a JSON member and checks its form; errors are CheckpointErrors. */
export function readChecked<T>(text: string, file: string, check: (json: unknown) => void): T {
  const json = readJson(text, file);
  try {
    check(json);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CheckpointError(`is not of the form that is read: ${cause.message}`, { file, cause });
  }
  return json as T;
}

/**
 * Parses JSON as Python writes it: integers that a number cannot hold (`9223372036854775807`)
 * become `{ "$int": digits }`, and the floats `NaN` and `Infinity` become these words.
 */
export function readJson(text: string, file: string): unknown {
  let plain = text;
  if (HAS_LONG.test(plain)) {
    plain = plain.replace(LONG, (found) => (found.startsWith('"') ? found : `{"$int":"${found}"}`));
  }
  if (/NaN|Infinity/.test(plain)) {
    plain = plain.replace(SPECIAL, (found) => (found.startsWith('"') ? found : `"${found}"`));
  }
  try {
    return JSON.parse(plain);
  } catch (cause) {
    throw new CheckpointError(`not JSON: ${(cause as Error).message}`, { file, cause });
  }
}
