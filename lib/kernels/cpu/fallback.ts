/** The kernels in plain JavaScript: loaded only where WebAssembly cannot run. */
import type * as js from "./js/index.js";

type InJs = typeof js;

let loaded: InJs | null = null;

/** Before a heap of the `js` build is used. */
export async function loadFallback(): Promise<void> {
  loaded ??= await import("./js/index.js");
}

export function inJs(): InJs {
  if (loaded === null) throw new Error("kernels: call loadFallback before using the js build");
  return loaded;
}
