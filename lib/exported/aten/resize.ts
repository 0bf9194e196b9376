import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import type { TensorMeta } from "../../graph/index.js";
import { resampleAxis } from "../../functional/resample-axis.js";
import { type Resampling, resamplings } from "../../functional/resampling.js";
import type { AtenContext } from "../op-table.js";
import { defineOps } from "./support/define.js";
import { toDtype } from "./support/dtype.js";
import { extentOf } from "./support/host.js";
import { dimOf, sliceAxis } from "./support/shape.js";

type Sizes = readonly number[];
type Mode = F.InterpolateMode;

interface Resize {
  size: Sizes | null;
  scales: readonly (number | null)[] | null | undefined;
  mode: Mode;
  alignCorners?: boolean;
  antialias?: boolean;
}

/** PyTorch's names of integer types, of which it resizes only bytes in images. */
const INTEGERS: Readonly<Record<string, string>> = {
  uint8: "Byte",
  int8: "Char",
  int16: "Short",
  int32: "Int",
  int64: "Long",
};

/**
 * Resizes to a size by given scales; missing scales follow from the sizes. `scales` are those of
 * the vector overloads, which F.interpolate calls.
 */
function resize(given: tf.Tensor, how: Resize, meta: TensorMeta | null | undefined): tf.Tensor {
  if (given.dtype !== "int32" || how.mode.startsWith("nearest")) return resizeFloats(given, how);
  const dtype = meta?.dtype ?? "uint8";
  if (given.rank === 4 && dtype === "uint8") return resizeBytes(given, how);
  const kernel = how.antialias
    ? "index_ranges_weights"
    : `indices_weights_${how.mode.replace(/^bi|^tri/, "")}`;
  throw new TypeError(`"compute_${kernel}" not implemented for '${INTEGERS[dtype] ?? dtype}'`);
}

/**
 * Resizes bytes along the width and then the height, each rounded to bytes, with weights rounded to
 * 16 bits.
 */
function resizeBytes(given: tf.Tensor, how: Resize): tf.Tensor {
  const { scales } = how;
  let x: tf.Tensor = tf.cast(given, "float32");
  const size = how.size ?? [2, 3].map((d) => Math.trunc(x.shape[d]! * (scales?.[d - 2] ?? 0)));
  // Invalid sizes are refused as for floats.
  if (!(Math.min(size[0]!, size[1]!, ...x.shape) >= 1)) return resizeFloats(x, how);
  for (const d of [3, 2]) {
    const [input, output, scale] = [x.shape[d]!, size[d - 2]!, scales?.[d - 2] ?? null];
    const options = { ...how, scaleFactor: scale };
    const [{ positions, weights }] = resamplings([input], [output], options) as [Resampling];
    const [, largest] = extentOf(weights.flat());
    const unit = 2 ** Math.min(22, Math.floor(Math.log2(32767.5 / largest)));
    const rounded = weights.map((window) => window.map((w) => Math.round(w * unit) / unit));
    const bytes = resampleAxis(x, d, { positions, weights: rounded });
    x = tf.clipByValue(tf.floor(tf.add(bytes, 0.5)), 0, 255);
  }
  return tf.cast(x, "int32");
}

function resizeFloats(
  input: tf.Tensor,
  { size, scales, mode, alignCorners, antialias }: Resize,
): tf.Tensor {
  const options = { mode, alignCorners: alignCorners ?? null, antialias: antialias ?? false };
  const spatial = input.shape.slice(2);
  if (scales?.some((one) => typeof one === "number")) {
    const scaleFactor = spatial.map((one, d) => scales[d] ?? size![d]! / one);
    const fits =
      size === null || spatial.every((one, d) => Math.trunc(one * scaleFactor[d]!) === size[d]);
    if (fits) return F.interpolate(input, { ...options, scaleFactor });
  }
  return F.interpolate(input, { ...options, size });
}

/** The overload `name.vec(input, output_size, align_corners, scale_factors)`, and the plain one. */
function overloads(
  name: string,
  mode: Mode,
  dims: number,
  { corners = false, antialias = false } = {},
) {
  const scaleNames =
    dims === 1 ? "scales" : ["scales_d", "scales_h", "scales_w"].slice(-dims).join(", ");
  const before = corners ? "align_corners, " : "";
  const run = (isVector: boolean) =>
    function (this: AtenContext, x: tf.Tensor, size: Sizes | null, ...rest: unknown[]): tf.Tensor {
      const alignCorners = corners ? (rest.shift() as boolean) : undefined;
      const scales = (isVector ? rest[0] : rest) as Resize["scales"];
      const [meta] = this.inputs as readonly (TensorMeta | null)[];
      return resize(x, { size, scales, mode, alignCorners, antialias }, meta);
    };
  return {
    [`${name}.vec(input, output_size, ${before}scale_factors)`]: run(true),
    [`${name}(self, output_size, ${before}${scaleNames})`]: run(false),
  };
}

const GRID_MODES = ["bilinear", "nearest", "bicubic"] as const;
const PADDING_MODES = ["zeros", "border", "reflection"] as const;

const gridSampler = (
  input: tf.Tensor,
  grid: tf.Tensor,
  mode: number,
  padding: number,
  alignCorners: boolean,
): tf.Tensor =>
  F.gridSample(input, grid, {
    mode: GRID_MODES[mode],
    paddingMode: PADDING_MODES[padding],
    alignCorners,
  });

