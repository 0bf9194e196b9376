import * as tf from "@tensorflow/tfjs-core";
import { op } from "./op.js";

/** `a + b`, broadcast: what stands between the ops of a layer that is made of others. */
export const add = /* @__PURE__ */ op("add", (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  tf.add(a, b),
);
