/**
 * Refuses indices out of range, for which tfjs would silently read or write other elements, or
 * none.
 */
import * as tf from "@tensorflow/tfjs-core";
import { listText } from "../../../functional/check.js";
import { isDispatched } from "../../../functional/op.js";
import { extentOf, valuesOf } from "../support/host.js";
import { dimOf } from "../support/shape.js";

type Index = tf.Tensor | null;
type Extent = readonly [least: number, most: number];

/** By the data of a tensor, so that a weight or constant is read back only once. */
const EXTENTS = new WeakMap<object, Extent>();

export function placesOf(index: tf.Tensor): Extent {
  const known = EXTENTS.get(index.dataId);
  if (known !== undefined) return known;
  const extent = extentOf(valuesOf(index));
  EXTENTS.set(index.dataId, extent);
  return extent;
}

/**
 * Whether values can be read: not while tracing, when they are made up, nor on webgpu, where
 * reading is asynchronous.
 */
export const areReadable = (): boolean => !isDispatched() && tf.getBackend() !== "webgpu";

/**
 * @throws RangeError with the message of `say` for the first index below `least`, or not below
 *   `size`.
 */
function checkPlaces(
  index: tf.Tensor,
  [least, size]: Extent,
  say: (wrong: number) => string,
): void {
  if (index.size === 0 || index.dtype === "bool" || !areReadable()) return;
  const [from, to] = placesOf(index);
  if (from >= least && to < size) return;
  throw new RangeError(say(index.dataSync().find((one) => one < least || one >= size)!));
}

const outOf = (dim: number, size: number, start = "") => (wrong: number): string =>
  `${start}index ${wrong} is out of bounds for dimension ${dim} with size ${size}`; // prettier-ignore

/** A dimension and its size; a scalar has one of size 1. */
function axisOf(name: string, self: tf.Tensor, dim: number): [at: number, size: number] {
  const at = dimOf(name, self, dim);
  if (self.rank === 0) return [0, 1];
  return [at, self.shape[at]!];
}

const atLeastOne = (shape: readonly number[]): readonly number[] =>
  shape.length === 0 ? [1] : shape;

/** Checks an index with one entry for each element, along a dimension. */
export function checkElements(
  name: string,
  self: tf.Tensor,
  dim: number,
  index: tf.Tensor,
  src?: unknown,
): void {
  if (index.size === 0) return;
  const [at, size] = axisOf(name, self, dim);
  const [whole, part] = [self, index].map(({ shape }) => atLeastOne(shape)) as [number[], number[]];
  const isGather = name === "gather";
  if (whole.length !== part.length) {
    const other = isGather ? "input" : "self";
    throw new RangeError(`Index tensor must have the same number of dimensions as ${other} tensor`);
  }
  const from = src instanceof tf.Tensor && src.rank > 0 ? (src as tf.Tensor).shape : null;
  const wrong = part.findIndex(
    (one, d) => (d !== at && one > whole[d]!) || (from !== null && one > (from[d] ?? 0)),
  );
  if (wrong >= 0) {
    const sizes = `index ${listText(index.shape)} to be no larger than self ${listText(self.shape)}`;
    throw new RangeError(
      isGather
        ? `Size does not match at dimension ${wrong} expected ${sizes} apart from dimension ${at}`
        : `Expected ${sizes} apart from dimension ${at}` +
            (from === null ? "" : ` and to be no larger size than src ${listText(from)}`),
    );
  }
  checkPlaces(index, [0, size], outOf(at, size));
}

/** Checks an index of rows along a dimension; `isWrapped`: they may count from the end. */
export function checkRows(
  name: string,
  self: tf.Tensor,
  dim: number,
  index: tf.Tensor,
  isWrapped = false,
): void {
  const [at, size] = axisOf(name, self, dim);
  if (index.rank > 1) {
    throw new RangeError(
      name === "index_fill"
        ? "Index has to be a vector/scalar"
        : `${name}(): Index is supposed to be a vector`,
    );
  }
  if (name === "index_select" && self.rank === 0 && index.size > 1) {
    throw new RangeError(
      `index_select(): Index to scalar can have only 1 value, got ${index.size} value(s)`,
    );
  }
  if (name === "index_add" && self.size === 0) return; // nothing is written, wherever
  const start = name === "index_copy" ? "index_copy_(): " : "";
  const say = name === "index_select" ? () => "index out of range in self" : outOf(at, size, start);
  checkPlaces(index, [isWrapped ? -size : 0, size], say);
}

/**
 * Checks that a source for rows has as many rows as there are indices, and the same other sizes.
 */
export function checkSource(
  name: string,
  self: tf.Tensor,
  dim: number,
  index: tf.Tensor,
  source: tf.Tensor,
): void {
  const [at] = axisOf(name, self, dim);
  const [count, given] = [index.size, atLeastOne(source.shape)[at] ?? 1];
  const rest = (shape: readonly number[]): string => atLeastOne(shape).filter((_, i) => i !== at).join(); // prettier-ignore
  if (count !== given) {
    throw new RangeError(
      `${name}_(): Number of indices (${count}) should be equal to source.size(dim): (${given}), for dim: ${at}`,
    );
  }
  if (rest(self.shape) === rest(source.shape)) return;
  throw new RangeError(
    "source tensor shape must match self tensor shape, excluding the specified dimension. " +
      `Got self.shape = ${listText(self.shape)} source.shape = ${listText(source.shape)}`,
  );
}

/** Whether an index is empty, or a mask false everywhere: then no other index is checked. */
const takeNothing = (indices: readonly Index[]): boolean =>
  indices.some(
    (one) =>
      one !== null &&
      (one.size === 0 || (one.dtype === "bool" && areReadable() && !one.dataSync().includes(1))),
  );

/** Checks `self[i, j, …]`: indices along the first dimensions, or masks. */
export function checkIndices(self: tf.Tensor, indices: readonly Index[]): void {
  const rank = indices.reduce((sum, one) => sum + (one?.dtype === "bool" ? one.rank : 1), 0);
  if (rank > self.rank) {
    throw new RangeError(`too many indices for tensor of dimension ${self.rank} (got ${rank})`);
  }
  let [at, count] = [0, 0];
  const isIdle = takeNothing(indices);
  for (const index of indices) {
    if (index?.dtype !== "bool") {
      const size = self.shape[at]!;
      // In its message, PyTorch counts the indices, not the dimensions.
      const dim = index ? count++ : count;
      const isRead = !isIdle && (self.size > 0 || size === 0);
      const say =
        size > 0 ? outOf(dim, size) : () => "index is out of bounds for dimension with size 0";
      if (index && isRead) checkPlaces(index, [-size, size], say);
      at += 1;
      continue;
    }
    count += index.rank;
    const covered = self.shape.slice(at, at + index.rank);
    const wrong = index.shape.findIndex((size, d) => size !== covered[d]);
    if (wrong >= 0) {
      throw new RangeError(
        `The shape of the mask ${listText(index.shape)} at index ${wrong} does not match ` +
          `the shape of the indexed tensor ${listText(self.shape)} at index ${at + wrong}`,
      );
    }
    at += index.rank;
  }
}

/** Checks flat indices, which may count from the end. */
export function checkFlat(self: tf.Tensor, index: tf.Tensor): void {
  const { size } = self;
  checkPlaces(
    index,
    [-size, size],
    (wrong) => `out of range: tried to access index ${wrong} on a tensor of ${size} elements.`,
  );
}
