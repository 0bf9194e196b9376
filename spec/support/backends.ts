import { type BackendName, setBackend } from "../../lib/backend.js";
import { inBrowser } from "./files.js";

/** The backends that everything must pass on here. */
export const BACKENDS: readonly BackendName[] = inBrowser ? ["webgl", "cpu"] : ["cpu", "wasm"];

export interface Tolerance {
  rtol: number;
  atol: number;
}

/** How close to PyTorch's float32 results an op must come. */
export const TOLERANCE: Record<BackendName, Tolerance> = {
  cpu: { rtol: 1e-4, atol: 1e-5 },
  wasm: { rtol: 1e-4, atol: 1e-5 },
  webgl: { rtol: 1e-3, atol: 1e-4 },
  webgpu: { rtol: 1e-3, atol: 1e-4 },
};

/** Declares the same specs once for each backend. */
export function onEveryBackend(
  title: string,
  specs: (backend: BackendName, tolerance: Tolerance) => void,
  backends = BACKENDS,
): void {
  for (const backend of backends) {
    describe(`${title} on ${backend}`, () => {
      before(async () => {
        await setBackend(backend);
      });
      specs(backend, TOLERANCE[backend]);
    });
  }
}

/**
 * As `onEveryBackend`, for long tables: tfjs' cpu backend is the same JavaScript in both worlds, so
 * only Node runs them on it.
 */
export function onEveryBackendOnce(
  title: string,
  specs: (backend: BackendName, tolerance: Tolerance) => void,
): void {
  onEveryBackend(title, specs, inBrowser ? ["webgl"] : BACKENDS);
}
