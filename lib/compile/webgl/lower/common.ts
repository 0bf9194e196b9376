import type { Node, TensorMeta } from "../../../graph/index.js";
import type { Builder } from "../builder.js";
import type { Value } from "../value.js";

/** Where the value of a node is. */
export type Reader = (node: Node) => Value;

/** Adds the draws of a node; `null` if there is no program for it. */
export type Lowering = (b: Builder, node: Node, read: Reader) => Value | null;

/** The same for an op that gives several tensors. */
export type ListLowering = (b: Builder, node: Node, read: Reader) => Value[] | null;

export { shapeOf } from "../../passes/facts.js";

/** How many numbers there are. */
export const count = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

export const dtypeOf = (node: Node): string =>
  (node.meta.value as TensorMeta | undefined)?.dtype ?? "float32";

/** `2` and `[2, 2]` alike become `[2, 2]`. */
export function sizesOf(value: number | readonly number[], n: number): number[] {
  if (typeof value === "number") return new Array<number>(n).fill(value);
  return value.length === 1 && n > 1 ? new Array<number>(n).fill(value[0]!) : [...value];
}

export type Size = number | readonly number[];

export interface WindowOptions {
  stride?: Size | null;
  padding?: Size;
  dilation?: Size;
}

interface Window {
  kernel: number[];
  stride: number[];
  padding: number[];
  dilation: number[];
}

/** A pooling's windows along `n` axes; without a stride they lie side by side. */
export function windowOf(n: number, size: Size, options: WindowOptions): Window {
  const kernel = sizesOf(size, n);
  const stride: readonly number[] = [options.stride ?? []].flat();
  return {
    kernel,
    stride: stride.length > 0 ? sizesOf(stride, n) : kernel,
    padding: sizesOf(options.padding ?? 0, n),
    dilation: sizesOf(options.dilation ?? 1, n),
  };
}
