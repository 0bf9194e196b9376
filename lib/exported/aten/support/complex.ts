import * as tf from "@tensorflow/tfjs-core";

/**
 * A complex tensor, as its two parts: tfjs' complex64 has hardly any ops, and none on wasm. Only the
 * ops of `complex.ts` and `fft.ts` take it.
 */
export interface Complex {
  re: tf.Tensor;
  im: tf.Tensor;
}

export function isComplex(value: unknown): value is Complex {
  return (
    typeof value === "object" &&
    value !== null &&
    "re" in value &&
    "im" in value &&
    !(value instanceof tf.Tensor)
  );
}
