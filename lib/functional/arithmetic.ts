import * as tf from "@tensorflow/tfjs-core";
import { op } from "./op.js";

/** `a + b`, broadcast, as an op: for layers that combine other ops. */
export const add = /* @__PURE__ */ op("add", (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  tf.add(a, b),
);
