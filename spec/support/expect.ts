import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import type { Tolerance } from "./backends.js";

/** `|got - want| ≤ atol + rtol·|want|`; NaN and infinities must be the same. */
function isClose(got: number, want: number, { rtol, atol }: Tolerance): boolean {
  if (Number.isFinite(want)) return Math.abs(got - want) <= atol + rtol * Math.abs(want);
  return Object.is(got, want);
}

/** Compares numbers, and names the worst element when they differ. */
export function expectClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: Tolerance,
  what = "values",
): void {
  expect(got.length, `${what}: number of elements`).to.equal(want.length);
  let worst = -1;
  let worstBy = -1;
  let bad = 0;
  for (let i = 0; i < want.length; i += 1) {
    if (isClose(got[i]!, want[i]!, tolerance)) continue;
    bad += 1;
    const by = Math.abs(got[i]! - want[i]!);
    if (Number.isNaN(by) || by > worstBy) [worst, worstBy] = [i, Number.isNaN(by) ? Infinity : by];
  }
  if (bad === 0) return;
  expect.fail(
    `${what}: ${bad} of ${want.length} differ; worst at ${worst}: got ${got[worst]}, want ${want[worst]}`,
  );
}

/** Compares a tensor with shape and numbers. */
export function expectTensor(
  got: tf.Tensor,
  want: { shape: readonly number[]; values: ArrayLike<number> },
  tolerance: Tolerance,
  what = "output",
): void {
  expect(got.shape, `${what}: shape`).to.deep.equal([...want.shape]);
  expectClose(got.dataSync(), want.values, tolerance, what);
}

/** Runs something and checks that no tensor is left of it. */
export function expectNoLeak<T>(run: () => T, what = "tensors left behind"): T {
  const before = tf.memory().numTensors;
  const result = run();
  expect(tf.memory().numTensors - before, what).to.equal(0);
  return result;
}