/** tfjs cannot pad bools. */
function padded(self: tf.Tensor, pad: Sizes, options: F.PadOptions): tf.Tensor {
  if (self.dtype !== "bool") return F.pad(self, pad, options);
  const value = Number(Boolean(options.value));
  return toDtype(F.pad(tf.cast(self, "int32"), pad, { ...options, value }), "bool");
}

const padMode =
  (mode: F.PadMode) =>
  (self: tf.Tensor, pad: Sizes): tf.Tensor =>
    padded(self, pad, { mode });

/**
 * Here -1 means that there is no padding index; in the other op that is None, and -1 is the last
 * index.
 */
const embeddingBagOf: typeof embeddingBag = (a, b, c, d, e, f, g, h, paddingIdx) =>
  embeddingBag(a, b, c, d, e, f, g, h, paddingIdx === -1 ? null : paddingIdx);

export const resizeOps = defineOps({
  ...overloads("upsample_nearest1d", "nearest", 1),
  ...overloads("upsample_nearest2d", "nearest", 2),
  ...overloads("upsample_nearest3d", "nearest", 3),
  ...overloads("_upsample_nearest_exact1d", "nearest-exact", 1),
  ...overloads("_upsample_nearest_exact2d", "nearest-exact", 2),
  ...overloads("_upsample_nearest_exact3d", "nearest-exact", 3),
  ...overloads("upsample_linear1d", "linear", 1, { corners: true }),
  ...overloads("upsample_bilinear2d", "bilinear", 2, { corners: true }),
  ...overloads("upsample_trilinear3d", "trilinear", 3, { corners: true }),
  ...overloads("upsample_bicubic2d", "bicubic", 2, { corners: true }),
  ...overloads("_upsample_bilinear2d_aa", "bilinear", 2, { corners: true, antialias: true }),
  ...overloads("_upsample_bicubic2d_aa", "bicubic", 2, { corners: true, antialias: true }),
  ...overloads("_upsample_lanczos2d_aa", "lanczos", 2, { corners: true, antialias: true }),
  "grid_sampler|grid_sampler_2d|grid_sampler_3d|_grid_sampler_2d_cpu_fallback(input, grid, interpolation_mode, padding_mode, align_corners)":
    gridSampler,
  "affine_grid_generator(theta, size, align_corners)": (
    theta: tf.Tensor,
    size: Sizes,
    alignCorners: boolean,
  ) => F.affineGrid(theta, size, { alignCorners }),
  "pixel_shuffle(self, upscale_factor)": F.pixelShuffle,
  "pixel_unshuffle(self, downscale_factor)": F.pixelUnshuffle,
  "channel_shuffle|native_channel_shuffle(self, groups)": F.channelShuffle,
  "pad(self, pad, mode, value)": (
    self: tf.Tensor,
    pad: Sizes,
    mode: F.PadMode = "constant",
    value: number | null = null,
  ) => padded(self, pad, { mode, value }),
  "constant_pad_nd(self, pad, value)": (self: tf.Tensor, pad: Sizes, value: number | boolean = 0) =>
    padded(self, pad, { value: Number(value) }),
  "reflection_pad1d|reflection_pad2d|reflection_pad3d(self, padding)": padMode("reflect"),
  "replication_pad1d|replication_pad2d|replication_pad3d(self, padding)": padMode("replicate"),
  "_pad_circular(self, pad)": padMode("circular"),
  "_pad_enum(self, pad, mode, value)": (
    self: tf.Tensor,
    pad: Sizes,
    mode: number,
    value: number | null = null,
  ) =>
    padded(self, pad, {
      mode: (["constant", "reflect", "replicate", "circular"] as const)[mode],
      value,
    }),
  "embedding(weight, indices, padding_idx, scale_grad_by_freq, sparse)": (
    weight: tf.Tensor,
    indices: tf.Tensor,
  ) => F.embedding(indices, weight),
  "embedding_bag.padding_idx(weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx)":
    embeddingBag,
  "embedding_bag|_embedding_bag|_embedding_bag_forward_only(weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx)":
    embeddingBagOf,
  "diff(self, n, dim, prepend, append)": diff,
});

/** The values of the bags; what only a backward pass reads is left empty. */
function embeddingBag(
  weight: tf.Tensor,
  indices: tf.Tensor,
  offsets: tf.Tensor,
  _scale = false,
  mode = 0,
  _sparse = false,
  perSampleWeights: tf.Tensor | null = null,
  includeLastOffset = false,
  paddingIdx: number | null = null,
): tf.Tensor[] {
  const output = F.embeddingBag(indices, weight, {
    offsets,
    mode: (["sum", "mean", "max"] as const)[mode],
    perSampleWeights,
    includeLastOffset,
    paddingIdx,
  });
  return [output, tf.zeros([0], "int32"), tf.zeros([0], "int32"), tf.zeros([0], "int32")];
}

/** Differences of neighbours along a dimension, n times. */
function diff(
  self: tf.Tensor,
  n = 1,
  dim = -1,
  prepend: tf.Tensor | null = null,
  append: tf.Tensor | null = null,
): tf.Tensor {
  const at = dimOf("diff", self, dim);
  if (n === 0) return self;
  const parts = [prepend, self, append].filter((one) => one !== null);
  let x: tf.Tensor = parts.length > 1 ? tf.concat(parts, at) : self;
  for (let i = 0; i < n; i += 1) {
    const size = x.shape[at]!;
    if (size < 2) return sliceAxis(x, at, 0, 0);
    const [left, right] = [sliceAxis(x, at, 0, size - 1), sliceAxis(x, at, 1, size)];
    x = x.dtype === "bool" ? tf.logicalXor(right, left) : tf.sub(right, left);
  }
  return x;
}
