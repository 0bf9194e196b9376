import type { Node, TensorMeta } from "../../../graph/index.js";
import type { Builder } from "../builder.js";
import type { Value } from "../value.js";

/** Gives the value of an operand: its texture and how to index it. */
export type Reader = (node: Node) => Value;

/** Adds the draws that compute a node. Returns `null` if no WebGL program can do it. */
export type Lowering = (b: Builder, node: Node, read: Reader) => Value | null;

/** A lowering for an op that returns several tensors. */
export type ListLowering = (b: Builder, node: Node, read: Reader) => Value[] | null;

export { shapeOf } from "../../passes/facts.js";

/** The number of elements of a shape. */
export const count = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

export const dtypeOf = (node: Node): string =>
  (node.meta.value as TensorMeta | undefined)?.dtype ?? "float32";

/** A size for each of `n` axes: `2`, `[2]` and `[2, 2]` all give `[2, 2]`. */
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

/**
 * Reads a pooling's window options for `n` axes. The stride defaults to the kernel size, as in
 * PyTorch.
 */
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
