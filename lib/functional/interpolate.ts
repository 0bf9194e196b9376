import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from "./adaptive-pooling.js";
import { checkTensor, dtypeName, listText } from "./check.js";
import { op } from "./op.js";
import { resampleAxis } from "./resample-axis.js";
import { type InterpolateMode, type InterpolateOptions, resamplings } from "./resampling.js";

type Options = Required<InterpolateOptions>;

const INTERPOLATE: Options = {
  size: null,
  scaleFactor: null,
  mode: "nearest",
  alignCorners: null,
  recomputeScaleFactor: null,
  antialias: false,
};

/** The rank of input that a mode requires, if any. */
const MODES: Partial<Record<InterpolateMode, number | null>> = {
  nearest: null,
  "nearest-exact": null,
  linear: 3,
  bilinear: 4,
  trilinear: 5,
  bicubic: 4,
};

const WITHOUT_CORNERS = ["nearest", "nearest-exact", "area"];
const WITH_ANTIALIAS = ["bilinear", "bicubic", "lanczos"];
const ADAPTIVE = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d];

const fail = (message: string): never => {
  throw new RangeError(`interpolate: ${message}`);
};

const NO_SIZES = "either size or scale_factor should be defined";

/** One number for each spatial dimension. */
function perDimension(
  what: "output size" | "scale_factor",
  value: number | readonly number[],
  spatial: readonly number[],
): number[] {
  if (typeof value === "number") return spatial.map(() => value);
  if (value.length === spatial.length) return [...value];
  return fail(
    `Input and ${what} must have the same number of spatial dimensions, but got input with ` +
      `spatial dimensions of ${listText(spatial)} and ${what} of ${listText(value)}. ` +
      "Please provide input tensor in (N, C, d1, d2, ...,dK) format",
  );
}

/** The output's spatial size. */
function readSize(
  spatial: readonly number[],
  { size, scaleFactor, recomputeScaleFactor }: Options,
): number[] {
  if (size !== null) {
    if (scaleFactor !== null) fail("only one of size or scale_factor should be defined");
    if (recomputeScaleFactor) {
      fail("recompute_scale_factor is not meaningful with an explicit size.");
    }
    return perDimension("output size", size, spatial);
  }
  const scales = perDimension("scale_factor", scaleFactor ?? fail(NO_SIZES), spatial);
  return spatial.map((one, d) => Math.trunc(one * scales[d]!));
}

function checkModes(input: tf.Tensor, { mode, alignCorners, antialias }: Options): void {
  if (WITHOUT_CORNERS.includes(mode) && alignCorners !== null) {
    fail(
      "align_corners option can only be set with the interpolating modes: " +
        "linear | bilinear | bicubic | trilinear",
    );
  }
  if (antialias && !(WITH_ANTIALIAS.includes(mode) && input.rank === 4)) {
    fail(
      "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes " +
        "and requires a 4-D tensor as input",
    );
  }
  if (mode === "lanczos" && alignCorners) fail("Lanczos mode does not support align_corners=True");
  if (mode === "lanczos" && !antialias) fail("Lanczos mode requires antialias=True");
  if (input.rank < 3 || input.rank > 5 || !(mode in MODES || ["area", "lanczos"].includes(mode))) {
    fail(
      `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${input.rank}D) for the ` +
        "modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | " +
        `nearest-exact (got ${mode})`,
    );
  }
  const rank = MODES[mode] ?? input.rank;
  if (rank !== input.rank) {
    fail(`Got ${input.rank}D input, but ${mode} mode needs ${rank}D input`);
  }
}

/**
 * Resamples to another spatial size.
 *
 * Shapes: `(N, C, L)`, `(N, C, H, W)` or `(N, C, D, H, W)` → the same with `size`, or
 * `⌊scaleFactor · input⌋`, as the spatial size. Linear interpolation has a name for each: `linear`,
 * `bilinear`, `trilinear`; `bicubic` and antialiasing are for images.
 *
 * @throws if size and scale factor are both given or both missing, or the mode doesn't fit.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
 */
export const interpolate = /* @__PURE__ */ op(
  "interpolate",
  (input: tf.Tensor, given?: InterpolateOptions): tf.Tensor => {
    const options = readOptions<Options>("interpolate", INTERPOLATE, given);
    checkTensor("interpolate", input);
    checkModes(input, options);
    const { mode } = options;
    const [lead, spatial] = [input.shape.slice(0, 2), input.shape.slice(2)];
    const output = readSize(spatial, options);
    if (mode === "area") return ADAPTIVE[spatial.length - 1]!(input, output);
    // PyTorch copies only 8-bit integers, which are int32 here.
    const isCopy = mode.startsWith("nearest") && input.dtype !== "bool";
    if (input.dtype !== "float32" && !isCopy) fail(`not implemented for '${dtypeName(input)}'`);
    if (![...spatial, ...output, lead[1]!].every((size) => Number.isInteger(size) && size > 0)) {
      fail(
        "Input and output sizes should be greater than 0, " +
          `but got input (${listText(input.shape)}) and output (${listText(output)})`,
      );
    }
    if (input.size === 0) return tf.zeros([...lead, ...output]);

    const along = resamplings(spatial, output, options);
    let x = input;
    for (let d = spatial.length - 1; d >= 0; d -= 1) x = resampleAxis(x, d + 2, along[d]!);
    return x;
  },
);

/**
 * {@link interpolate} by its old name.
 *
 * Shapes: `(N, C, *)` → `(N, C, *)` of the new size.
 *
 * @deprecated as in PyTorch; use {@link interpolate}.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample.html
 */
export function upsample(
  input: tf.Tensor,
  options?: Pick<InterpolateOptions, "size" | "scaleFactor" | "mode" | "alignCorners">,
): tf.Tensor {
  return interpolate(input, options);
}

/**
 * {@link interpolate} with mode `nearest`.
 *
 * Shapes: `(N, C, *)` → `(N, C, *)` of the new size.
 *
 * @deprecated as in PyTorch; use {@link interpolate}.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample_nearest.html
 */
export function upsampleNearest(
  input: tf.Tensor,
  options?: Pick<InterpolateOptions, "size" | "scaleFactor">,
): tf.Tensor {
  return interpolate(input, { ...options, mode: "nearest" });
}

/**
 * {@link interpolate} with mode `bilinear` and `alignCorners`.
 *
 * Shapes: `(N, C, H, W)` → `(N, C, H', W')`.
 *
 * @deprecated as in PyTorch; use {@link interpolate}.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample_bilinear.html
 */
export function upsampleBilinear(
  input: tf.Tensor,
  options?: Pick<InterpolateOptions, "size" | "scaleFactor">,
): tf.Tensor {
  return interpolate(input, { ...options, mode: "bilinear", alignCorners: true });
}
