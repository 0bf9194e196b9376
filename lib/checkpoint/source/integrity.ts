/** Hashes: those that the caller expects, and those in the cache. */
import { CheckpointError } from "../errors.js";
import { isNode, node } from "../node.js";
import type { LoadTask } from "../task.js";

const ALGORITHMS = ["sha256", "sha384", "sha512"] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const SLICE = 4 * 2 ** 20;

/** The hash of some bytes, in base64. */
export async function digest(
  algorithm: Algorithm,
  bytes: Uint8Array,
  task?: LoadTask,
): Promise<string> {
  if (isNode) {
    // WebCrypto would copy the file.
    const hash = node.crypto().createHash(algorithm);
    for (let at = 0; at < bytes.length; at += SLICE) {
      hash.update(bytes.subarray(at, at + SLICE));
      await task?.breathe();
    }
    return hash.digest("base64");
  }
  const name = `SHA-${algorithm.slice(3)}`;
  const hash = await crypto.subtle.digest(name, bytes as Uint8Array<ArrayBuffer>);
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}

/** One hash of an `integrity` attribute, as for scripts in web pages. */
interface Expected {
  algorithm: Algorithm;
  hash: string;
}

/**
 * Parses `"sha256-<base64>"`. Of several hashes, only those of the strongest algorithm count, and
 * one of them must match.
 *
 * @see https://developer.mozilla.org/docs/Web/Security/Subresource_Integrity
 */
export function parseIntegrity(integrity: string, where = "load"): Expected[] {
  const found = integrity
    .trim()
    .split(/\s+/)
    .map((text) => {
      const parts = /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?.*)?$/.exec(text);
      const length = { sha256: 32, sha384: 48, sha512: 64 }[parts?.[1] as Algorithm];
      const hash = parts?.[2]?.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
      if (hash === undefined || hash.length !== Math.ceil((length * 4) / 3)) {
        throw new TypeError(
          `${where}: integrity must be "sha256-", "sha384-" or "sha512-" and the hash in base64, got "${text}"`,
        );
      }
      return { algorithm: parts![1] as Algorithm, hash };
    });
  const strongest = ALGORITHMS.findLast((name) =>
    found.some(({ algorithm }) => algorithm === name),
  );
  return found.filter(({ algorithm }) => algorithm === strongest);
}

/** @throws CheckpointError if the bytes have another hash. */
export async function checkIntegrity(
  bytes: Uint8Array,
  integrity: string,
  file: string,
  task: LoadTask,
): Promise<void> {
  const expected = parseIntegrity(integrity);
  const { algorithm } = expected[0]!;
  if (typeof crypto !== "object" || crypto.subtle === undefined) {
    throw new CheckpointError("integrity can be checked only on pages served by https", { file });
  }
  const actual = await digest(algorithm, bytes, task);
  if (expected.some(({ hash }) => hash === actual.replace(/=+$/, ""))) return;
  throw new CheckpointError(
    `is not the file that was expected: its hash is ${algorithm}-${actual}, ` +
      `but integrity asks for ${integrity.trim()}`,
    { file },
  );
}
