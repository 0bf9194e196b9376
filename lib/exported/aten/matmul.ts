import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { op } from "../../functional/op.js";
import { vectorNorm } from "../../functional/vector-norm.js";
import { defineOps } from "./support/define.js";
import { DTYPES, type Kind, kindOf, toDtype, toFloat } from "./support/dtype.js";
import { einsum } from "./support/einsum.js";
import { broadcastShapes, expandTo, permuteAxes } from "./support/shape.js";
import { add, mul } from "./pointwise-binary.js";

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/**
 * torch.matmul: a vector counts as a row on the left and as a column on the right, and the
 * dimensions before the matrices are broadcast.
 */
export const matmul = /* @__PURE__ */ op(
  "matmul",
  (self: tf.Tensor, other: tf.Tensor): tf.Tensor => {
    const dtype = DTYPES[Math.max(kindOf(self), kindOf(other)) as Kind];
    const a = toFloat(self.rank === 1 ? tf.reshape(self, [1, -1]) : self);
    const b = toFloat(other.rank === 1 ? tf.reshape(other, [-1, 1]) : other);
    const [n, k] = a.shape.slice(-2) as [number, number];
    const [k2, m] = b.shape.slice(-2) as [number, number];
    if (k !== k2) {
      throw new Error(
        `mat1 and mat2 shapes cannot be multiplied (${self.shape.join("x")} and ${other.shape.join("x")})`,
      );
    }
    const lead = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const shape = [...lead, ...(self.rank === 1 ? [] : [n]), ...(other.rank === 1 ? [] : [m])];
    if (product(shape) === 0 || k === 0) return tf.zeros(shape, dtype);
    // With a single matrix on the right, all rows on the left form one matrix.
    const y =
      b.rank === 2
        ? tf.matMul(tf.reshape(a, [-1, k]), b)
        : tf.matMul(expandTo(a, [...lead, n, k]), expandTo(b, [...lead, k, m]));
    return toDtype(tf.reshape(y, shape), dtype);
  },
);

/** `β · self + α · product`; if β = 0, self is ignored, even NaN. */
function addProduct(self: tf.Tensor, result: tf.Tensor, beta = 1, alpha = 1): tf.Tensor {
  if (self.dtype === "int32" && !(Number.isInteger(beta) && Number.isInteger(alpha))) {
    return addProduct(self, result, Math.trunc(beta), Math.trunc(alpha));
  }
  const scaled = alpha === 1 ? result : mul(result, alpha);
  if (beta === 0) return expandTo(scaled, broadcastShapes(self.shape, scaled.shape));
  return add(scaled, beta === 1 ? self : mul(self, beta));
}

