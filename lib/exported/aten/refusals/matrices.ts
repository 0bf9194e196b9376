/** Refuses matrices whose shapes do not match. */
import type * as tf from "@tensorflow/tfjs-core";

/** Refuses matrices that are not square; `name` is the op's name in PyTorch's message. */
export function checkSquare(name: string, a: tf.Tensor): void {
  if (a.rank < 2) {
    throw new RangeError(`${name}: The input tensor A must have at least 2 dimensions.`);
  }
  const [rows, columns] = a.shape.slice(-2);
  if (rows === columns) return;
  throw new RangeError(
    `${name}: A must be batches of square matrices, but they are ${rows} by ${columns} matrices`,
  );
}

/**
 * Refuses right-hand sides whose height (or width, if they are on the left) differs from the
 * matrix.
 */
export function checkEquation(
  name: string,
  a: tf.Tensor,
  b: { readonly shape: readonly number[] },
  left = true,
): void {
  const [rows, columns] = b.shape.slice(-2);
  const n = a.shape.at(-1);
  if ((left ? rows : columns) === n) return;
  throw new RangeError(
    `${name}: Incompatible shapes of A and B for the equation ${left ? "AX = B" : "XA = B"} ` +
      `(${a.shape.at(-2)}x${n} and ${rows}x${columns})`,
  );
}

const square =
  (name: string) =>
  (a: tf.Tensor): void =>
    checkSquare(name, a);

/** Whether the right-hand sides of `linalg.solve` are single vectors, one for each matrix. */
export const holdsVectors = (a: tf.Tensor, b: tf.Tensor): boolean =>
  b.rank === 1 || (a.rank - 1 === b.rank && String(b.shape) === String(a.shape.slice(0, -1)));

function checkSolve(a: tf.Tensor, b: tf.Tensor, left = true): void {
  checkSquare("linalg.solve", a);
  const shape = holdsVectors(a, b) ? [...b.shape, 1] : b.shape;
  checkEquation("linalg.solve", a, { shape }, left);
}

function checkLuSolve(lu: tf.Tensor, pivots: tf.Tensor, b: tf.Tensor, left = true): void {
  checkSquare("torch.linalg.lu_solve", lu);
  checkEquation("linalg.lu_solve", lu, b, left);
  if (pivots.shape.at(-1) !== lu.shape.at(-1)) {
    throw new RangeError(
      "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix",
    );
  }
  if (String(pivots.shape) === String(lu.shape.slice(0, -1))) return;
  throw new RangeError(
    "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, " +
      `but got pivots with shape [${pivots.shape.join(", ")}] instead`,
  );
}

export const MATRIX_REFUSALS = {
  linalg_solve: checkSolve,
  linalg_solve_ex: checkSolve,
  _linalg_solve_ex: checkSolve,
  linalg_inv: square("linalg.inv"),
  inverse: square("linalg.inv"),
  linalg_inv_ex: square("linalg.inv"),
  linalg_eig: square("linalg.eig"),
  linalg_eigvals: square("linalg.eigvals"),
  linalg_eigh: square("linalg.eigh"),
  _linalg_eigh: square("linalg.eigh"),
  linalg_eigvalsh: square("linalg.eigh"),
  linalg_cholesky: square("linalg.cholesky"),
  linalg_cholesky_ex: square("linalg.cholesky"),
  cholesky_inverse: square("cholesky_inverse"),
  linalg_det: square("linalg.det"),
  det: square("linalg.det"),
  _linalg_det: square("linalg.det"),
  linalg_slogdet: square("linalg.slogdet"),
  slogdet: square("linalg.slogdet"),
  _linalg_slogdet: square("linalg.slogdet"),
  logdet: square("logdet"),
  matrix_power: square("linalg.matrix_power"),
  linalg_matrix_power: square("linalg.matrix_power"),
  matrix_exp: square("linalg.matrix_exp"),
  linalg_matrix_exp: square("linalg.matrix_exp"),
  linalg_matrix_sqrth: square("linalg.matrix_sqrth"),
  linalg_ldl_factor: square("torch.linalg.ldl_factor_ex"),
  linalg_ldl_factor_ex: square("torch.linalg.ldl_factor_ex"),
  linalg_ldl_solve: (ld: tf.Tensor, _pivots: tf.Tensor, b: tf.Tensor): void => {
    checkSquare("torch.linalg.ldl_solve", ld);
    checkEquation("torch.linalg.ldl_solve", ld, b);
  },
  linalg_lu_solve: checkLuSolve,
  lu_solve: (b: tf.Tensor, lu: tf.Tensor, pivots: tf.Tensor): void => checkLuSolve(lu, pivots, b),
  linalg_solve_triangular: (a: tf.Tensor, b: tf.Tensor, _upper: boolean, left = true): void => {
    checkSquare("linalg.solve_triangular", a);
    checkEquation("linalg.solve_triangular", a, b, left);
  },
  triangular_solve: (_b: tf.Tensor, a: tf.Tensor): void => checkSquare("triangular_solve", a),
  cholesky_solve: (b: tf.Tensor, a: tf.Tensor): void => {
    checkSquare("cholesky_solve", a);
    if (a.shape.at(-1) === b.shape.at(-2)) return;
    const [n, m] = [a.shape, b.shape].map((shape) => shape.slice(-2).join(" by "));
    throw new RangeError(
      `Incompatible matrix sizes for cholesky_solve: each A matrix is ${n} but each b matrix is ${m}`,
    );
  },
};
