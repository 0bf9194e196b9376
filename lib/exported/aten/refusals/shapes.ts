/** Refuses shapes and numbers for which tfjs would give other values instead of an error. */
import * as tf from "@tensorflow/tfjs-core";
import { listText } from "../../../functional/check.js";
import { dimOf } from "../support/shape.js";
import { ensure, refuse } from "./ensure.js";

type Operand = tf.Tensor | number | boolean;

const batch = (x: tf.Tensor, name: string): void =>
  ensure(x.rank === 3, `${name} must be a 3D tensor`);

function matrices(op: string, a: tf.Tensor, b: tf.Tensor): void {
  ensure(a.rank === 2, `${op}: self must be a matrix, got ${a.rank}-D tensor`);
  ensure(b.rank === 2, `${op}: mat2 must be a matrix, got ${b.rank}-D tensor`);
}

function vectors(self: tf.Tensor | null, mat: tf.Tensor, vec: tf.Tensor): void {
  const ranks = [self?.rank ?? 1, mat.rank, vec.rank];
  ensure(
    mat.rank === 2 && vec.rank === 1 && (self?.rank ?? 1) <= 1,
    `vector + matrix @ vector expected, got ${ranks.join(", ")}`,
  );
}

/** Refuses a dimension that is out of range for a scalar, which has dimensions 0 and -1. */
function inRange({ rank }: tf.Tensor, dim: number): void {
  const size = Math.max(rank, 1);
  if (dim >= -size && dim < size) return;
  refuse(
    `Dimension out of range (expected to be in range of [${-size}, ${size - 1}], but got ${dim})`,
  );
}

const counted = (steps: number): void => ensure(steps >= 0, "number of steps must be non-negative");

function steps(start: Operand, end: Operand, count: number): void {
  counted(count);
  for (const one of [start, end]) {
    if (one instanceof tf.Tensor && one.rank > 0) {
      refuse(
        "linspace only supports 0-dimensional start and end tensors, " +
          `but got a tensor with ${one.rank} dimension(s).`,
      );
    }
  }
}

function cross(name: string, a: tf.Tensor, b: tf.Tensor, dim: number): void {
  ensure(a.rank === b.rank, "linalg.cross: inputs must have the same number of dimensions.");
  const at = dimOf(name, a, dim);
  const [m, n] = [a.shape[at], b.shape[at]];
  ensure(
    m === 3 && n === 3,
    `linalg.cross: inputs dimension ${dim} must have length 3. Got ${m} and ${n}`,
  );
}

/** Refuses the maximum of an empty dimension. */
export function reducesSome(name: string, self: tf.Tensor, dim: number, colon = "():"): void {
  if (self.rank === 0) return;
  const at = dimOf(name, self, dim);
  ensure(
    self.shape[at] !== 0,
    `${name}${colon} Expected reduction dim ${at} to have non-zero size.`,
  );
}

const ofAll =
  (name: string) =>
  (self: tf.Tensor): void =>
    ensure(
      self.size > 0,
      `${name}(): Expected reduction dim to be specified for input.numel() == 0. ` +
        "Specify the reduction dim with the 'dim' argument.",
    );

const ofDim =
  (name: string) =>
  (self: tf.Tensor, dim: number): void =>
    reducesSome(name, self, dim);

function transformed(
  self: tf.Tensor,
  sizes: readonly number[] | null = null,
  dims: readonly number[] | null = null,
): void {
  ensure(
    !sizes || !dims || sizes.length === dims.length,
    "When given, dim and shape arguments must have the same length",
  );
  const found = (dims ?? []).map((dim) => dimOf("fft", self, dim));
  ensure(new Set(found).size === found.length, "FFT dims must be unique");
}

