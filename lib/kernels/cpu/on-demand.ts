/** Parts that few programs need, loaded on demand. */
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

/** The kernels in plain JavaScript, for the `js` build. */
export const [loadFallback, inJs] = /* @__PURE__ */ onDemand<typeof js>(
  () => import("./js/index.js"),
);

/** Conversions to narrow types, for weights of other types than `f32`. */
export const [loadNarrowing, narrowing] = /* @__PURE__ */ onDemand<typeof narrowed>(
  () => import("./narrowing.js"),
);
