/**
 * The result shapes of tfjs' kernels: a trace needs shapes, not numbers. So a model is traced in
 * milliseconds on any backend, while all checks of its ops still run.
 */
import * as tf from "@tensorflow/tfjs-core";
import { sameShape } from "./passes/facts.js";
import { ARITHMETIC, COMPARISONS, REDUCTIONS, UNARY } from "./primitives.js";
import type { Pretence } from "./trace.js";
import type { Sketch } from "../functional/op.js";

interface Meta {
  shape: number[];
  dtype: tf.DataType;
}

type Inputs = tf.NamedTensorMap;

/** Those attributes of kernels that determine the shape of the result. */
interface Attrs {
  perm: number[];
  axis: number | number[];
  dims: number[];
  reductionIndices: number | number[];
  keepDims: boolean;
  batchDims: number;
  numSegments: number;
  equation: string;
  inputShape: number[];
  dtype: tf.DataType;
  begin: number[];
  end: number[];
  size: number[];
  transposeA: boolean;
  transposeB: boolean;
  strides: number | [number, number];
  pad: "valid" | "same" | number;
  dilations?: number | [number, number];
  dataFormat: "NHWC" | "NCHW";
  dimRoundingMode?: "floor" | "round" | "ceil";
  filterSize: number | [number, number];
}

type Rule = (inputs: Inputs, attrs: Attrs) => Meta | null;

/**
 * Small results that something may look at are really computed: integers, and whatever depends on
 * no input and no parameter.
 */
const FEW = 1024;

/** The given shape, with the dtype of a tensor. */
const as = (shape: number[], { dtype }: { dtype: tf.DataType }): Meta => ({ shape, dtype });

type Four = [number, number, number, number];
type Given = readonly (tf.Tensor | undefined)[];

/**
 * The rule for kernels that give booleans of anything, or floats of floats; optional inputs may be
 * absent.
 */
const giving =
  (dtype: "bool" | "float32", shapeOf: (given: Given, attrs: Attrs) => number[]): Rule =>
  (inputs, attrs) => {
    const given: Given = Object.values(inputs);
    const isFit = dtype === "bool" || given.every((one) => !one || one.dtype === dtype);
    return isFit ? { shape: shapeOf(given, attrs), dtype } : null;
  };

const together = ([a, b = a]: Given): number[] =>
  tf.broadcast_util.assertAndGetBroadcastShape(a!.shape, b!.shape);

const float = (shape: number[]): Meta => ({ shape, dtype: "float32" });

const conv =
  (isDepthwise: boolean): Rule =>
  ({ x, filter }, { strides, pad, dilations, dataFormat, dimRoundingMode }) =>
    float(
      tf.backend_util.computeConv2DInfo(
        x!.shape as Four,
        filter!.shape as Four,
        strides,
        dilations ?? 1,
        pad,
        dimRoundingMode,
        isDepthwise,
        tf.backend_util.convertConv2DDataFormat(dataFormat),
      ).outShape,
    );

const pool: Rule = ({ x }, { filterSize, strides, pad, dimRoundingMode }) =>
  float(
    tf.backend_util.computePool2DInfo(
      x!.shape as Four,
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    ).outShape,
  );

const matmul: Rule = ({ a, b }, { transposeA, transposeB }) => {
  if (a!.shape.at(transposeA ? -2 : -1) !== b!.shape.at(transposeB ? -1 : -2)) return null; // it says why
  const lead = tf.broadcast_util.assertAndGetBroadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2)); // prettier-ignore
  return as([...lead, a!.shape.at(transposeA ? -1 : -2)!, b!.shape.at(transposeB ? -2 : -1)!], a!);
};

const reduction: Rule = ({ x }, { axis, reductionIndices, keepDims }) => {
  if (x!.dtype !== "float32") return null;
  const axes = tf.util.parseAxisParam(axis ?? reductionIndices, x!.shape);
  const shape = x!.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return float(keepDims ? shape : shape.filter((_, i) => !axes.includes(i)));
};

/** The same rule for all primitives of a table, and for some other kernels. */
const forAll = (rule: Rule, others: string, table: object = {}): Record<string, Rule> => {
  const names = [...Object.keys(table), ...others.split(" ")];
  return Object.fromEntries(names.map((name) => [name, rule]));
};