function searched(rows: tf.Tensor, values: Operand, ...rest: unknown[]): void {
  const given = values instanceof tf.Tensor ? values.shape : [];
  const lead = (shape: readonly number[]): string => String(shape.slice(0, -1));
  ensure(
    rows.rank === 1 || (rows.rank === given.length && lead(rows.shape) === lead(given)),
    "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of " +
      "boundaries tensor and input value tensor must match, but we got boundaries tensor " +
      `${listText(rows.shape)} and input value tensor ${listText(given)}`,
  );
  const sorter = rest[3];
  if (!(sorter instanceof tf.Tensor)) return;
  ensure(
    String(sorter.shape) === String(rows.shape),
    "torch.searchsorted(): boundary and sorter must have the same size, " +
      `but got boundary tensor ${listText(rows.shape)}and got sorter tensor ${listText((sorter as tf.Tensor).shape)}`,
  );
}

const square = (order: readonly [string, string]) => (a: tf.Tensor, b: tf.Tensor): void =>
  [a, b].forEach((x, i) =>
    ensure(x.rank === 1, `${order[0]}: Expected 1-D argument ${i === 0 ? order[1] : "vec2"}, but got ${x.rank}-D`),
  ); // prettier-ignore

const rows = (a: tf.Tensor, b: tf.Tensor): void =>
  ensure(
    a.rank === 1 && b.rank === 1,
    `1D tensors expected, but got ${a.rank}D and ${b.rank}D tensors`,
  );

