import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "./arguments.js";
import { isInBody, setKernels } from "./functional/op.js";

/** The tfjs backends that `setBackend` knows. */
export type BackendName = "webgl" | "cpu" | "wasm" | "webgpu";

export interface BackendOptions {
  /** The folder (with a trailing `/`) that serves the `.wasm` files of tfjs-backend-wasm. */
  wasmPath?: string;
}

const NAMES: readonly BackendName[] = ["webgl", "cpu", "wasm", "webgpu"];

/** Registers a backend with tfjs, and leaves the current one what it is. */
export async function loadBackend(name: BackendName, wasmPath?: string): Promise<void> {
  // Inside `try`, so that a bundler takes the optional packages only where they are installed.
  try {
    if (name === "cpu") await import("@tensorflow/tfjs-backend-cpu");
    else if (name === "webgl") await import("@tensorflow/tfjs-backend-webgl");
    else if (name === "webgpu") await import("@tensorflow/tfjs-backend-webgpu");
    else {
      const wasm = await import("@tensorflow/tfjs-backend-wasm");
      if (wasmPath !== undefined) wasm.setWasmPaths(wasmPath);
    }
  } catch (error) {
    throw new Error(`setBackend: cannot load @tensorflow/tfjs-backend-${name}; is it installed?`, {
      cause: error,
    });
  }
}

/**
 * Loads a tfjs backend and makes it the current one: `await nn.setBackend("webgl")`.
 *
 * Where there is no WebGL or WebGPU it falls back to `cpu` and says so once on the console.
 *
 * @returns the backend that is in use now.
 * @throws if the name is unknown, or if `wasm`'s or `webgpu`'s package is not installed.
 */
export async function setBackend(
  name: BackendName,
  options?: BackendOptions,
): Promise<BackendName> {
  if (!NAMES.includes(name)) {
    throw new Error(`setBackend: unknown backend '${name}'; known backends: ${NAMES.join(", ")}`);
  }
  const { wasmPath } = readOptions<BackendOptions>("setBackend", { wasmPath: undefined }, options);
  if (!isAvailable(name)) return fallBack(name);
  await loadBackend(name, wasmPath);
  if (await tf.setBackend(name)) {
    // Loaded only where they are of use: the ops of functional run them there.
    if (name === "cpu" || name === "wasm") {
      setKernels(name, await (await import("./eager/index.js")).loadKernels(name, isInBody));
    }
    // In Node it would advertise tfjs-node at first use, which has no part in this.
    if (name === "cpu") (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
    return name;
  }
  if (name === "wasm" || name === "cpu") {
    throw new Error(`setBackend: tfjs could not start its '${name}' backend; see the console`);
  }
  return fallBack(name);
}

const warned = new Set<BackendName>();

async function fallBack(name: BackendName): Promise<BackendName> {
  if (!warned.has(name)) {
    warned.add(name);
    console.warn(`sconce: there is no ${name} here, so models run on the 'cpu' backend`);
  }
  return setBackend("cpu");
}

function isAvailable(name: BackendName): boolean {
  if (name === "webgl") return hasWebGL();
  if (name === "webgpu") return typeof navigator === "object" && "gpu" in navigator;
  return true;
}

function hasWebGL(): boolean {
  const canvas =
    typeof OffscreenCanvas === "function"
      ? new OffscreenCanvas(1, 1)
      : typeof document === "object"
        ? document.createElement("canvas")
        : null;
  const context = (canvas?.getContext("webgl2") ??
    canvas?.getContext("webgl")) as WebGLRenderingContext | null;
  if (!context) return false;
  // Browsers keep few contexts alive at a time: give this one back.
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return true;
}

/**
 * The backend for those who never call `setBackend`: webgl in a browser that has it, else cpu.
 * Nothing is loaded where the page has registered tfjs backends of its own that can start; where that
 * is cpu alone, as in Node of `import "@tensorflow/tfjs"`, layers run our kernels on it.
 */
export async function useDefaultBackend(): Promise<void> {
  const names = tf.engine().backendNames();
  const [own = "none"] = names;
  // With webgl alone, tfjs would have nothing to run on where there is none, as in some workers.
  if (names.length > 1 || !["none", "webgl", "cpu"].includes(own)) return;
  const inBrowser = typeof window === "object" || "WorkerGlobalScope" in globalThis;
  const name = own !== "cpu" && inBrowser && hasWebGL() ? "webgl" : "cpu";
  if (name === "cpu" || name !== own) await setBackend(name);
}
