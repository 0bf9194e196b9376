/** Which of the three builds of the kernels this engine can run. */
import { ModuleBuilder } from "./wasm/module.js";
import { v128 } from "./wasm/values.js";

/**
 * - `fma`: WebAssembly with relaxed SIMD, multiply-add in one rounding.
 * - `simd`: WebAssembly with SIMD.
 * - `js`: plain JavaScript, where WebAssembly is absent, too old, or refused by a page's policy.
 */
export type Build = "fma" | "simd" | "js";

const cached = new Map<Build, boolean>();

/** Whether the engine can run a build; asked once. */
export function supports(build: Build): boolean {
  if (build === "js") return true;
  let answer = cached.get(build);
  if (answer === undefined) {
    answer = tryBuild(build === "fma");
    cached.set(build, answer);
  }
  return answer;
}

/** The fastest build that the engine can run. */
export function bestBuild(): Build {
  if (supports("fma")) return "fma";
  return supports("simd") ? "simd" : "js";
}

function tryBuild(fma: boolean): boolean {
  if (typeof WebAssembly !== "object") return false;
  const module = new ModuleBuilder({ fma });
  module.function("probe", { at: "i32" }, (f, { at }) => {
    f.store(at, f.madd(at.loadV128(), v128(2), v128(1)));
    f.copyBytes(at, at.add(16), at);
  });
  const { bytes } = module.functions.get("probe")!();
  try {
    // A policy without wasm-unsafe-eval lets modules validate, and refuses to compile them.
    return (
      WebAssembly.validate(bytes) && new WebAssembly.Module(bytes) instanceof WebAssembly.Module
    );
  } catch {
    return false;
  }
}
