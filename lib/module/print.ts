import type * as tf from "@tensorflow/tfjs-core";
import { formatNumpy, formatTorch } from "./format/index.js";

export interface FormatOptions {
  /** Print as numpy prints instead of as torch prints. Default: `false`. */
  numpy?: boolean;
  /** Add `requires_grad=True`. Default: `false`. */
  requiresGrad?: boolean;
}

/**
 * The text that `print(tensor)` gives in PyTorch, or in numpy with `{ numpy: true }`.
 * Reads the values back, so it waits for the GPU.
 *
 * @throws if the tensor is of complex numbers or strings.
 *
 * tfjs has one integer type for PyTorch's many: int32 prints as PyTorch's default, int64.
 */
export function format(tensor: tf.Tensor, options: FormatOptions = {}): string {
  const { numpy = false, requiresGrad = false } = options;
  if (tensor.dtype === "complex64" || tensor.dtype === "string") {
    throw new TypeError(
      `format: expected a tensor of numbers or booleans, got one of ${tensor.dtype}` +
        (tensor.dtype === "complex64" ? "; format tf.real and tf.imag of it" : ""),
    );
  }
  const dtype = tensor.dtype === "int32" ? "int64" : tensor.dtype;
  if ((tensor as { isMeta?: boolean }).isMeta) {
    const size = `(${tensor.shape.join(", ")}${tensor.shape.length === 1 ? "," : ""})`;
    return `tensor(..., device='meta', size=${size}${requiresGrad ? ", requires_grad=True" : ""})`;
  }
  const values = tensor.dataSync();
  if (numpy) return formatNumpy(values, tensor.shape, { dtype });
  return formatTorch(values, tensor.shape, { dtype, requiresGrad });
}
