/** Our kernels in the place of tfjs' on its cpu backend; what ours do not take, tfjs' compute. */
import * as tf from "@tensorflow/tfjs-core";
import type { Activation, ElementwiseStep, ReduceSpec } from "../kernels/cpu/index.js";
import { product, sameShape } from "./arguments.js";
import { packWeight, runLinear, runMatmul } from "./linear.js";
import { runOn } from "./memories.js";
import type { Dtype, Memory } from "./memory.js";
import { areDistinct, choose, permute, slice, split, tile, unstack } from "./moves.js";
import { isFew, runBinary, runPad, runSteps, runUnary } from "./pointwise.js";
import { runReduction } from "./rows.js";

type Info = tf.TensorInfo;
/** The attributes of a tfjs kernel. */
export type Attrs = Readonly<Record<string, unknown>>;
export type Inputs = Readonly<Record<string, Info | undefined>>;
export type Kernel = (memory: Memory, inputs: Inputs, attrs: Attrs) => Info | Info[] | null;

/** `activation(a · b + bias)`; a `b` without batch is packed like a weight. */
export function multiply(
  memory: Memory,
  { a, b, bias }: Inputs,
  { transposeA, transposeB }: Attrs,
  activation?: Activation,
): Info | null {
  const [left, right] = [a!.shape, b!.shape];
  const n = right.at(transposeB ? -2 : -1)!;
  const k = right.at(transposeB ? -1 : -2)!;
  if (!transposeA && product(right.slice(0, -2)) === 1 && left.length >= right.length) {
    if (left.at(-1) !== k) return null;
    const weight = packWeight(memory, b!, n, k, transposeB ? "nk" : "kn");
    return runLinear(memory, a!, weight, bias ?? null, [...left.slice(0, -1), n], activation);
  }
  return bias ? null : runMatmul(memory, a!, b!, Boolean(transposeA), Boolean(transposeB));
}

export const unary =
  (steps: readonly ElementwiseStep[], dtype?: Dtype): Kernel =>
  (memory, { x }) =>
    isFew(x!.shape) ? null : runUnary(memory, steps, x!, dtype);

const binary =
  (op: ElementwiseStep[0], dtype?: Dtype): Kernel =>
  (memory, { a, b }) =>
    isFew(a!.shape) && isFew(b!.shape) ? null : runBinary(memory, op, a!, b!, dtype);

/**
 * Makes kernels for a list of names: `"Exp Erf"`, with `Name=op` where our operation has another
 * name.
 */
const each = (names: string, make: (op: ElementwiseStep[0]) => Kernel): Record<string, Kernel> =>
  Object.fromEntries(
    names.split(" ").map((name) => {
      const [kernel, op] = name.split("=") as [string, ElementwiseStep[0] | undefined];
      return [kernel, make(op ?? (kernel.toLowerCase() as "tanh"))];
    }),
  );

const select: Kernel = (memory, inputs) => {
  const { condition, t, e } = inputs as Readonly<Record<string, Info>>;
  const { shape, dtype } = t!;
  if (isFew(shape) || e!.dtype !== dtype || !sameShape(condition!.shape, shape)) return null;
  return runSteps(memory, [["where", 0, 1, 2]], [condition!, t!, e!], shape, dtype as Dtype);
};

const reduction =
  (kind: ReduceSpec["reduction"]): Kernel =>
  (memory, { x }, attrs) => {
    const given = (attrs.axis ?? attrs.reductionIndices ?? null) as number[];
    const axes = tf.util.parseAxisParam(given, x!.shape).sort((a, b) => a - b);
    if (isFew(x!.shape)) return null;
    const kept = x!.shape.map((size, i) => (axes.includes(i) ? 1 : size));
    const shape = attrs.keepDims ? kept : kept.filter((_, i) => !axes.includes(i));
    return runReduction(memory, x!, axes, kind, shape);
  };

export const move =
  (run: (memory: Memory, x: Info, attrs: Attrs) => Info | Info[] | null): Kernel =>
  (memory, { x, value }, attrs) =>
    run(memory, (x ?? value)!, attrs);

/** The kernels that bodies of ops call. */
export const KERNELS: Readonly<Record<string, Kernel>> = {
  BatchMatMul: multiply,
  Transpose: (memory, { x }, { perm }) =>
    areDistinct(perm as number[]) ? permute(memory, x!, perm as number[]) : null,
  Slice: move(slice),
  SplitV: move(split),
  Unpack: move(unstack),
  Tile: move(tile),
  GatherV2: (memory, { x, indices }, attrs) => choose(memory, x!, indices!, attrs),
  PadV2: (memory, { x }, { paddings, constantValue }) =>
    runPad(memory, x!, paddings as [number, number][], constantValue as number),
  ...each("Tanh Exp Erf Sqrt Rsqrt Square Neg Abs Log Floor Reciprocal", (op) =>
    unary([[op, 0] as unknown as ElementwiseStep]),
  ),
  ...each("IsNan=isNaN LogicalNot=not", (op) =>
    unary([[op, 0] as unknown as ElementwiseStep], "bool"),
  ),
  ...each("Add Sub Multiply=mul RealDiv=div Maximum=max Minimum=min Pow", binary),
  ...each(
    "Greater=gt GreaterEqual=ge Less=lt LessEqual=le Equal=eq NotEqual=ne LogicalAnd=and LogicalOr=or",
    (op) => binary(op, "bool"),
  ),
  Select: select,
  ...each("Sum Mean Max Min", (name) => reduction(name as "sum")),
};

/** The kernels that take booleans, which are bytes on tfjs-wasm. */
const TAKES_BOOLEANS = /^cpu(Sel|Log|Til|Tra|Sli)/;

/**
 * Replaces tfjs' kernels on a backend by ours, for calls while `isMeant` holds; returns tfjs'
 * kernels.
 */
export function replaceKernels(
  backend: "cpu" | "wasm",
  kernels: Readonly<Record<string, Kernel>>,
  isMeant: (backend: string) => boolean,
): tf.KernelConfig[] {
  return Object.entries(kernels).flatMap(([kernelName, kernel]) => {
    const old = tf.getKernel(kernelName, backend);
    if (!old) return [];
    const takesBooleans = TAKES_BOOLEANS.test(backend + kernelName);
    /** Whether an input has a dtype that our kernels take; indices may have others. */
    const isTaken = ([name, one]: [string, Info | undefined]): boolean =>
      !one ||
      ((name === "indices" || one.dtype === "float32" || (one.dtype === "bool" && takesBooleans)) &&
        product(one.shape) > 0);
    tf.unregisterKernel(kernelName, backend);
    tf.registerKernel({
      ...old,
      kernelFunc: (params) => {
        const inputs = params.inputs as Inputs;
        const isOurs = isMeant(backend) && Object.entries(inputs).every(isTaken);
        const own = isOurs && runOn(backend, (memory) => kernel(memory, inputs, params.attrs as Attrs)); // prettier-ignore
        return own || old.kernelFunc(params);
      },
    });
    return [old];
  });
}
