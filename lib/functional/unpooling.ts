import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkTensor, dtypeName, listText } from "./check.js";
import { opNd } from "./op.js";
import { planeShape, type PoolSize, readSize } from "./pooling-windows.js";

export interface MaxUnpoolOptions {
  /** Default: the kernel size. */
  stride?: PoolSize | null;
  /** The padding of the pooling. Default: 0. */
  padding?: PoolSize;
  /**
   * The input size of the pooling, spatial or whole; different sizes may be pooled to the same one.
   */
  outputSize?: readonly number[] | null;
}

const MAX_UNPOOL: Required<MaxUnpoolOptions> = { stride: null, padding: 0, outputSize: null };

/** Checks the inputs; returns the number of planes and their spatial size. */
function checkInputs(name: string, n: number, input: tf.Tensor, indices: tf.Tensor): number[] {
  checkFloatTensor(name, input);
  checkTensor(name, indices, "indices", 2);
  if (indices.dtype !== "int32") {
    throw new TypeError(
      `${name}(): elements in indices should be type int32 but got: ${dtypeName(indices)}`,
    );
  }
  const shape = planeShape(name, input, n, 1);
  if (!tf.util.arraysEqual(input.shape, indices.shape)) {
    throw new RangeError(
      `${name}(): Expected shape of indices to be same as that of the input tensor ` +
        `(${listText(input.shape)}) but got indices tensor with shape: ` +
        `${listText(indices.shape)}`,
    );
  }
  return shape;
}

/**
 * The spatial size of the output: the default, or a given one that can be pooled to the input's
 * size.
 */
function unpooledSize(
  name: string,
  spatial: readonly number[],
  kernelSize: PoolSize,
  { stride, padding, outputSize }: Required<MaxUnpoolOptions>,
): number[] {
  const n = spatial.length;
  const kernels = readSize(name, "kernel_size", kernelSize, n, false);
  const strides = readSize(name, "stride", stride ?? kernels, n, false);
  const paddings = readSize(name, "padding", padding, n, false);
  if (strides.some((step) => step <= 0)) {
    throw new RangeError(
      `${name}(): strides should be greater than zero, but got stride: ${listText(strides)}`,
    );
  }
  const size = spatial.map(
    (input, d) => (input - 1) * strides[d]! + kernels[d]! - 2 * paddings[d]!,
  );
  if (outputSize === null) return size;
  const given = outputSize.length === n + 2 ? outputSize.slice(2) : [...outputSize];
  if (given.length !== n) {
    throw new RangeError(
      `${name}(): output_size should be a sequence containing ${n} or ${n + 2} elements, ` +
        `but it has a length of '${given.length}'`,
    );
  }
  given.forEach((one, d) => {
    const [min, max] = [size[d]! - strides[d]!, size[d]! + strides[d]!];
    if (one > min && one < max) return;
    throw new RangeError(
      `${name}(): invalid output_size "${listText(given)}" ` +
        `(dim ${d} must be between ${min} and ${max})`,
    );
  });
  return given;
}

/**
 * For each output position, the index of the input element that belongs there, or the number of
 * elements if there is none. The indices are read back, because an invalid one must be an error,
 * and because of two elements for one position the later counts, which no scatter of tfjs
 * guarantees on every backend.
 */
function sources(
  name: string,
  indices: tf.Tensor,
  planes: number,
  size: readonly number[],
): Int32Array {
  const volume = tf.util.sizeFromShape([...size]);
  const each = indices.size / planes;
  const from = new Int32Array(planes * volume).fill(indices.size);
  indices.dataSync<"int32">().forEach((index, i) => {
    if (index < 0 || index >= volume) {
      throw new RangeError(
        `${name}(): Found an invalid max index: ${index} ` +
          `(output volumes are of size ${size.join("x")})`,
      );
    }
    from[Math.floor(i / each) * volume + index] = i;
  });
  return from;
}

function maxUnpoolNd(
  name: string,
  n: number,
  input: tf.Tensor,
  indices: tf.Tensor,
  kernelSize: PoolSize,
  given?: MaxUnpoolOptions,
): tf.Tensor {
  const options = readOptions<Required<MaxUnpoolOptions>>(name, MAX_UNPOOL, given);
  const [planes, ...spatial] = checkInputs(name, n, input, indices) as [number, ...number[]];
  const size = unpooledSize(name, spatial, kernelSize, options);
  size.forEach((one, d) => {
    if (one >= 0) return;
    throw new RangeError(
      `${name}(): output_size must contain non-negative spatial dimensions, but got output_size[${d}]=${one}`,
    );
  });
  const shape = [...input.shape.slice(0, -n), ...size];
  if (shape.includes(0)) return tf.zeros(shape, input.dtype);
  const from = sources(name, indices, planes, size);
  const flat = tf.concat([tf.reshape(input, [-1]), tf.zeros([1], input.dtype)]);
  return tf.reshape(tf.gather(flat, tf.tensor1d(from, "int32")), shape);
}

/**
 * Puts maxima back where {@link maxPool1d} found them, with zeros elsewhere.
 *
 * Shapes: input and indices `(N, C, L)` or `(C, L)` → the same with `outputSize`, or else
 * `(L - 1)·stride - 2·padding + kernel`, in the place of L.
 *
 * @throws if an index is outside of the output, or the output size cannot be pooled to the input's
 *   size.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html
 */
export const maxUnpool1d = /* @__PURE__ */ opNd("max_unpool", 1, maxUnpoolNd);

/**
 * Puts the maxima back, as {@link maxUnpool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html
 */
export const maxUnpool2d = /* @__PURE__ */ opNd("max_unpool", 2, maxUnpoolNd);

/**
 * Puts the maxima back, as {@link maxUnpool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html
 */
export const maxUnpool3d = /* @__PURE__ */ opNd("max_unpool", 3, maxUnpoolNd);
