/** Chains of elementwise operations over inputs that broadcast, in one pass over memory. */
import type { ElementwiseStep } from "./elementwise-ops.js";
import type { Heap } from "./heap.js";
import { inJs } from "./on-demand.js";
import { type Kernel, placesAt, product, share } from "./kernel.js";
import { emitElementwise, type Motion } from "./wasm/elementwise.js";

export interface ElementwiseLibrary {
  run: (rows: number, n: number, ...places: number[]) => void;
}

export interface ElementwiseSpec {
  steps: readonly ElementwiseStep[];
  /** The shape of the result. */
  shape: readonly number[];
  /** For each input its strides over `shape`, in elements; 0 where it broadcasts. */
  strides: readonly (readonly number[])[];
  /** The strides of the output. Default: contiguous. */
  outStrides?: readonly number[];
}

export interface ElementwisePointers {
  inputs: readonly number[];
  /** May be the address of an input with the same strides. */
  out: number;
}

interface Nest {
  sizes: number[];
  strides: number[][];
}

export const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, dim) => product(shape.slice(dim + 1)));

/** Merges dimensions that can be walked as one in all tensors, and drops those of size 1. */
export function collapse(shape: readonly number[], strides: readonly (readonly number[])[]): Nest {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  shape.forEach((size, dim) => {
    if (size === 1) return;
    const joins =
      sizes.length > 0 && strides.every((stride, i) => merged[i]!.at(-1) === stride[dim]! * size);
    if (joins) sizes[sizes.length - 1]! *= size;
    else sizes.push(size);
    strides.forEach((stride, i) => {
      if (joins) merged[i]![merged[i]!.length - 1] = stride[dim]!;
      else merged[i]!.push(stride[dim]!);
    });
  });
  return { sizes, strides: merged };
}

function libraryOf(
  heap: Heap,
  steps: readonly ElementwiseStep[],
  motions: Motion[],
): ElementwiseLibrary {
  // String(-0) is "0": the two would share code.
  const named = steps.map((step) => (Object.is(step[1], -0) ? "constant,-0" : step));
  return heap.library(
    `elementwise ${named.join(" ")} ${motions.join()}`,
    (module) => emitElementwise(module, steps, motions),
    () => inJs().elementwiseInJs(heap, steps, motions.length - 1),
  );
}

/**
 * `out[i] = chain(inputs[0][i], inputs[1][i], ...)`, the inputs broadcasting as PyTorch's.
 *
 * @example
 * // silu(x + bias) over [rows, n], the bias [n]
 * elementwise(heap, {
 *   steps: [["add", 0, 1], ["sigmoid", 2], ["mul", 2, 3]],
 *   shape: [rows, n],
 *   strides: [[n, 1], [0, 1]],
 * });
 */
export function elementwise(heap: Heap, spec: ElementwiseSpec): Kernel<ElementwisePointers> {
  const { shape, steps, outStrides = stridesOf(shape) } = spec;
  const { sizes, strides } = collapse(shape, [outStrides, ...spec.strides]);
  const n = sizes.at(-1) ?? product(shape);
  const rows = sizes.at(-2) ?? 1;
  const outer = sizes.slice(0, -2);
  const along = (stride: readonly number[], back: number): number => stride.at(back) ?? 0;
  const motions = strides.map((stride, i): Motion => {
    const step = along(stride, -1);
    return step === 1 ? "along" : step === 0 && i > 0 ? "still" : "strided";
  });
  const { run } = libraryOf(heap, steps, motions);
  const cutsRow = rows === 1;
  const moves = strides.map((stride) => ({
    row: along(stride, -2) * 4,
    step: along(stride, -1) * 4,
    cut: along(stride, cutsRow ? -1 : -2) * 4,
  }));
  // The arguments of every call, in one list: allocating one would take longer than the call.
  const args: number[] = [];
  /**
   * One block of rows. `from` and `to` limit the rows, or the elements if there is a single row.
   */
  const block = (at: readonly number[], from: number, to: number): void => {
    for (let i = 0; i < moves.length; i += 1) {
      const { row, step, cut } = moves[i]!;
      args[3 * i] = at[i]! + from * cut;
      args[3 * i + 1] = row;
      args[3 * i + 2] = step;
    }
    run(cutsRow ? 1 : to - from, cutsRow ? to - from : n, ...args);
  };
  const blocks = product(outer);
  return {
    workspaceBytes: 0,
    run: ({ inputs, out }, part = 0, parts = 1) => {
      const places = [out, ...inputs];
      if (blocks === 1) {
        const [from, to] = rows === 1 ? share(n, part, parts, 16) : share(rows, part, parts);
        if (from < to && n > 0) block(places, from, to);
        return;
      }
      const [first, end] = share(blocks, part, parts);
      for (let index = first; index < end; index += 1) {
        block(placesAt(index, outer, strides, places), 0, rows);
      }
    },
  };
}

/** Runs a chain with one input over contiguous numbers: an activation. */
export type Apply = (x: number, out: number, count: number) => void;

export function applySteps(heap: Heap, steps: readonly ElementwiseStep[]): Apply {
  const { run } = libraryOf(heap, steps, ["along", "along"]);
  return (x, out, count) => {
    if (count > 0) run(1, count, out, 0, 4, x, 0, 4);
  };
}