export const SHAPE_REFUSALS = {
  mm: (a: tf.Tensor, b: tf.Tensor): void => matrices("mm", a, b),
  addmm: (_self: tf.Tensor, a: tf.Tensor, b: tf.Tensor): void => matrices("addmm", a, b),
  bmm: (a: tf.Tensor, b: tf.Tensor): void => (batch(a, "batch1"), batch(b, "batch2")),
  baddbmm: (_self: tf.Tensor, a: tf.Tensor, b: tf.Tensor): void => (
    batch(a, "batch1"),
    batch(b, "batch2")
  ),
  addbmm: (_self: tf.Tensor, a: tf.Tensor, b: tf.Tensor): void => (
    batch(a, "batch1"),
    batch(b, "batch2")
  ),
  mv: (mat: tf.Tensor, vec: tf.Tensor): void => vectors(null, mat, vec),
  addmv: vectors,
  addr: (_self: tf.Tensor, a: tf.Tensor, b: tf.Tensor): void => square(["addr", "vec1"])(a, b),
  outer: square(["outer", "self"]),
  ger: square(["outer", "self"]),
  linalg_householder_product: (a: tf.Tensor, tau: tf.Tensor): void => {
    const [m, n] = a.shape.slice(-2) as [number, number];
    const of = "torch.linalg.householder_product: input.shape";
    ensure(m >= n, `${of}[-2] must be greater than or equal to input.shape[-1]`);
    ensure(n >= tau.shape.at(-1)!, `${of}[-1] must be greater than or equal to tau.shape[-1]`);
  },
  cumsum: (self: tf.Tensor, dim: number): void => inRange(self, dim),
  cumprod: (self: tf.Tensor, dim: number): void => inRange(self, dim),
  logcumsumexp: (self: tf.Tensor, dim: number): void => inRange(self, dim),
  "median.dim": (self: tf.Tensor, dim: number): void => inRange(self, dim),
  "nanmedian.dim": (self: tf.Tensor, dim: number): void => inRange(self, dim),
  quantile: (self: tf.Tensor, _q: unknown, dim: number | null = null): void =>
    inRange(self, dim ?? 0),
  nanquantile: (self: tf.Tensor, _q: unknown, dim: number | null = null): void =>
    inRange(self, dim ?? 0),
  linspace: steps,
  logspace: steps,
  cdist: (a: tf.Tensor, b: tf.Tensor, p = 2, mode: number | null = null): void => {
    const [m, n] = [a.shape.at(-1), b.shape.at(-1)];
    ensure(m === n, `X1 and X2 must have the same number of columns. X1: ${m} X2: ${n}`);
    ensure(p >= 0, "cdist only supports non-negative p values");
    ensure([null, 0, 1, 2].includes(mode), `possible modes: 0, 1, 2, but was: ${mode}`);
  },
  linalg_cross: (a: tf.Tensor, b: tf.Tensor, dim = -1): void => cross("linalg_cross", a, b, dim),
  cross: (a: tf.Tensor, b: tf.Tensor, dim: number | null = null): void => {
    if (dim !== null) cross("cross", a, b, dim);
  },
  diff: (_self: tf.Tensor, n = 1): void =>
    ensure(n >= 0, `order must be non-negative but got ${n}`),
  item: (self: tf.Tensor): void =>
    ensure(self.size === 1, `a Tensor with ${self.size} elements cannot be converted to Scalar`),
  _local_scalar_dense: (self: tf.Tensor): void =>
    ensure(self.size === 1, `a Tensor with ${self.size} elements cannot be converted to Scalar`),
  linalg_vander: (_x: tf.Tensor, n: number | null = null): void =>
    ensure(n === null || n > 1, "N must be greater than 1."),
  vander: (_x: tf.Tensor, n: number | null = null): void =>
    ensure(n === null || n >= 0, "N must be non-negative."),
  trace: ({ rank }: tf.Tensor): void =>
    ensure(rank === 2, `trace: expected a matrix, but got tensor with dim ${rank}`),
  dot: rows,
  vdot: rows,
  polygamma: (n: number): void => ensure(n >= 0, "polygamma(n, x) does not support negative n."),
  renorm: ({ rank }: tf.Tensor, p: number, _dim: number, maxnorm: number): void => {
    ensure(rank > 1, `renorm: input needs at least 2 dimensions, got ${rank} dimensions`);
    ensure(p > 0, "renorm: non-positive-norm not supported");
    ensure(maxnorm >= 0, `renorm: expected maxnorm to be >= 0 but got ${maxnorm}`);
  },
  searchsorted: searched,
  bucketize: (_self: Operand, edges: tf.Tensor): void =>
    ensure(edges.rank === 1, `boundaries tensor must be 1 dimension, but got dim(${edges.rank})`),
  pdist: (self: tf.Tensor, p = 2): void => {
    ensure(self.rank === 2, `pdist only supports 2D tensors, got: ${self.rank}D`);
    ensure(p >= 0, "pdist only supports non-negative p values");
  },
  fft_fftn: transformed,
  fft_ifftn: transformed,
  fft_rfftn: transformed,
  fft_irfftn: transformed,
  fft_hfftn: transformed,
  fft_ihfftn: transformed,
  fft_fft2: transformed,
  fft_ifft2: transformed,
  fft_rfft2: transformed,
  fft_irfft2: transformed,
  fft_hfft2: transformed,
  fft_ihfft2: transformed,
  "max.default": ofAll("max"),
  "min.default": ofAll("min"),
  "max.dim": ofDim("max"),
  "min.dim": ofDim("min"),
  aminmax: (self: tf.Tensor, dim: number | null = null): void => {
    if (dim !== null) reducesSome("aminmax", self, dim, ":");
    else if (self.size === 0) {
      refuse(
        "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.",
      );
    }
  },
  argmax: (self: tf.Tensor, dim: number | null = null): void =>
    dim === null ? ofAll("argmax")(self) : reducesSome("argmax", self, dim),
  argmin: (self: tf.Tensor, dim: number | null = null): void =>
    dim === null ? ofAll("argmin")(self) : reducesSome("argmin", self, dim),
  masked_fill: (_self: tf.Tensor, _mask: tf.Tensor, value: Operand): void => {
    if (!(value instanceof tf.Tensor) || value.rank === 0) return;
    refuse(
      "masked_fill_ only supports a 0-dimensional value tensor, " +
        `but got tensor with ${value.rank} dimension(s).`,
    );
  },
  put: (self: tf.Tensor, index: tf.Tensor, source: tf.Tensor): void => {
    ensure(
      index.size === source.size,
      "put_(): Expected source and index to have the same number of elements, " +
        `but got source.numel() = ${source.size}, index.numel() = ${index.size}`,
    );
    ensure(self.size > 0 || index.size === 0, "put_(): Tried to put elements into an empty tensor");
  },
};