const RULES: Readonly<Record<string, Rule>> = {
  ...forAll(
    giving("float32", together),
    "Elu LeakyRelu LogSoftmax Prelu Relu Relu6 Selu Sigmoid Softmax Softplus Step Tanh ClipByValue FusedBatchNorm",
    { ...UNARY, ...ARITHMETIC },
  ),
  ...forAll(
    giving("bool", together),
    "LogicalAnd LogicalOr LogicalNot IsNan IsInf IsFinite",
    COMPARISONS,
  ),
  ...forAll(reduction, "Prod", REDUCTIONS),
  Reverse: giving("float32", ([x], { dims }) => {
    tf.util.parseAxisParam(dims, x!.shape);
    return x!.shape;
  }),
  ...forAll(conv(false), "Conv2D FusedConv2D"),
  ...forAll(conv(true), "DepthwiseConv2dNative FusedDepthwiseConv2D"),
  Conv2DBackpropInput: (_, { inputShape }) => float(inputShape),
  MaxPool: pool,
  AvgPool: pool,
  ...forAll(matmul, "BatchMatMul _FusedMatMul"),
  Transpose: ({ x }, { perm }) =>
    as(
      perm.map((axis) => x!.shape[axis]!),
      x!,
    ),
  Concat: (inputs, { axis }) => {
    const parts = Object.values(inputs);
    const shapes = parts.map(({ shape }) => shape);
    const [at] = tf.util.parseAxisParam(axis, shapes[0]!) as [number];
    tf.backend_util.assertParamsConsistent(shapes, at);
    return as(tf.backend_util.computeOutShape(shapes, at), parts[0]!);
  },
  // tfjs' cpu backend copies anything but whole rows element by element.
  Slice: ({ x }, { begin, size }) => {
    const [from, shape] = tf.slice_util.parseSliceParams(x!, begin, size);
    tf.slice_util.assertParamsValid(x!, from!, shape!);
    return as(shape!, x!);
  },
  StridedSlice: ({ x }, { begin, end, strides, ...masks }) =>
    Object.values(masks).some(Boolean)
      ? null
      : as(tf.slice_util.sliceInfo(x!.shape, begin, end, strides as number[], 0, 0, 0, 0, 0).finalShape, x!), // prettier-ignore
  // These two take tfjs' cpu a hundred times too long.
  Einsum: giving("float32", (given, { equation }) => {
    const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, given.length); // prettier-ignore
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, given as tf.Tensor[]);
    const sizes: number[] = [];
    given.forEach((x, i) => x!.shape.forEach((size, at) => (sizes[idDims[i]![at]!] = size)));
    return sizes.slice(0, allDims.length - summedDims.length);
  }),
  UnsortedSegmentSum: ({ x, segmentIds }, { numSegments }) =>
    x!.dtype === "float32" && segmentIds!.size === x!.shape[0]
      ? float(x!.shape.with(0, numSegments))
      : null,
  Select: ({ t, e }) => ({ shape: t!.shape, dtype: tf.upcastType(t!.dtype, e!.dtype) }),
  Cast: ({ x }, attrs) => as(x!.shape, attrs),
};

/** A tensor of zeros instead of a kernel's result; `null` where the kernel must run. */
function pretend(
  name: string,
  inputs: Inputs,
  attrs: object | undefined,
  isAlive: boolean,
): tf.Tensor | null {
  const meta = RULES[name]?.(inputs, (attrs ?? {}) as Attrs);
  if (!meta) return null;
  // Optional inputs may be absent, as the scale of a normalisation.
  const given: Given = Object.values(inputs);
  const reads = given.reduce((n, one) => n + (one?.size ?? 0), 0);
  const isFew = tf.util.sizeFromShape(meta.shape) < FEW && reads < 16 * FEW;
  return isFew && (meta.dtype !== "float32" || !isAlive) ? null : madeUp(meta);
}

/** The results of kernels that bodies of ops ask for after they have checked their arguments. */
const sketch: Sketch = (name, args) => {
  if (name === "recurrent") {
    const [, { shape }, states, , directions] = args as [string, tf.Tensor, tf.Tensor[], unknown, number]; // prettier-ignore
    const size = directions * states[0]!.shape[2]!;
    return [[shape[0], shape[1]!, size], ...states.map((state) => state.shape)].map(blank);
  }
  const [x, weight, last] = args as [tf.Tensor, tf.Tensor, tf.Tensor & { outShape: number[] }];
  if (x.dtype !== "float32") return null;
  if (/norm$|^softmax/.test(name)) return blank(x.shape);
  if (/^conv/.test(name)) return blank(last.outShape.slice(-x.rank)); // the planned shape has a batch dimension, which the input may lack
  const lead = x.shape.slice(0, -1);
  if (name === "product") return blank([...lead, weight.shape[0]]);
  // Where batch dimensions broadcast, the body of the op must run.
  const isPlain = name === "attention" && [weight, last].every(({ shape }) => sameShape(shape.slice(0, -2), lead.slice(0, -1))); // prettier-ignore
  return isPlain ? blank([...lead, last.shape.at(-1)!]) : null;
};

const blank = (shape: number[]): tf.Tensor => madeUp(float(shape))!;

/**
 * One buffer that all made-up results share: allocating one for each would take most of the time.
 */
let shared = new ArrayBuffer(0);

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

function madeUp({ shape, dtype }: Meta): tf.Tensor | null {
  const size = tf.util.sizeFromShape(shape);
  if (shared.byteLength < size * 4) shared = new ArrayBuffer(size * 4);
  const Values = ARRAYS[dtype as keyof typeof ARRAYS] as typeof Float32Array | undefined;
  return Values ? tf.engine().makeTensor(new Values(shared, 0, size), shape, dtype) : null;
}

export const SHAPES_ONLY: Pretence = {
  kernel: pretend,
  sketch,
  end: () => {
    shared = new ArrayBuffer(0);
  },
};
