/**
 * torch.linalg: eigenvalues of general matrices, functions of symmetric ones, and Householder
 * products.
 */
import * as tf from "@tensorflow/tfjs-core";
import { eighOf, matrixOp, svdOf, turned } from "./factors.js";
import { matmul } from "./matmul.js";
import { type Complex, isComplex } from "./support/complex.js";
import { defineOps } from "./support/define.js";
import { eigen } from "./support/eigen.js";
import { cut, householder, identity, reflected, times, turn } from "./support/matrices.js";

const eigenOp = /* @__PURE__ */ matrixOp("linalg_eig", ([re, im]) => {
  const { values, vectors } = eigen({ re: re!, im: im! });
  return [values.re, values.im, vectors.re, vectors.im];
});

function eig(self: tf.Tensor | Complex): [values: Complex, vectors: Complex] {
  const parts = isComplex(self) ? [self.re, self.im] : [self, tf.zerosLike(self)];
  const [re, im, ...vectors] = eigenOp(parts) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  return [
    { re, im },
    { re: vectors[0], im: vectors[1] },
  ];
}

const asRow = (tau: tf.Tensor): tf.Tensor =>
  tf.reshape(tau, [...tau.shape.slice(0, -1), 1, tau.shape.at(-1)!]);

const products = /* @__PURE__ */ matrixOp("linalg_householder_product", ([v, tau]) => {
  const [rows, columns] = [v!.length, v![0]?.length ?? 0];
  return [cut(reflected(v!, tau![0] ?? new Float64Array(), identity(rows)), columns)];
});

const packed = /* @__PURE__ */ matrixOp("geqrf", ([a]) => {
  const { packed, tau } = householder(a!);
  return [packed, tau];
});

const rotated = /* @__PURE__ */ matrixOp("ormqr", ([v, tau, b], left: boolean, turns: boolean) => {
  const q = reflected(v!, tau![0] ?? new Float64Array(), identity(v!.length));
  const factor = turns ? turn(q) : q;
  return [left ? times(factor, b!) : times(b!, factor)];
});

/** `u diag(change(w)) uᵀ` of a symmetric matrix. */
function ofEigenvalues(self: tf.Tensor, change: (w: tf.Tensor) => tf.Tensor): tf.Tensor {
  const [w, v] = eighOf(self);
  const values = tf.reshape(change(w), [...w.shape.slice(0, -1), 1, w.shape.at(-1)!]);
  return matmul(tf.mul(v, values), turned(v));
}

export const eigenOps = defineOps({
  "linalg_eig(self)": eig,
  "linalg_eigvals|_linalg_eigvals(self)": (self: tf.Tensor | Complex) => eig(self)[0],
  "linalg_householder_product|orgqr(input, tau)": (v: tf.Tensor, tau: tf.Tensor) =>
    products([v, asRow(tau)])[0],
  "geqrf(self)": (self: tf.Tensor) => packed([self]),
  "ormqr(self, input2, input3, left, transpose)": (
    v: tf.Tensor,
    tau: tf.Tensor,
    b: tf.Tensor,
    left = true,
    transpose = false,
  ) => rotated([v, asRow(tau), b], left, transpose)[0],
  "linalg_matrix_sqrth(self)": (self: tf.Tensor) => ofEigenvalues(self, (w) => tf.sqrt(tf.relu(w))),
  "linalg_polar(A)": (self: tf.Tensor) => {
    const { u, s, vh } = svdOf(self);
    const values = tf.reshape(s, [...s.shape, 1]);
    return [matmul(u, vh), matmul(turned(vh), tf.mul(vh, values))];
  },
});
