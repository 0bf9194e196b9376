/** Max pooling that returns indices, and max unpooling. */
import type { Node, TensorMeta } from "../../../graph/index.js";
import { largestProgram, unpoolProgram } from "../../../kernels/webgl/programs/places.js";
import { isMasked } from "../builder.js";
import { reshaped, type Value } from "../value.js";
import { type ListLowering, type Lowering, shapeOf, type Size, type WindowOptions, windowOf } from "./common.js"; // prettier-ignore

const AXES = ["D", "H", "W"] as const;

/** Program integers for the three axes of a volume. Missing axes get the value `none`. */
function perAxis(name: string, sizes: readonly number[], none: number): Record<string, number> {
  const all = [...new Array<number>(3 - sizes.length).fill(none), ...sizes];
  return Object.fromEntries(AXES.map((axis, i) => [`${name}${axis}`, all[i]!]));
}

/**
 * The value with a batch axis, and its axes in channels-last order. The last `n` axes are spatial.
 */
function asBatch(value: Value, n: number): { value: Value; order: number[] } {
  const isOne = value.shape.length === n + 1;
  const batch = isOne ? reshaped(value, [1, ...value.shape])! : value;
  return { value: batch, order: [0, ...Array.from({ length: n }, (_, d) => d + 2), 1] };
}

const dimsOf = ({ target }: Node): number => Number(/([123])d$/.exec(target)![1]);

/** `max_pool2d(x, kernel, { returnIndices: true })` and its like. */
export const largest: ListLowering = (b, node, read) => {
  const n = dimsOf(node);
  const [x, size, options = {}] = node.args as unknown as [Node, Size, WindowOptions | undefined];
  const metas = node.meta.value as readonly TensorMeta[];
  const shape = metas[0]!.shape as number[];
  const { value, order } = asBatch(read(x), n);
  if (metas.length !== 2 || value.shape.includes(0) || shape.includes(0)) return null;
  const isAdaptive = node.target.startsWith("adaptive");
  const window = isAdaptive ? null : windowOf(n, size, options);
  const numbers = window && {
    ...perAxis("kernel", window.kernel, 1),
    ...perAxis("stride", window.stride, 1),
    ...perAxis("pad", window.padding, 0),
  };
  const result = [...value.shape.slice(0, 2), ...shape.slice(-n)];
  const kind = { isAdaptive, masked: isMasked(value.shape[1]!) };
  const input = b.read(value, order);
  return (["values", "indices"] as const).map((wants) => {
    const made = b.draw(largestProgram(wants, kind), result, {
      order,
      inputs: [input],
      ints: {
        ...perAxis("in", value.shape.slice(2), 1),
        ...perAxis("out", result.slice(2), 1),
        ...perAxis("step", window?.dilation ?? new Array<number>(n).fill(1), 1),
        ...numbers,
      },
    });
    return reshaped(made, shape)!;
  });
};

const sizeOf = (values: readonly number[]): number => values.reduce((n, one) => n * one, 1);

/**
 * `max_unpool2d(x, indices, kernel, options)`, only for indices from a pooling with the same
 * windows. Then just a few inputs can belong to an output; with other indices, any input could.
 */
export const unpool: Lowering = (b, node, read) => {
  const n = dimsOf(node);
  const [x, indices, size, options = {}] = node.args as unknown as [Node, Node, Size, WindowOptions | undefined]; // prettier-ignore
  if (indices.target !== "getitem" || indices.args[1] !== 1) return null;
  const pool = indices.args[0] as Node;
  if (pool.target !== `max_pool${n}d`) return null;
  const { dilation, ...pooled } = windowOf(n, pool.args[1] as Size, (pool.args[2] ?? {}) as WindowOptions); // prettier-ignore
  const { kernel, stride, padding } = windowOf(n, size, options);
  const isSame = JSON.stringify(pooled) === JSON.stringify({ kernel, stride, padding });
  const from = shapeOf(pool.args[0] as Node).slice(-n);
  const shape = shapeOf(node);
  // With a smaller output, an index could lie outside of it, which must be an error.
  const fits = sizeOf(shape.slice(-n)) >= sizeOf(from);
  if (!isSame || dilation.some((one) => one !== 1) || !fits || shape.includes(0)) return null;
  const { value, order } = asBatch(read(x), n);
  const result = [...value.shape.slice(0, 2), ...shape.slice(-n)];
  const [pooledH, pooledW] = [...new Array<number>(3 - n).fill(1), ...from].slice(-2);
  const made = b.draw(unpoolProgram(isMasked(result[1]!)), result, {
    order,
    inputs: [b.read(value, order), b.read(asBatch(read(indices), n).value, order)],
    ints: {
      ...perAxis("in", value.shape.slice(2), 1),
      ...perAxis("kernel", kernel, 1),
      ...perAxis("stride", stride, 1),
      ...perAxis("pad", padding, 0),
      ...{ pooledH: pooledH!, pooledW: pooledW!, volume: sizeOf(result.slice(2)) },
    },
  });
  return reshaped(made, shape);
};
