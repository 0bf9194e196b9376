import * as tf from "@tensorflow/tfjs-core";
import { isDispatched, op } from "../../functional/op.js";
import { defineOps } from "./support/define.js";

const nothing = (): null => null;

function assertTrue(self: tf.Tensor | number | boolean, message = "Assertion is failed"): null {
  const holds = self instanceof tf.Tensor ? self.dataSync()[0] !== 0 : Boolean(self);
  if (!holds) throw new Error(message);
  return null;
}

/** Throws for problems that LAPACK reports, with PyTorch's message. */
function checkInfo(info: tf.Tensor, name: string): void {
  if (isDispatched()) return; // the values are made up
  const codes = info.dataSync();
  const at = codes.findIndex((code) => code !== 0);
  if (at < 0) return;
  const where = info.rank === 0 ? "" : `(Batch element ${at}): `;
  throw new Error(`${name}: ${where}${amiss(name, codes[at]!)}`);
}

/**
 * Returns a result unless there is a problem. As later ops use that result, a compiled graph keeps
 * the check.
 */
export const checkFactors = /* @__PURE__ */ op(
  "linalg_check_errors",
  (result: tf.Tensor, info: tf.Tensor, name: string): tf.Tensor => {
    info.dataSync(); // a compiler that traces this body sees a check, and so keeps the op whole
    checkInfo(info, name);
    return result;
  },
);

function amiss(name: string, code: number): string {
  if (name.includes("inv")) {
    return `The diagonal element ${code} is zero, the inversion could not be completed because the input matrix is singular.`;
  }
  if (name.includes("cholesky")) {
    return `The factorization could not be completed because the input is not positive-definite (the leading minor of order ${code} is not positive-definite).`;
  }
  if (name.includes("lu_factor")) {
    return (
      `U[${code},${code}] is zero and using it on lu_solve would result in a division by zero. If you still ` +
      "want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
    );
  }
  if (name.includes("solve")) return "The solver failed because the input matrix is singular.";
  return `The algorithm failed (error code: ${code}).`;
}

/** Ops that only check something; their results are not read. */
export const checkOps = defineOps({
  "_assert_tensor_metadata(a, size, stride, dtype, device, layout)": nothing,
  "_assert_async|_assert_async.msg|_assert_scalar(self, assert_msg)": assertTrue,
  "_functional_assert_async.msg|_functional_assert_scalar(self, assert_msg, dep_token)": (
    self: tf.Tensor | number,
    message: string,
    token: tf.Tensor,
  ) => {
    assertTrue(self, message);
    return token;
  },
  "_linalg_check_errors(info, api_name, is_matrix)": (info: tf.Tensor, name: string) => {
    checkInfo(info, name);
    return null;
  },
  "_make_dep_token()": () => tf.zeros([0]),
});
