/**
 * `import "sconce/cpu"`: every program on tfjs' cpu backend gets our kernels, also one that uses tfjs
 * alone. That is global state, so only this import does it.
 *
 * @packageDocumentation
 */
import { loadBackend } from "./backend.js";
import { kernelsFor } from "./eager/index.js";
import { replaceTfjsKernels } from "./eager/everywhere.js";
import { isInBody, setKernels } from "./functional/op.js";

await loadBackend("cpu");
setKernels("cpu", kernelsFor("cpu", isInBody));

/** Puts tfjs' own kernels back; the ops of `functional` keep ours. */
export const restoreTfjsKernels: () => void = replaceTfjsKernels();
