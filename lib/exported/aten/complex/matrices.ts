/** Complex matrices as real ones of twice the size: `a + ib` becomes `[a -b; b a]`. */
import * as tf from "@tensorflow/tfjs-core";
import type { AtenOp } from "../../op-table.js";
import { type Complex, complexOf } from "../support/complex.js";
import { holdsVectors } from "../refusals/matrices.js";
import { permuteAxes, sliceAxis } from "../support/shape.js";

/** Ops that give for such a matrix another of this form. */
export const EMBEDDED =
  /^aten\.(inverse|linalg_inv|linalg_inv_ex|matrix_exp|linalg_matrix_exp|matrix_power|linalg_matrix_power|linalg_pinv|pinverse|linalg_solve|linalg_solve_ex|_linalg_solve_ex)\./;

/** A Hermitian matrix from its lower triangle and the real part of its diagonal. */
export function mirrored({ re, im }: Complex): Complex {
  const n = re.shape.at(-1)!;
  const below = tf.tidy(() => {
    const at = tf.range(0, n, 1, "int32");
    return tf.cast(tf.greater(tf.reshape(at, [n, 1]), at), "float32");
  });
  const turn = (x: tf.Tensor): tf.Tensor => permuteAxes(x, [...x.shape.map((_, i) => i).slice(0, -2), x.rank - 1, x.rank - 2]); // prettier-ignore
  const [real, imaginary] = [tf.mul(re, below), tf.mul(im, below)];
  const middle = tf.mul(re, tf.eye(n));
  return {
    re: tf.addN([real, middle, turn(real)]),
    im: tf.sub(imaginary, turn(imaginary)),
  };
}

const embed = ({ re, im }: Complex): tf.Tensor =>
  tf.concat([tf.concat([re, tf.neg(im)], -1), tf.concat([im, re], -1)], -2);

/** The inverse: the left half contains both parts. */
function taken(x: tf.Tensor): Complex {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const left = sliceAxis(x, x.rank - 1, 0, columns / 2);
  return {
    re: sliceAxis(left, x.rank - 2, 0, rows / 2),
    im: sliceAxis(left, x.rank - 2, rows / 2, rows),
  };
}

const reshaped = ({ re, im }: Complex, shape: readonly number[]): Complex => ({
  re: tf.reshape(re, [...shape]),
  im: tf.reshape(im, [...shape]),
});

/** Adds dimensions up to a rank: with fewer, an embedded matrix might be taken for vectors. */
const deepened = (z: Complex, rank: number): Complex =>
  reshaped(z, [...new Array<number>(Math.max(0, rank - z.re.rank)).fill(1), ...z.re.shape]);

export function embedded(target: string, op: AtenOp): AtenOp {
  const count = target.includes("solve") ? 2 : 1;
  return (args, kwargs, context) => {
    const [given, b] = args.slice(0, count).map((one) => complexOf(one as tf.Tensor | Complex)) as [
      Complex,
      Complex?,
    ];
    const a = kwargs.hermitian === true ? mirrored(given) : given;
    const areVectors = b !== undefined && holdsVectors(a.re, b.re);
    const right = b && deepened(areVectors ? reshaped(b, [...b.re.shape, 1]) : b, a.re.rank);
    const matrices = [a, right].slice(0, count).map((one) => embed(one!));
    const all = [...matrices, ...args.slice(count)];
    const plain = { ...context, inputs: [], outputs: [] };
    const result = op(all, kwargs, plain);
    const [x, ...others] = [result].flat() as tf.Tensor[];
    const both = taken(x!);
    const z = areVectors ? reshaped(both, both.re.shape.slice(0, -1)) : both;
    return Array.isArray(result) ? [z, ...others] : z;
  };
}
