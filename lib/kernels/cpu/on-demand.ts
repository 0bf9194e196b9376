/** What few need is loaded by whoever does. */
import type * as js from "./js/index.js";
import type * as narrowed from "./narrowing.js";

function onDemand<T>(load: () => Promise<T>): [load: () => Promise<void>, get: () => T] {
  let loaded: T | null = null;
  return [
    async () => {
      loaded ??= await load();
    },
    () => {
      if (loaded === null) throw new Error("kernels: not loaded");
      return loaded;
    },
  ];
}

/** The kernels in plain JavaScript, for heaps of the `js` build: where WebAssembly cannot run. */
export const [loadFallback, inJs] = /* @__PURE__ */ onDemand<typeof js>(
  () => import("./js/index.js"),
);

/** What makes weights narrow, for other types of weights than `f32`. */
export const [loadNarrowing, narrowing] = /* @__PURE__ */ onDemand<typeof narrowed>(
  () => import("./narrowing.js"),
);
