import * as tf from "@tensorflow/tfjs-core";
import { defineOps } from "./support/define.js";

const nothing = (): null => null;

function assertTrue(self: tf.Tensor | number | boolean, message = "Assertion is failed"): null {
  const holds = self instanceof tf.Tensor ? self.dataSync()[0] !== 0 : Boolean(self);
  if (!holds) throw new Error(message);
  return null;
}

/** What is there to be checked, not to be computed; what it gives nobody reads. */
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
  "_make_dep_token()": () => tf.zeros([0]),
});
