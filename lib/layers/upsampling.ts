import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatFloat, formatPython, Module } from "../module/index.js";

export type UpsampleOptions = Omit<F.InterpolateOptions, "antialias">;

const UPSAMPLE: Required<UpsampleOptions> = {
  size: null,
  scaleFactor: null,
  mode: "nearest",
  alignCorners: null,
  recomputeScaleFactor: null,
};

type Sizes = number | readonly number[];

/** `2.0`, `(2.0, 1.5)`: factors print as floats. */
function formatFactors(factors: Sizes): string {
  if (typeof factors === "number") return formatFloat(factors);
  const listed = factors.map(formatFloat).join(", ");
  return factors.length === 1 ? `(${listed},)` : `(${listed})`;
}

/**
 * Resamples to a spatial size, or to a multiple of the input's: `(N, C, L)`, `(N, C, H, W)` or
 * `(N, C, D, H, W)`, by the modes of {@link F.interpolate}.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html
 */
export class Upsample extends Module {
  static override readonly name: string = "Upsample";

  readonly size: Sizes | null;
  readonly scaleFactor: Sizes | null;
  readonly mode: F.InterpolateMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;

  constructor(options?: UpsampleOptions) {
    super();
    const read = readOptions<Required<UpsampleOptions>>(this.constructor.name, UPSAMPLE, options);
    this.size = read.size;
    this.scaleFactor = read.scaleFactor;
    this.mode = read.mode;
    this.alignCorners = read.alignCorners;
    this.recomputeScaleFactor = read.recomputeScaleFactor;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return F.interpolate(x, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor });
  }

  override extraRepr(): string {
    const size =
      this.scaleFactor === null
        ? `size=${formatPython(this.size)}`
        : `scale_factor=${formatFactors(this.scaleFactor)}`;
    return `${size}, mode=${formatPython(this.mode)}`;
  }
}

export type UpsamplingOptions = Pick<F.InterpolateOptions, "size" | "scaleFactor">;

/**
 * Repeats the nearest pixel: `(N, C, H, W)`, to a size or by a factor.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingNearest2d.html
 */
export class UpsamplingNearest2d extends Upsample {
  static override readonly name: string = "UpsamplingNearest2d";

  constructor(options?: UpsamplingOptions) {
    const defaults = { size: null, scaleFactor: null };
    const read = readOptions<UpsamplingOptions>(new.target.name, defaults, options);
    super({ ...read, mode: "nearest" });
  }
}

/**
 * Interpolates linearly between the four nearest pixels, with corners aligned: `(N, C, H, W)`, to a
 * size or by a factor.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingBilinear2d.html
 */
export class UpsamplingBilinear2d extends Upsample {
  static override readonly name: string = "UpsamplingBilinear2d";

  constructor(options?: UpsamplingOptions) {
    const defaults = { size: null, scaleFactor: null };
    const read = readOptions<UpsamplingOptions>(new.target.name, defaults, options);
    super({ ...read, mode: "bilinear", alignCorners: true });
  }
}
