/**
 * Makes the rows of a row-major (rows, cols) matrix orthonormal in place, each after those above
 * it, by the modified Gram-Schmidt process: the Q of a QR decomposition whose R has a positive
 * diagonal. Needs `rows <= cols`.
 */
export function orthonormalizeRows(matrix: Float64Array, rows: number, cols: number): void {
  for (let i = 0; i < rows; i++) {
    const row = matrix.subarray(i * cols, (i + 1) * cols);
    const norm = Math.sqrt(dot(row, row));
    for (let k = 0; k < cols; k++) row[k]! /= norm;
    for (let j = i + 1; j < rows; j++) {
      const other = matrix.subarray(j * cols, (j + 1) * cols);
      const projection = dot(row, other);
      for (let k = 0; k < cols; k++) other[k]! -= projection * row[k]!;
    }
  }
}

/** The transpose of a row-major (rows, cols) matrix. */
export function transpose(matrix: Float64Array, rows: number, cols: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) result[j * rows + i] = matrix[i * cols + j]!;
  }
  return result;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
