/** tfjs' convolutions and poolings, with channels last, by kernels that expect channels first. */
import * as tf from "@tensorflow/tfjs-core";
import {
  type Activation,
  conv,
  type ConvSpec,
  copy,
  depthwise,
  type Heap,
  packConv,
  packedConvBytes,
  permutation,
  pool,
  windowsOf,
} from "../kernels/cpu/index.js";
import { product, sameShape } from "./arguments.js";
import { algorithmOf } from "./conv.js";
import { align, type Memory } from "./memory.js";
import { isFinite } from "./rows.js";
import type { Attrs } from "./tfjs.js";

/** Permutes the dimensions of data at an address. */
export function permuteAt(
  heap: Heap,
  from: number,
  to: number,
  shape: readonly number[],
  perm: readonly number[],
): void {
  copy(heap, permutation(shape, perm)).run({ x: from, out: to });
}

const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];
const first = (shape: readonly number[]): number[] => TO_FIRST.map((axis) => shape[axis]!);

/** The addresses of what a kernel reads and writes; 0 for an absent bias. */
interface Places {
  x: number;
  bias: number;
  out: number;
  workspace: number;
}

/** Runs a kernel with channels first between two copies: of its input, and of its output. */
function channelsFirst(
  memory: Memory,
  x: tf.TensorInfo,
  bias: tf.TensorInfo | null,
  outShape: number[],
  workspaceBytes: number,
  run: (places: Places) => void,
): tf.TensorInfo | null {
  const { heap } = memory;
  const [input, output] = [align(product(x.shape) * 4), align(product(outShape) * 4)];
  const bytes = input + output + workspaceBytes;
  return memory.call([x, bias], outShape, bytes, ([from, b], to, scratch) => {
    const out = scratch + input;
    permuteAt(heap, from!, scratch, x.shape, TO_FIRST);
    run({ x: scratch, bias: b!, out, workspace: out + output });
    permuteAt(heap, out, to, first(outShape), TO_LAST);
  });
}

type ConvArguments = Parameters<typeof tf.backend_util.computeConv2DInfo>;

/** `activation(conv(x, filter) + bias)`. */
export function convLast(
  memory: Memory,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  bias: tf.TensorInfo | null,
  attrs: Attrs,
  isDepthwise: boolean,
  activation: Activation,
): tf.TensorInfo | null {
  if ((attrs.dataFormat ?? "NHWC") !== "NHWC" || x.shape.length !== 4) return null;
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  const given = [x.shape, filter.shape, strides, dilations ?? 1, pad, dimRoundingMode, isDepthwise];
  const info = tf.backend_util.computeConv2DInfo(...(given as unknown as ConvArguments));
  const { padInfo, outChannels, inChannels, outShape } = info;
  const spec: ConvSpec = {
    ...{ batch: info.batchSize, inChannels, outChannels, activation },
    groups: isDepthwise ? inChannels : 1,
    size: [info.inHeight, info.inWidth],
    kernel: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    padding: [padInfo.top, padInfo.left],
    paddingAfter: [padInfo.bottom, padInfo.right],
  };
  if (!sameShape(windowsOf(spec).out.slice(1), [info.outHeight, info.outWidth])) return null;
  if (product(outShape) === 0 || product(x.shape) === 0) return null;
  const { heap } = memory;
  const algorithm = isDepthwise ? "direct" : algorithmOf(memory, spec, x, filter);
  const sizes = { ...spec, algorithm };
  const bytes = isDepthwise ? product(filter.shape) * 4 : packedConvBytes(sizes);
  const weight = memory.pack(filter, `last/${isDepthwise}/${algorithm}`, bytes, (from, to) => {
    if (isDepthwise) {
      permuteAt(heap, from, to, filter.shape, [2, 3, 0, 1]);
      return;
    }
    const turned = memory.alloc(product(filter.shape) * 4);
    permuteAt(heap, from, turned, filter.shape, [3, 2, 0, 1]);
    packConv(heap, sizes, turned, to);
    memory.free(turned);
  });
  const multiplier = outChannels / inChannels;
  const run = isDepthwise
    ? depthwise(heap, { ...spec, channels: inChannels, multiplier })
    : conv(heap, sizes);
  return channelsFirst(memory, x, bias, outShape, run.workspaceBytes, (places) =>
    run.run({ ...places, weight }),
  );
}

type PoolArguments = Parameters<typeof tf.backend_util.computePool2DInfo>;

/** Pools as tfjs does: maxima ignore NaN, and averages do not count the border. */
export function poolLast(
  memory: Memory,
  x: tf.TensorInfo,
  attrs: Attrs,
  kind: "max" | "avg",
): tf.TensorInfo | null {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const given = [x.shape, filterSize, strides, 1, pad, dimRoundingMode] as unknown;
  const info = tf.backend_util.computePool2DInfo(...(given as PoolArguments));
  const { padInfo, outShape } = info;
  const kernel = [info.filterHeight, info.filterWidth];
  const spec = {
    ...{ kind, kernel, size: [info.inHeight, info.inWidth], countIncludePad: false },
    planes: info.batchSize * info.inChannels,
    stride: [info.strideHeight, info.strideWidth],
    padding: [padInfo.top, padInfo.left],
    paddingAfter: [padInfo.bottom, padInfo.right],
  };
  if (!sameShape(windowsOf(spec).out.slice(1), [info.outHeight, info.outWidth])) return null;
  if (product(outShape) === 0 || !isFinite(memory, x)) return null;
  const run = pool(memory.heap, spec);
  return channelsFirst(memory, x, null, outShape, run.workspaceBytes, (places) => run.run(places));
}
