import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { sampler } from "../../functional/sampler.js";
import { defineOps } from "./support/define.js";
import { type Operand, toFloat, withDtype } from "./support/dtype.js";
import { valuesOf } from "./support/host.js";
import { add, mul } from "./pointwise-binary.js";

type Sizes = readonly number[];

/**
 * Samples of [0, 1), from the generator that `manualSeed` seeds, but not the same numbers as
 * PyTorch's.
 */
const uniform = /* @__PURE__ */ op("rand", (size: Sizes): tf.Tensor => {
  const count = tf.util.sizeFromShape([...size]);
  return tf.tensor(sampler().uniform(count, { from: 0, to: 1 }), [...size]);
});

/** Samples of the standard normal distribution, by the Box-Muller method. */
const normal = /* @__PURE__ */ op("randn", (size: Sizes): tf.Tensor => {
  const radius = tf.sqrt(tf.mul(tf.log(tf.sub(1, uniform(size))), -2));
  return tf.mul(radius, tf.cos(tf.mul(uniform(size), 2 * Math.PI)));
});

/** Integers from `low` to before `high`. */
function integers(low: number, high: number, size: Sizes, dtype: unknown): tf.Tensor {
  const numbers = tf.floor(tf.mul(uniform(size), high - low));
  return withDtype(tf.add(tf.minimum(numbers, tf.scalar(high - low - 1)), low), dtype ?? "int64");
}

const permutation = /* @__PURE__ */ op("randperm", (n: number): tf.Tensor => {
  const keys = sampler().uniform(n, { from: 0, to: 1 });
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
  return tf.tensor1d(order, "int32");
});

const bernoulli = (self: tf.Tensor, p: Operand): tf.Tensor => {
  const chance = p instanceof tf.Tensor ? toFloat(p) : tf.scalar(Number(p));
  return tf.cast(tf.less(uniform(self.shape), chance), "float32");
};

/** Rows of indices, each drawn with a probability proportional to its weight. */
const multinomial = /* @__PURE__ */ op(
  "multinomial",
  (self: tf.Tensor, count: number, replacement: boolean): tf.Tensor => {
    const classes = self.shape.at(-1)!;
    const weights = valuesOf(self);
    const rows = self.size / classes;
    const drawn = new Int32Array(rows * count);
    for (let row = 0; row < rows; row += 1) {
      const left = Array.from(weights.subarray(row * classes, (row + 1) * classes));
      for (let i = 0; i < count; i += 1) {
        let rest = sampler().double() * left.reduce((a, b) => a + b, 0);
        let at = left.findIndex((weight) => (rest -= weight) < 0);
        if (at < 0) at = left.findLastIndex((weight) => weight > 0);
        drawn[row * count + i] = at;
        if (!replacement) left[at] = 0;
      }
    }
    return tf.tensor(drawn, [...self.shape.slice(0, -1), count], "int32");
  },
);

export const randomOps = defineOps({
  "rand|rand.generator(size, generator, dtype)": (size: Sizes) => uniform(size),
  "rand_like(self, dtype)": (self: tf.Tensor) => uniform(self.shape),
  "randn|randn.generator(size, generator, dtype)": (size: Sizes) => normal(size),
  "randn_like(self, dtype)": (self: tf.Tensor) => normal(self.shape),
  "randint(high, size, dtype)": (high: number, size: Sizes, dtype?: unknown) =>
    integers(0, high, size, dtype),
  "randint.low(low, high, size, dtype)": integers,
  "randint_like(self, high, dtype)": (self: tf.Tensor, high: number, dtype?: unknown) =>
    integers(0, high, self.shape, dtype ?? (self.dtype === "float32" ? "float32" : "int64")),
  "randint_like.low_dtype(self, low, high, dtype)": (
    self: tf.Tensor,
    low: number,
    high: number,
    dtype?: unknown,
  ) => integers(low, high, self.shape, dtype ?? (self.dtype === "float32" ? "float32" : "int64")),
  "randperm(n, dtype)": (n: number, dtype?: unknown) => withDtype(permutation(n), dtype),
  "bernoulli(self, generator)": (self: tf.Tensor) => bernoulli(self, self),
  "bernoulli.p|bernoulli.Tensor(self, p, generator)": bernoulli,
  "uniform(self, from, to, generator)": (self: tf.Tensor, from = 0, to = 1) =>
    tf.add(tf.mul(uniform(self.shape), to - from), from),
  "exponential(self, lambd, generator)": (self: tf.Tensor, lambda = 1) =>
    tf.div(tf.log(tf.sub(1, uniform(self.shape))), -lambda),
  "geometric(self, p, generator)": (self: tf.Tensor, p: number) =>
    tf.ceil(tf.div(tf.log(tf.sub(1, uniform(self.shape))), Math.log(1 - p))),
  "log_normal(self, mean, std, generator)": (self: tf.Tensor, mean = 1, std = 2) =>
    tf.exp(tf.add(tf.mul(normal(self.shape), std), mean)),
  "cauchy(self, median, sigma, generator)": (self: tf.Tensor, median = 0, sigma = 1) =>
    tf.add(tf.mul(tf.tan(tf.mul(tf.sub(uniform(self.shape), 0.5), Math.PI)), sigma), median),
  "random.to(self, to, generator)": (self: tf.Tensor, to: number) =>
    integers(0, to, self.shape, self.dtype),
  "random.from(self, from, to, generator)": (self: tf.Tensor, from: number, to: number) =>
    integers(from, to, self.shape, self.dtype),
  "normal_functional(self, mean, std, generator)": (self: tf.Tensor, mean = 0, std = 1) =>
    tf.add(tf.mul(normal(self.shape), std), mean),
  "normal.Tensor_float|normal.Tensor_Tensor|normal.float_Tensor(mean, std, generator)": (
    mean: Operand,
    std: Operand = 1,
  ) => {
    const like = add(mul(mean instanceof tf.Tensor ? mean : tf.scalar(Number(mean)), 0), mul(std instanceof tf.Tensor ? std : tf.scalar(Number(std)), 0)); // prettier-ignore
    return add(mul(normal(like.shape), std), mean);
  },
  "normal.float_float(mean, std, size, generator, dtype)": (
    mean: number,
    std: number,
    size: Sizes,
  ) => tf.add(tf.mul(normal(size), std), mean),
  "multinomial(self, num_samples, replacement, generator)": (
    self: tf.Tensor,
    count: number,
    replacement = false,
  ) => multinomial(self, count, replacement),
});
