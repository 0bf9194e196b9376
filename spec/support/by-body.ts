/** The ops of functional without kernels of ours, beside themselves. */
import * as tf from "@tensorflow/tfjs-core";
import { kernelsFor } from "../../lib/eager/index.js";
import { isInBody, setKernels } from "../../lib/functional/op.js";
import * as nn from "../../lib/index.js";
import type { Tolerance } from "./backends.js";
import { expectSame } from "./graphs.js";

/** The same call by the ops' bodies, on tfjs' own kernels. */
function byBody<T>(backend: "cpu" | "wasm", run: () => T): T {
  setKernels(backend, null);
  try {
    return run();
  } finally {
    setKernels(backend, kernelsFor(backend, isInBody));
  }
}

/** Expects of a call with kernels what it gives without them, with the same random numbers. */
export function expectAsByBody(
  backend: "cpu" | "wasm",
  what: string,
  run: () => tf.Tensor,
  tolerance: Tolerance,
): void {
  tf.tidy(() => {
    nn.manualSeed(1);
    const got = run();
    nn.manualSeed(1);
    expectSame(got, byBody(backend, run), tolerance, what);
  });
}
