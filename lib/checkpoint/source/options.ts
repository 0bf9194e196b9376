/** The options of all functions that read checkpoints, and their checks. */
import { describe } from "../../arguments.js";
import type { TaskOptions } from "../task.js";
import { parseIntegrity } from "./integrity.js";

export interface SourceOptions extends TaskOptions {
  /**
   * Whether to use the cache of files from the web: `"reload"` downloads a file even if it is
   * cached. Default: true.
   */
  cache?: boolean | "reload" | undefined;
  /** The hash that the file must have, as for scripts in web pages: `"sha256-<base64>"`. */
  integrity?: string | undefined;
}

type Defaults<T> = { [K in keyof Required<T>]: T[K] };

export const SOURCE_OPTIONS: Defaults<SourceOptions> = {
  cache: undefined,
  integrity: undefined,
  onProgress: undefined,
  signal: undefined,
};

/** Also accepts a polyfill's signal. */
function isSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}

/** @throws TypeError that names the wrong option. */
export function checkSourceOptions(where: string, options: SourceOptions): void {
  const { cache, integrity, onProgress, signal } = options;
  const fail = (name: string, expected: string, got: unknown): never => {
    throw new TypeError(`${where}: ${name} must be ${expected}, got ${describe(got)}`);
  };
  if (cache !== undefined && typeof cache !== "boolean" && cache !== "reload") {
    fail("cache", `true, false or "reload"`, cache);
  }
  if (integrity !== undefined && typeof integrity !== "string") {
    fail("integrity", `"sha256-" and the hash in base64`, integrity);
  }
  if (integrity !== undefined) parseIntegrity(integrity, where);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    fail("onProgress", "a function", onProgress);
  }
  if (signal !== undefined && !isSignal(signal)) {
    const isController = isSignal((signal as { signal?: unknown } | null)?.signal);
    fail(
      "signal",
      isController ? "an AbortSignal (pass controller.signal)" : "an AbortSignal",
      signal,
    );
  }
}
