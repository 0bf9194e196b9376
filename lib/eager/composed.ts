/**
 * tfjs kernels composed of the backend's other kernels, for all callers: those that tfjs-wasm lacks
 * or gets wrong, and those that tfjs-cpu computes hundreds of times too slowly.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Attrs } from "./tfjs.js";
import { TYPED } from "./typed.js";

type Info = tf.TensorInfo;
export type Run = (name: string, inputs: Record<string, Info>, attrs?: Attrs) => Info;
export type Composed = (inputs: Record<string, Info>, attrs: Attrs, run: Run) => Info;

/** A tensor of new values. */
function write(values: tf.TypedArray, shape: number[], dtype: tf.DataType): Info {
  return { dataId: tf.backend().write(values, shape, dtype), shape, dtype };
}

/** The same data in another shape. */
const shaped = ({ dataId, dtype }: Info, shape: number[]): Info => ({
  dataId,
  dtype,
  shape,
});

const read = ({ dataId }: Info): tf.TypedArray => tf.backend().readSync(dataId) as tf.TypedArray;

/**
 * Gathers along a dimension. A batch of indices is converted to indices of rows of all of `x`,
 * because with a batch tfjs-wasm reads wrong rows, and past its memory. And if there are no
 * indices, it gives another shape, and leaks memory.
 */
const gather: Composed = ({ x, indices }, { axis, batchDims }, run) => {
  const isEmpty = tf.util.sizeFromShape(x!.shape) === 0;
  if (!batchDims && !isEmpty) return run("GatherV2", { x: x!, indices: indices! }, { axis, batchDims }); // prettier-ignore
  const [dim] = tf.util.parseAxisParam(axis as number, x!.shape) as [number];
  const shapes = tf.backend_util.segment_util.collectGatherOpShapeInfo(
    x as tf.Tensor, indices as tf.Tensor, dim, batchDims as number,
  ); // prettier-ignore
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = shapes;
  const given = read(indices!);
  for (const index of given) {
    const isInside = index >= 0 && index < dimSize;
    tf.util.assert(isInside, () => `GatherV2: the index value ${index} is not in [0, ${dimSize - 1}]`); // prettier-ignore
  }
  if (isEmpty) return write(new Float32Array(0), outputShape, x!.dtype);
  const n = given.length / batchSize;
  const rows = Int32Array.from({ length: outerSize * given.length }, (_, i) => {
    const outer = Math.floor(i / n);
    return outer * dimSize + given[Math.floor(outer / outerSize) * n + (i % n)]!;
  });
  const flat = shaped(x!, [batchSize * outerSize * dimSize, sliceSize]);
  const places = write(rows, [rows.length], "int32");
  const out = run("GatherV2", { x: flat, indices: places }, { axis: 0, batchDims: 0 });
  tf.backend().disposeData(places.dataId);
  return shaped(out, outputShape);
};

/**
 * Sums of the rows of `x` with the same segment id; rows with an id that is out of range are left
 * out.
 */
const segmentSum: Composed = ({ x, segmentIds }, attrs) => {
  const rows = attrs.numSegments as number;
  const [ids, values] = [read(segmentIds!), read(x!)];
  const shape = [rows, ...x!.shape.slice(segmentIds!.shape.length)];
  const n = tf.util.sizeFromShape(shape.slice(1));
  const dtype = x!.dtype === "float32" ? "float32" : "int32";
  const sums = new (dtype === "int32" ? Int32Array : Float32Array)(rows * n);
  ids.forEach((id, i) => {
    if (id < 0 || id >= rows) return;
    for (let j = 0; j < n; j += 1) sums[id * n + j]! += values[i * n + j]!;
  });
  return write(sums, shape, dtype);
};

/**
 * Einsum as a matrix product; tfjs-cpu multiplies all combinations of elements instead. Integers
 * are left to its own kernel there; on wasm they are multiplied as floats, as in layers.
 */
