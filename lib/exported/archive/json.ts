import { CheckpointError } from "../../checkpoint/errors.js";

/** An integer that a number does not hold exactly. */
const LONG = /"(?:[^"\\]|\\.)*"|(?<![\d.eE])-?\d{16,}(?![\d.eE])/g;
const HAS_LONG = /[\s:[,]-?\d{16,}[\s,\]}]/;
const SPECIAL = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/** Reads a member that is JSON and checks its form; what is wrong is a CheckpointError. */
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
 * Python's JSON: integers may be longer than a number holds (`9223372036854775807`), which come as
 * `{ "$int": digits }`, and floats may be `NaN` and `Infinity`, which come as those words.
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
