/** Which of the three builds of the kernels this engine can run. */
import { ModuleBuilder } from "./wasm/module.js";
import { v128 } from "./wasm/values.js";

/**
 * - `fma`: WebAssembly with relaxed SIMD, multiply-add in one rounding.
 * - `simd`: WebAssembly with SIMD.
 * - `js`: plain JavaScript, where WebAssembly is absent, too old, or refused by a page's policy.
 */
export type Build = "fma" | "simd" | "js";

const probes = new Map<Build, Uint8Array<ArrayBuffer>>();

/**
 * Whether the engine can run a build now: some engines refuse to compile once they have started.
 */
export function supports(build: Build): boolean {
  if (build === "js") return true;
  const bytes = probes.get(build) ?? probe(build === "fma");
  probes.set(build, bytes);
  try {
    // Not `validate`: under a policy without wasm-unsafe-eval it succeeds, although compiling
    // fails.
    return new WebAssembly.Module(bytes) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

/** The fastest build that the engine can run. */
export function bestBuild(): Build {
  if (supports("fma")) return "fma";
  return supports("simd") ? "simd" : "js";
}

function probe(fma: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ fma });
  module.function("probe", { at: "i32" }, (f, { at }) => {
    f.store(at, f.madd(at.loadV128(), v128(2), v128(1)));
    f.copyBytes(at, at.add(16), at);
  });
  return module.functions.get("probe")!().bytes;
}
