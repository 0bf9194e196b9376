import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";
import { type Chance, type Known, type Made, type Piece, sizeOf } from "./chance.js";

const F = nn.functional;

/** What moves numbers about, of at least so many dimensions. */
const move =
  (
    rank: number,
    make: (shape: readonly number[], chance: Chance, x: Known) => Made | null,
  ): Piece =>
  (x, chance) => {
    if (x.shape.length < rank) return null;
    const made = make(x.shape, chance, x);
    return made && { isMove: true, ...made };
  };

const full = ({ shape }: Known): boolean => sizeOf(shape) > 0;

/** Two neighbours joined, one split, one of size 1 more or less. */
function regroup(shape: readonly number[], chance: Chance): number[] {
  const at = chance.below(shape.length + 1);
  const rest = shape.slice(at + 1);
  const here = shape[at];
  const ways = [[...shape.slice(0, at), 1, ...shape.slice(at)]];
  if (rest.length > 0) ways.push([...shape.slice(0, at), here! * rest[0]!, ...rest.slice(1)]);
  for (const factor of [2, 3]) {
    if (here && here % factor === 0) {
      ways.push([...shape.slice(0, at), factor, here / factor, ...rest]);
      ways.push([...shape.slice(0, at), here / factor, factor, ...rest]);
    }
  }
  if (here === 1) ways.push([...shape.slice(0, at), ...rest]);
  ways.push([sizeOf(shape)]);
  return chance.pick(ways);
}

/** A part of each dimension: from, and how many. */
function part(shape: readonly number[], chance: Chance): [number[], number[]] {
  const begin = shape.map((n) => (chance.yes() ? 0 : chance.below(Math.max(n, 1))));
  return [begin, shape.map((n, i) => (chance.yes() ? n - begin[i]! : Math.max(Math.min(1, n), chance.from(0, n - begin[i]!))))]; // prettier-ignore
}

export const VIEWS: readonly Piece[] = [
  move(0, ({ length }, chance) => {
    const perm = chance.order(length);
    return { run: (x) => tf.transpose(x, perm) };
  }),
  move(2, ({ length }) => {
    const perm = Array.from({ length }, (_, i) => i);
    perm.push(...perm.splice(length - 2).reverse());
    return { run: (x) => tf.transpose(x, perm) };
  }),
  move(0, (shape, chance) => {
    const next = regroup(shape, chance);
    return next.length > 5 ? null : { run: (x) => tf.reshape(x, next) };
  }),
  move(1, (shape, chance, x) => {
    if (!full(x)) return null;
    const [begin, size] = part(shape, chance);
    return { run: (y) => tf.slice(y, begin, size) };
  }),
  // One row or column, to be read beside the whole.
  move(1, (shape, chance, x) => {
    if (!full(x)) return null;
    const axis = chance.below(shape.length);
    const at = chance.below(shape[axis]!);
    const begin = shape.map((_, i) => (i === axis ? at : 0));
    const size = shape.map((n, i) => (i === axis ? 1 : n));
    return { run: (y) => tf.slice(y, begin, size) };
  }),
  move(1, ({ length }, chance) => {
    const axes = chance.order(length).slice(0, chance.from(1, length));
    return { run: (x) => tf.reverse(x, axes) };
  }),
  move(1, (shape, chance, x) => {
    const axis = chance.below(shape.length);
    const parts = chance.pick([2, 3]);
    return shape[axis]! % parts === 0 && full(x) ? { run: (y) => tf.split(y, parts, axis) } : null;
  }),
  move(2, (shape, chance, x) => {
    const axis = chance.below(shape.length);
    return full(x) && shape[axis]! < 5 ? { run: (y) => tf.unstack(y, axis) } : null;
  }),
  move(0, ({ length }, chance, { shape, dtype }) => {
    const axis = chance.from(0, length);
    const other = chance.other((one) => String(one.shape) === String(shape) && one.dtype === dtype);
    return length < 5 && other !== null ? { run: (x, y) => tf.stack([x, y], axis), others: [other] } : null; // prettier-ignore
  }),
  move(1, (shape, chance, { dtype }) => {
    const axis = chance.below(shape.length);
    const fits = (one: Known): boolean => one.dtype === dtype && one.shape.length === shape.length && one.shape.every((n, i) => i === axis || n === shape[i]); // prettier-ignore
    const other = chance.other(fits)!;
    const isThree = chance.below(3) === 0;
    return { run: (x, y) => tf.concat(isThree ? [x, y, x] : [y, x], axis), others: [other] };
  }),
  move(1, (shape, chance) => {
    const axis = chance.below(shape.length);
    return { run: (x) => tf.concat([x, x], axis) };
  }),
  move(1, (shape, chance, x) => {
    const reps = shape.map(() => chance.from(1, 2));
    return full(x) ? { run: (y) => tf.tile(y, reps) } : null;
  }),
  move(1, (shape, chance, x) => {
    const wide = shape.map((n) => (n === 1 ? chance.from(1, 3) : n));
    if (wide.length < 4 && chance.yes()) wide.unshift(2);
    return full(x) ? { run: (y) => tf.broadcastTo(y, wide) } : null;
  }),
  move(1, (shape, chance, x) => {
    if (!full(x)) return null;
    const axis = chance.below(shape.length);
    const places = Array.from({ length: chance.from(1, 4) }, () => chance.below(shape[axis]!));
    return { run: (y) => tf.gather(y, tf.tensor1d(places, "int32"), axis) };
  }),
  move(1, (shape, chance, { dtype }) => {
    if (dtype !== "float32") return null;
    const axis = chance.below(shape.length);
    const fits = (one: Known): boolean => one.dtype === "int32" && one.isExact && one.shape.length + shape.length < 6; // prettier-ignore
    const other = shape[axis]! > 0 ? chance.other(fits) : null;
    const most = shape[axis]! - 1;
    return other === null ? null : { run: (x, y) => tf.gather(x, tf.clipByValue(y, 0, most), axis), others: [other] }; // prettier-ignore
  }),
  move(1, (shape, chance, x) => {
    const steps = shape.map(() => chance.from(1, 2));
    return full(x) ? { run: (y) => tf.stridedSlice(y, shape.map(() => 0), [...shape], steps) } : null; // prettier-ignore
  }),
  // Rolled round; tfjs cannot split its own concat of nothing.
  move(1, (shape, chance, x) => {
    const axis = chance.below(shape.length);
    const [n, at] = [shape[axis]!, Math.floor(shape[axis]! / 2)];
    return n < 2 || !full(x) ? null : { run: (y) => tf.concat(tf.split(y, [at, n - at], axis).reverse(), axis) }; // prettier-ignore
  }),
  move(1, (shape, chance, { dtype }) => {
    const sides = shape.map((): [number, number] => [chance.below(2), chance.below(3)]);
    const value = chance.pick([0, 0.5]);
    return dtype === "float32" ? { run: (x) => tf.pad(x, sides, value) } : null;
  }),
  move(2, (shape, chance, x) => {
    const sizes = [chance.from(-1, 2), chance.from(0, 2), chance.below(2), 0];
    const value = chance.pick([0, 1]);
    return x.dtype === "float32" && full(x) && shape.at(-1)! > 1 ? { run: (y) => F.pad(y, sizes, { value }) } : null; // prettier-ignore
  }),
];
