import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { asFloat, checkNumberTensor, checkTensor, dtypeName, shapeText } from "./check.js";
import { op, tryKernel } from "./op.js";

export interface LinearOptions {
  /** `(out)`, or `null` for none (the default). */
  bias?: tf.Tensor | null;
}

const LINEAR: Required<LinearOptions> = { bias: null };

/** A matrix product, also of integers, for which tfjs-wasm has no kernel. */
function matMul(a: tf.Tensor, b: tf.Tensor, transposeB = false): tf.Tensor {
  const product = tf.matMul(asFloat(a), asFloat(b), false, transposeB);
  return a.dtype === "float32" ? product : tf.cast(product, a.dtype);
}

function checkLinear(input: tf.Tensor, weight: tf.Tensor): void {
  if (input.dtype !== weight.dtype) {
    throw new Error(
      "linear(): mat1 and mat2 must have the same dtype, " +
        `but got ${dtypeName(input)} and ${dtypeName(weight)}`,
    );
  }
  if (weight.rank !== 1 && weight.rank !== 2) {
    throw new Error(
      `linear(): expected a weight of shape (out, in) or (in,), got ${shapeText(weight.shape)}`,
    );
  }
  const inFeatures = weight.shape.at(-1)!;
  const { shape } = input;
  if (shape.length > 0 && shape.at(-1) === inFeatures) return;
  const rows = tf.util.sizeFromShape(shape.slice(0, -1));
  throw new Error(
    `linear(): mat1 and mat2 shapes cannot be multiplied ` +
      `(${rows}x${shape.at(-1) ?? 1} and ${inFeatures}x${weight.rank === 2 ? weight.shape[0] : 1}): ` +
      `expected an input of shape (*, ${inFeatures}), got ${shapeText(shape)}`,
  );
}

function checkLinearBias(bias: tf.Tensor, weight: tf.Tensor, inputRank: number): void {
  if (bias.dtype !== weight.dtype) {
    throw new Error(
      "linear(): weight and bias must have the same dtype, " +
        `but got ${dtypeName(weight)} and ${dtypeName(bias)}`,
    );
  }
  const outFeatures = weight.rank === 1 ? 1 : weight.shape[0];
  const rank = inputRank - 2 + weight.rank;
  if ((bias.size === 1 && bias.rank <= rank) || (bias.rank === 1 && bias.size === outFeatures))
    return;
  throw new Error(
    `linear(): expected a bias of shape (${outFeatures},), got ${shapeText(bias.shape)}: ` +
      `The expanded size of the tensor (${outFeatures}) must match the existing size ` +
      `(${bias.shape.at(-1)}) at non-singleton dimension 1`,
  );
}

/**
 * `y = x Wᵀ + b`.
 *
 * Shapes: input `(*, in)`, weight `(out, in)`, bias `(out)` → `(*, out)`; `*` is any number of
 * dimensions, also none. A weight `(in)` gives `(*)`.
 *
 * @throws if the last dimension of the input is not `in`, or if the dtypes differ.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
 */
export const linear = /* @__PURE__ */ op(
  "linear",
  (input: tf.Tensor, weight: tf.Tensor, options?: LinearOptions): tf.Tensor => {
    const { bias } = readOptions("linear", LINEAR, options);
    checkTensor("linear", input);
    checkTensor("linear", weight, "weight", 2);
    checkLinear(input, weight);
    checkNumberTensor("linear", input);
    if (bias !== null) checkLinearBias(bias, weight, input.rank);
    const isMatrix = weight.rank === 2;
    const matrix = isMatrix ? weight : tf.expandDims(weight, 0);
    const [outFeatures, inFeatures] = matrix.shape as [number, number];
    const lead = input.shape.slice(0, -1);
    const isFlat = input.rank === 2 && isMatrix; // then the reshapes would do nothing
    if (input.size === 0 || weight.size === 0) {
      const none = tf.zeros(isMatrix ? [...lead, outFeatures] : lead); // empty sums
      return bias === null ? none : tf.add(none, bias);
    }
    const own = isMatrix && tryKernel("product", input, weight, bias);
    if (own) return own as tf.Tensor;
    const rows = isFlat ? input : tf.reshape(input, [tf.util.sizeFromShape(lead), inFeatures]);
    // Not tf.fused.matMul: with transposeB, tfjs-wasm adds the wrong bias (spec/functional).
    const product = matMul(rows, matrix, true);
    const y = bias === null ? product : tf.add(product, bias);
    return isFlat ? y : tf.reshape(y, isMatrix ? [...lead, outFeatures] : lead);
  },
);

/**
 * `y = x₁ᵀ A x₂ + b`.
 *
 * Shapes: input1 `(*, in1)`, input2 `(*, in2)`, weight `(out, in1, in2)`, bias `(out)` →
 * `(*, out)`.
 *
 * @throws if the inputs' leading dimensions differ, or their last ones do not fit the weight.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html
 */
export const bilinear = /* @__PURE__ */ op(
  "bilinear",
  (input1: tf.Tensor, input2: tf.Tensor, weight: tf.Tensor, options?: LinearOptions): tf.Tensor => {
    const { bias } = readOptions("bilinear", LINEAR, options);
    checkTensor("bilinear", input1, "input1", 1);
    checkTensor("bilinear", input2, "input2", 2);
    checkBilinear(input1, input2, weight);
    checkNumberTensor("bilinear", input1);
    const [outFeatures, in1, in2] = weight.shape as [number, number, number];
    const lead = input1.shape.slice(0, -1);
    if (input1.size === 0 || input2.size === 0 || weight.size === 0) {
      const none = tf.zeros([...lead, outFeatures]); // empty sums
      return bias === null ? none : tf.add(none, bias);
    }
    const n = tf.util.sizeFromShape(lead);
    // (N, in1) × (in1, out·in2) → (N, out, in2), and then a dot product with x₂ along in2.
    const byIn1 = tf.reshape(tf.transpose(weight, [1, 0, 2]), [in1, outFeatures * in2]);
    const half = matMul(tf.reshape(input1, [n, in1]), byIn1);
    const terms = tf.mul(tf.reshape(half, [n, outFeatures, in2]), tf.reshape(input2, [n, 1, in2]));
    const y = tf.sum(terms, 2);
    return tf.reshape(bias === null ? y : tf.add(y, bias), [...lead, outFeatures]);
  },
);

function checkBilinear(input1: tf.Tensor, input2: tf.Tensor, weight: tf.Tensor): void {
  if (input1.dtype !== input2.dtype || input1.dtype !== weight.dtype) {
    throw new Error(
      `bilinear(): All tensors must have the same dtype, got input1: ${dtypeName(input1)}, ` +
        `input2: ${dtypeName(input2)}, weight: ${dtypeName(weight)}`,
    );
  }
  const [, in1, in2] = weight.shape;
  const lead = input1.shape.slice(0, -1);
  if (!tf.util.arraysEqual(lead, input2.shape.slice(0, -1))) {
    throw new Error(
      "bilinear(): input batch dimensions do not match: " +
        `got ${shapeText(input1.shape)} and ${shapeText(input2.shape)}`,
    );
  }
  const checkSize = (name: string, got: number | undefined, size: number | undefined): void => {
    if (got === size) return;
    throw new Error(
      `bilinear(): ${name} size does not match weight size: got ${got} but expected ${size}`,
    );
  };
  checkSize("input1", input1.shape.at(-1), in1);
  checkSize("input2", input2.shape.at(-1), in2);
}
