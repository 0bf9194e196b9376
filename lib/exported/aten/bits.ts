/** Ops on the bits of floats. */
import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import type { AtenOp } from "../op-table.js";
import { alike } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { valuesOf } from "./support/host.js";

/** The next float in the direction of another one. */
const nextAfter = /* @__PURE__ */ op("nextafter", (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
  const [x, y] = alike(toFloat(a), toFloat(b));
  const targets = valuesOf(y);
  const result = Float32Array.from(valuesOf(x));
  const bits = new Int32Array(result.buffer);
  result.forEach((value, i) => {
    const target = targets[i]!;
    if (Number.isNaN(value) || Number.isNaN(target)) result[i] = NaN;
    else if (value === 0 && target !== 0) bits[i] = target > 0 ? 1 : -0x7fffffff;
    else if (value !== target) bits[i]! += value < target === value > 0 ? 1 : -1;
  });
  return tf.tensor(result, x.shape);
});

/** A mantissa in [½, 1) and an exponent of two. */
const frexp = /* @__PURE__ */ op("frexp", (self: tf.Tensor): tf.Tensor[] => {
  const values = valuesOf(self);
  const mantissas = new Float32Array(self.size);
  const exponents = Int32Array.from(values, (value: number, i: number) => {
    const isPlain = Number.isFinite(value) && value !== 0;
    let exponent = isPlain ? Math.floor(Math.log2(Math.abs(value))) + 1 : 0;
    // The logarithm may have been rounded up to an integer.
    if (isPlain && Math.abs(value / 2 ** exponent) < 0.5) exponent -= 1;
    mantissas[i] = value / 2 ** exponent;
    return exponent;
  });
  return [tf.tensor(mantissas, self.shape), tf.tensor(exponents, self.shape, "int32")];
});

const reinterpret = /* @__PURE__ */ op("view_dtype", (self: tf.Tensor): tf.Tensor => {
  const { buffer } = valuesOf(self).slice();
  return self.dtype === "int32"
    ? tf.tensor(new Float32Array(buffer), self.shape)
    : tf.tensor(new Int32Array(buffer), self.shape, "int32");
});

/** The same bits as another dtype, for dtypes that are stored here as in PyTorch. */
const viewDtype: AtenOp = (args, _kwargs, { inputs }) => {
  const [self, to] = args as [tf.Tensor, string];
  const from = (inputs[0] as { dtype: string } | undefined)?.dtype;
  if (from === to) return self;
  if (from === undefined || ![from, to].every((one) => one === "float32" || one === "int32")) {
    throw new Error(`view(dtype): only of float32 and int32 as each other, not ${from} as ${to}`);
  }
  return reinterpret(self);
};

export const bitOps: Record<string, AtenOp> = {
  ...defineOps({
    "nextafter(self, other)": nextAfter,
    "frexp.Tensor(self)": (self: tf.Tensor) => frexp(toFloat(self)),
  }),
  "aten.view.dtype": viewDtype,
};
