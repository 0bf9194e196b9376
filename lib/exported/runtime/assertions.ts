/** What exported programs assert about the values of tensors. */
import * as tf from "@tensorflow/tfjs-core";
import { isDispatched, op } from "../../functional/op.js";
import type { AtenOp } from "../op-table.js";

/** What is traced has asserted so far: its values are not known yet. */
let pending: [holds: tf.Tensor, message: unknown][] = [];

/** Reads a tensor back only where that costs nothing: it would stall a GPU. */
export const assertTensor: AtenOp = ([holds, message]) => {
  if (!/^(cpu|wasm)$/.test(tf.getBackend())) return null;
  if (isDispatched()) pending.push([holds as tf.Tensor, message]);
  else check(holds as tf.Tensor, message);
  return null;
};

function check(holds: tf.Tensor, message: unknown): void {
  if (holds.dataSync()[0]) return;
  throw new Error(
    typeof message === "string" && message !== ""
      ? message
      : "Expected Tensor with single nonzero value, but got zero",
  );
}

const asserted = /* @__PURE__ */ op(
  "_assert_async",
  (result: tf.Tensor, holds: tf.Tensor, message: unknown): tf.Tensor => {
    // A program being traced has let go of it; a compiler that looks into it sees a check, and leaves it whole.
    if (!holds.isDisposed) holds.dataSync();
    if (!isDispatched()) check(holds, message);
    return result;
  },
);

/** Makes a result depend on what is asserted on the way: a graph keeps only what its results need. */
export function withAssertions(run: () => unknown[]): unknown[] {
  const outer = pending;
  pending = [];
  try {
    const results = run();
    const at = results.findIndex((one) => one instanceof tf.Tensor);
    for (const [holds, message] of at < 0 ? [] : pending) {
      results[at] = asserted(results[at] as tf.Tensor, holds, message);
    }
    return results;
  } finally {
    pending = outer;
  }
}
