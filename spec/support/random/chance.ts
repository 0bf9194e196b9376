import type * as tf from "@tensorflow/tfjs-core";
import type * as nn from "../../../lib/index.js";

/** A tensor of a model under construction. */
export interface Known {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  /** An input, or moved numbers of one: what jumps at a number may look at it, there is no rounding. */
  readonly isExact: boolean;
}

/** What a piece becomes for the tensor that comes. */
export interface Made {
  run: (...operands: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Which tensors it takes besides, by their number. */
  others?: number[];
  module?: nn.Module;
  /** Only moves numbers. */
  isMove?: boolean;
}

/** What random models are made of; `null`: not for this tensor. */
export type Piece = (x: Known, chance: Chance) => Made | null;

/** Draws that depend on the seed alone. */
export class Chance {
  constructor(
    private state: number,
    /** The tensors that there are. */
    readonly pool: readonly Known[] = [],
  ) {}

  /** A whole number from 0 to n - 1. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  from(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  yes(): boolean {
    return this.below(2) === 0;
  }

  /** The numbers from 0 to n - 1 in some order. */
  order(n: number): number[] {
    const left = Array.from({ length: n }, (_, i) => i);
    return left.map((_, i) => {
      const j = i + this.below(n - i);
      [left[i], left[j]] = [left[j]!, left[i]!];
      return left[i];
    });
  }

  /** One of the tensors that fit, by its number; `null` if none does. */
  other(fits: (known: Known) => boolean): number | null {
    const all = this.pool.flatMap((known, i) => (fits(known) ? [i] : []));
    return all.length > 0 ? this.pick(all) : null;
  }
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The shape of two together; `null` where they do not broadcast. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly number[], i: number): number => shape[i - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)));
  return shape.every((n, i) => at(b, i) === 1 || at(b, i) === n) ? shape : null;
}

/** A piece for floats of so many dimensions, and not for nothing. */
export const fitting =
  (
    low: number,
    high: number,
    make: (shape: readonly number[], chance: Chance) => Made | null,
  ): Piece =>
  // prettier-ignore
  ({ shape, dtype }, chance) =>
    dtype === "float32" && shape.length >= low && shape.length <= high && sizeOf(shape) > 0
      ? make(shape, chance)
      : null;
