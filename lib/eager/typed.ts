/**
 * Replacements for kernels of tfjs-wasm that treat integers or booleans as floats, mix up their
 * bytes, or take few dimensions. For these they are composed of kernels that do not; for all callers.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Composed, Run } from "./composed.js";

type Info = tf.TensorInfo;

/** Makes a tensor of values for the time of a callback. */
function withValues<T>(values: tf.TypedArray, dtype: tf.DataType, use: (one: Info) => T): T {
  const shape = values.length === 1 ? [] : [values.length];
  const dataId = tf.backend().write(values, shape, dtype);
  try {
    return use({ dataId, shape, dtype });
  } finally {
    tf.backend().disposeData(dataId);
  }
}

/** Whether each number is other than 0, which NaN is too. */
const isNonZero = (x: Info, run: Run): Info =>
  withValues(new Float32Array(1), "float32", (zero) =>
    x.dtype === "float32"
      ? run("NotEqual", { a: x, b: zero })
      : withValues(new Int32Array(1), "int32", (none) => run("NotEqual", { a: x, b: none })),
  );

/** Booleans as bytes 1 and 0. (tfjs takes the last byte of integers.) */
const cast: Composed = ({ x }, attrs, run) =>
  attrs.dtype === "bool" && /float32|int32/.test(x!.dtype)
    ? isNonZero(x!, run)
    : run("Cast", { x: x! }, attrs);

/**
 * Computes booleans as floats, and two different dtypes as the one that contains both; tfjs would
 * use the first operand's.
 */
const byFloats =
  (name: string, values: readonly string[]): Composed =>
  (inputs, attrs, run) => {
    const types = values.map((key) => inputs[key]!.dtype);
    const dtype = types.reduce(tf.upcastType);
    if (dtype !== "bool" && types.every((one) => one === dtype)) return run(name, inputs, attrs);
    const made: Info[] = [];
    const note = (one: Info): Info => (made.push(one), one);
    const cast = values.map((key): [string, Info] => [
      key,
      note(run("Cast", { x: inputs[key]! }, { dtype: dtype === "bool" ? "float32" : dtype })),
    ]);
    const y = note(run(name, { ...inputs, ...Object.fromEntries(cast) }, attrs));
    const result = dtype === "bool" ? isNonZero(y, run) : made.pop()!;
    for (const { dataId } of made) tf.backend().disposeData(dataId);
    return result;
  };

const MOST = 2 ** 31 - 1;

/** For integers, whose bits tfjs compares as floats. */
const clip: Composed = ({ x }, attrs, run) => {
  if (x!.dtype !== "int32") return run("ClipByValue", { x: x! }, attrs);
  const { clipValueMin, clipValueMax } = attrs as Record<string, number>;
  const low = Int32Array.of(Math.max(-MOST - 1, clipValueMin!));
  const high = Int32Array.of(Math.min(MOST, clipValueMax!));
  const raised = withValues(low, "int32", (b) => run("Maximum", { a: x!, b }));
  const y = withValues(high, "int32", (b) => run("Minimum", { a: raised, b }));
  tf.backend().disposeData(raised.dataId);
  return y;
};

/** For dtypes other than float32, for which tfjs returns the bits as floats. */
const stridedSlice: Composed = ({ x }, attrs, run) => {
  if (x!.dtype === "float32") return run("StridedSlice", { x: x! }, attrs);
  const { begin, end, strides } = attrs as Record<string, number[]>;
  const masks = ["begin", "end", "ellipsis", "newAxis", "shrinkAxis"].map(
    (name) => attrs[`${name}Mask`] as number,
  ) as [number, number, number, number, number];
  const info = tf.slice_util.sliceInfo(x!.shape, begin!, end!, strides!, ...masks);
  const sizes = info.begin.map((from, i) =>
    Math.max(0, Math.ceil((info.end[i]! - from) / info.strides[i]!)),
  );
  const steps = x!.shape.map((_, i) => tf.util.sizeFromShape(x!.shape.slice(i + 1)));
  const places = Int32Array.from({ length: tf.util.sizeFromShape(sizes) }, (_, at) =>
    sizes.reduceRight((place, size, i) => {
      const index = info.begin[i]! + (at % size) * info.strides[i]!;
      at = Math.floor(at / size);
      return place + index * steps[i]!;
    }, 0),
  );
  const flat = { dataId: x!.dataId, dtype: x!.dtype, shape: [tf.util.sizeFromShape(x!.shape)] };
  const { dataId, dtype } = withValues(places, "int32", (indices) =>
    run("GatherV2", { x: flat, indices }, { axis: 0, batchDims: 0 }),
  );
  return { dataId, dtype, shape: info.finalShape };
};

/** How many dimensions tfjs' arithmetic takes; with more its result is what lay in memory. */
const MOST_DIMENSIONS = 6;

/** Arithmetic of more dimensions, as of one; what is repeated is tiled first. */
const inOneDimension =
  (name: string): Composed =>
  (inputs, attrs, run) => {
    const { a, b } = inputs as { a: Info; b: Info };
    const rank = Math.max(a.shape.length, b.shape.length);
    if (rank <= MOST_DIMENSIONS) return run(name, inputs, attrs);
    const shape = tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const n = tf.util.sizeFromShape(shape);
    const made: Info[] = [];
    const spread = (one: Info): Info => {
      const own = [...new Array<number>(rank - one.shape.length).fill(1), ...one.shape];
      const reps = shape.map((size, i) => (own[i] === 1 ? size : 1));
      const isRepeated = reps.some((times) => times !== 1);
      const wide = isRepeated ? run("Tile", { x: { ...one, shape: own } }, { reps }) : one;
      if (isRepeated) made.push(wide);
      return { dataId: wide.dataId, dtype: wide.dtype, shape: [n] };
    };
    const { dataId, dtype } = run(name, { a: spread(a), b: spread(b) }, attrs);
    for (const one of made) tf.backend().disposeData(one.dataId);
    return { dataId, dtype, shape };
  };

const ARITHMETIC = ["Add", "Sub", "Multiply", "RealDiv", "SquaredDifference"];

export const TYPED: Readonly<Record<string, Composed>> = {
  ...Object.fromEntries(ARITHMETIC.map((name) => [name, inOneDimension(name)])),
  Cast: cast,
  ClipByValue: clip,
  Reverse: byFloats("Reverse", ["x"]),
  Select: byFloats("Select", ["t", "e"]),
  StridedSlice: stridedSlice,
};