const added =
  (multiply: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  (self: tf.Tensor, a: tf.Tensor, b: tf.Tensor, beta = 1, alpha = 1): tf.Tensor =>
    addProduct(self, multiply(a, b), beta, alpha);

const outer = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  mul(tf.reshape(a, [-1, 1]), tf.reshape(b, [1, -1]));

function sumOfProducts(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const [batch, n, k] = a.shape as [number, number, number];
  const rows = tf.reshape(tf.transpose(a, [1, 0, 2]), [n, batch * k]);
  return matmul(rows, tf.reshape(b, [batch * k, b.shape[2]!]));
}

/** Sums of products over the last dimension of both. */
function inner(self: tf.Tensor, other: tf.Tensor): tf.Tensor {
  if (self.rank === 0 || other.rank === 0) return mul(self, other);
  const k = self.shape.at(-1)!;
  const right = tf.transpose(tf.reshape(other, [-1, k]));
  return tf.reshape(matmul(self, right), [...self.shape.slice(0, -1), ...other.shape.slice(0, -1)]);
}

function tensordot(
  given: tf.Tensor,
  partner: tf.Tensor,
  dimsSelf: readonly number[],
  dimsOther: readonly number[],
): tf.Tensor {
  const wrap = (x: tf.Tensor, dims: readonly number[]): number[] =>
    dims.map((dim) => (dim < 0 ? dim + x.rank : dim));
  const [p, q] = [wrap(given, dimsSelf), wrap(partner, dimsOther)];
  const rest = (x: tf.Tensor, dims: number[]): number[] =>
    x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  // A dimension of size 1 is repeated to the size of the other operand's.
  const wide = (x: tf.Tensor, own: number[], y: tf.Tensor, its: number[]): tf.Tensor =>
    expandTo(x, x.shape.map((size, i) => (own.includes(i) ? Math.max(size, y.shape[its[own.indexOf(i)]!]!) : size))); // prettier-ignore
  if (p.some((dim, i) => given.shape[dim] !== partner.shape[q[i]!])) {
    return tensordot(wide(given, p, partner, q), wide(partner, q, given, p), p, q);
  }
  const [self, other] = [given, partner];
  const [left, right] = [rest(self, p), rest(other, q)];
  const k = product(p.map((dim) => self.shape[dim]!));
  const shape = [...left.map((dim) => self.shape[dim]!), ...right.map((dim) => other.shape[dim]!)];
  const rows = tf.reshape(permuteAxes(self, [...left, ...p]), [
    product(left.map((dim) => self.shape[dim]!)),
    k,
  ]);
  const columns = tf.reshape(permuteAxes(other, [...q, ...right]), [
    k,
    product(right.map((dim) => other.shape[dim]!)),
  ]);
  return tf.reshape(matmul(rows, columns), shape);
}

function kron(self: tf.Tensor, other: tf.Tensor): tf.Tensor {
  const rank = Math.max(self.rank, other.rank);
  const pad = (x: tf.Tensor): number[] => [...new Array<number>(rank - x.rank).fill(1), ...x.shape];
  const [p, q] = [pad(self), pad(other)];
  const a = tf.reshape(
    self,
    p.flatMap((size) => [size, 1]),
  );
  const b = tf.reshape(
    other,
    q.flatMap((size) => [1, size]),
  );
  return tf.reshape(
    mul(a, b),
    p.map((size, i) => size * q[i]!),
  );
}

/** The distances between all rows of both. */
function cdist(x1: tf.Tensor, x2: tf.Tensor, p = 2): tf.Tensor {
  const [n, k] = x1.shape.slice(-2) as [number, number];
  const m = x2.shape.at(-2)!;
  const lead = broadcastShapes(x1.shape.slice(0, -2), x2.shape.slice(0, -2));
  const batch = product(lead);
  const shape = [...lead, n, m];
  if (product(shape) === 0 || k === 0) return tf.zeros(shape);
  const a = tf.reshape(expandTo(x1, [...lead, n, k]), [batch, n, 1, k]);
  const b = tf.reshape(expandTo(x2, [...lead, m, k]), [batch, 1, m, k]);
  return tf.reshape(vectorNorm(tf.sub(a, b), p, 3, false), shape);
}

/** The distances between all pairs of rows, in the order of the upper triangle. */
function pdist(self: tf.Tensor, p = 2): tf.Tensor {
  const n = self.shape[0];
  const places: number[] = [];
  for (let i = 0; i < n; i += 1) for (let j = i + 1; j < n; j += 1) places.push(i * n + j);
  if (places.length === 0) return tf.zeros([0]);
  return tf.gather(tf.reshape(cdist(self, self, p), [-1]), tf.tensor1d(places, "int32"));
}

function cross(self: tf.Tensor, other: tf.Tensor, dim?: number | null): tf.Tensor {
  const shape = broadcastShapes(self.shape, other.shape);
  const [a, b] = [expandTo(self, shape), expandTo(other, shape)];
  const at =
    dim === null || dim === undefined ? shape.indexOf(3) : dim < 0 ? dim + shape.length : dim;
  const [ax, ay, az] = tf.unstack(a, at) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const [bx, by, bz] = tf.unstack(b, at) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const minus = (p: tf.Tensor, q: tf.Tensor, r: tf.Tensor, s: tf.Tensor): tf.Tensor =>
    tf.sub(tf.mul(p, q), tf.mul(r, s));
  return tf.stack([minus(ay, bz, az, by), minus(az, bx, ax, bz), minus(ax, by, ay, bx)], at);
}

/** As in PyTorch, a weight with one row may be a vector; and tfjs can only multiply floats. */
function linear(input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null = null): tf.Tensor {
  if (weight.rank === 1) return addProduct(bias ?? tf.scalar(0), matmul(input, weight));
  if (weight.dtype === "float32") return F.linear(input, weight, { bias });
  return F.linear(toFloat(input), toFloat(weight), { bias: bias && toFloat(bias) });
}

export const matmulOps = defineOps({
  "matmul|mm|bmm|mv|linalg_matmul|_int_mm|_sparse_mm(self, mat2, out_dtype)": matmul,
  "dot|vdot(self, tensor)": matmul,
  "linalg_vecdot(x, y, dim)": (x: tf.Tensor, y: tf.Tensor, dim = -1) => {
    const terms = mul(x, y);
    return tf.sum(terms, dim < 0 ? dim + terms.rank : dim);
  },
  "linear(input, weight, bias)": linear,
  "bilinear(input1, input2, weight, bias)": (
    a: tf.Tensor,
    b: tf.Tensor,
    weight: tf.Tensor,
    bias: tf.Tensor | null = null,
  ) => F.bilinear(toFloat(a), toFloat(b), toFloat(weight), { bias: bias && toFloat(bias) }),
  "addmm|addmv|_sparse_addmm(self, mat1, mat2, beta, alpha)": added(matmul),
  "baddbmm(self, batch1, batch2, beta, alpha)": added(matmul),
  "addbmm(self, batch1, batch2, beta, alpha)": added(sumOfProducts),
  "addr(self, vec1, vec2, beta, alpha)": added(outer),
  "_addmm_activation(self, mat1, mat2, beta, alpha, use_gelu)": (
    self: tf.Tensor,
    a: tf.Tensor,
    b: tf.Tensor,
    beta = 1,
    alpha = 1,
    useGelu = false,
  ) => {
    const y = addProduct(self, matmul(a, b), beta, alpha);
    return useGelu ? F.gelu(y, { approximate: "tanh" }) : F.relu(y);
  },
  "outer|ger(self, vec2)": outer,
  "inner(self, other)": inner,
  "tensordot(self, other, dims_self, dims_other)": tensordot,
  "einsum(equation, tensors, path)": (equation: string, tensors: readonly tf.Tensor[]) =>
    einsum(equation, tensors),
  "kron(self, other)": kron,
  "linalg_multi_dot|chain_matmul(tensors)": (tensors: readonly tf.Tensor[]) =>
    tensors.reduce((a, b) => matmul(a, b)),
  "_cdist_forward|cdist|_euclidean_dist(x1, x2, p, compute_mode)": (
    x1: tf.Tensor,
    x2: tf.Tensor,
    p = 2,
  ) => cdist(x1, x2, p),
  "_pdist_forward|pdist(self, p)": pdist,
  "cross|linalg_cross(self, other, dim)": cross,
  "_trilinear(i1, i2, i3, expand1, expand2, expand3, sumdim, unroll_dim)": trilinear,
});

function trilinear(
  i1: tf.Tensor,
  i2: tf.Tensor,
  i3: tf.Tensor,
  expand1: readonly number[],
  expand2: readonly number[],
  expand3: readonly number[],
  sumdim: readonly number[],
): tf.Tensor {
  const widen = (x: tf.Tensor, dims: readonly number[]): tf.Tensor =>
    dims.reduce<tf.Tensor>(
      (y, dim) => tf.reshape(y, [...y.shape.slice(0, dim), 1, ...y.shape.slice(dim)]),
      x,
    );
  const terms = tf.mul(tf.mul(widen(i1, expand1), widen(i2, expand2)), widen(i3, expand3));
  return sumdim.length === 0 ? terms : tf.sum(terms, [...sumdim]);
}