const einsum: Composed = (inputs, attrs, run) => {
  const given = Object.values(inputs);
  const isWhole = given.every(({ dtype }) => dtype === "int32");
  const isFloat = given.every(({ dtype }) => dtype === "float32");
  if (!isFloat && tf.getBackend() === "cpu") return run("Einsum", inputs, attrs);
  const equation = (attrs.equation as string).replace(/\s/g, "");
  const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, given.length);
  tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, given as tf.Tensor[]);
  const terms = equation.split(/,|->/);
  const output = terms.pop()!;
  const sizes: Record<string, number> = {};
  given.forEach(({ shape }, i) => shape.forEach((size, at) => (sizes[terms[i]![at]!] = size)));
  const size = (letters: readonly string[]): number =>
    tf.util.sizeFromShape(letters.map((one) => sizes[one]!));
  if (given.some((one) => tf.util.sizeFromShape(one.shape) === 0)) {
    const shape = [...output].map((one) => sizes[one]!); // empty sums
    const dtype = isWhole ? "int32" : "float32";
    return write(tf.util.makeZerosTypedArray(size([...output]), dtype), shape, dtype);
  }

  const made: Info[] = [];
  const call: Run = (...what) => {
    made.push(run(...what));
    return made.at(-1)!;
  };
  const turn = (x: Info, from: readonly string[], to: readonly string[]): Info => {
    const perm = to.map((one) => from.indexOf(one));
    return perm.every((at, i) => at === i) ? x : call("Transpose", { x }, { perm });
  };

  // Indices of only one operand are summed before the product.
  const parts = given.map((x, i) => {
    const letters = [...terms[i]!];
    const others = output + terms.filter((_, at) => at !== i).join("");
    const axis = letters.flatMap((one, at) => (others.includes(one) ? [] : [at]));
    if (x.dtype !== "float32") x = call("Cast", { x }, { dtype: "float32" });
    if (axis.length > 0) x = call("Sum", { x }, { axis, keepDims: false });
    return { x, letters: letters.filter((one) => others.includes(one)) };
  });
  const [a, b] = parts as [(typeof parts)[0], (typeof parts)[0]?];
  let { x: out, letters: order } = a;
  if (b) {
    const those = (inA: boolean, inB: boolean, isKept: boolean): string[] =>
      allDims.filter(
        (one) =>
          a.letters.includes(one) === inA &&
          b.letters.includes(one) === inB &&
          output.includes(one) === isKept,
      );
    const [batch, summed] = [those(true, true, true), those(true, true, false)];
    const [rows, columns] = [those(true, false, true), those(false, true, true)];
    const matrix = ({ x, letters }: typeof a, ...groups: string[][]): Info =>
      shaped(turn(x, letters, groups.flat()), groups.map(size));
    const pair = { a: matrix(a, batch, rows, summed), b: matrix(b, batch, summed, columns) };
    order = [...batch, ...rows, ...columns];
    out = shaped(
      call("BatchMatMul", pair, { transposeA: false, transposeB: false }),
      order.map((one) => sizes[one]!),
    );
  }
  out = turn(out, order, [...output]);
  if (isWhole) out = call("Cast", { x: out }, { dtype: "int32" });
  // The result is the output of the last call. Earlier outputs may share its data, of which each
  // counts a reference.
  const last = made.pop() ?? run("Identity", { x: out });
  for (const { dataId } of made) tf.backend().disposeData(dataId);
  return shaped(last, out.shape);
};

const COMPOSED: Record<"cpu" | "wasm", Readonly<Record<string, Composed>>> = {
  cpu: { Einsum: einsum, UnsortedSegmentSum: segmentSum },
  wasm: { Einsum: einsum, UnsortedSegmentSum: segmentSum, GatherV2: gather, ...TYPED },
};

/**
 * Registers these kernels with tfjs.
 *
 * @returns tfjs' kernels that were replaced.
 */
export function compose(backendName: "cpu" | "wasm"): tf.KernelConfig[] {
  const composed = Object.entries(COMPOSED[backendName]);
  if (backendName === "wasm") COMPOSED.wasm = {}; // once
  return composed.flatMap(([kernelName, kernel]) => {
    const old = tf.getKernel(kernelName, backendName) as tf.KernelConfig | undefined;
    if (old) tf.unregisterKernel(kernelName, backendName);
    const run: Run = (name, inputs, attrs = {}) => {
      const { kernelFunc } = name === kernelName ? old! : tf.getKernel(name, backendName);
      return kernelFunc({ inputs, attrs: attrs as tf.NamedAttrMap, backend: tf.backend() }) as Info;
    };
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => kernel(inputs as Record<string, Info>, attrs ?? {}, run),
    });
    return old ? [old] : [];
  });
}
