import type * as tf from "@tensorflow/tfjs-core";
import { expandSize, readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Empty, Module, Parameter } from "../module/index.js";
import { checkChannels, convText, isOne, keepSteps, resetConv } from "./conv-common.js";

/** What a convolution pads with. */
export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

export interface ConvLayerOptions {
  /** Default: 1. */
  stride?: number | readonly number[];
  /** On both sides, `"valid"` (none) or `"same"` (the output as large as the input). Default: 0. */
  padding?: number | readonly number[] | "same" | "valid";
  /** Default: 1. */
  dilation?: number | readonly number[];
  /** The number of groups of channels that are convolved separately. Default: 1. */
  groups?: number;
  /** Learn an additive bias. Default: `true`. */
  bias?: boolean;
  /** The kind of padding. Default: `"zeros"`. */
  paddingMode?: PaddingMode;
}

const CONV: Required<ConvLayerOptions> = {
  stride: 1,
  padding: 0,
  dilation: 1,
  groups: 1,
  bias: true,
  paddingMode: "zeros",
};

const PADDING_MODES: readonly string[] = ["zeros", "circular", "replicate", "reflect"];

/** What the convolutions of one, two and three dimensions have in common. */
export abstract class ConvNd extends Module {
  weight: Parameter;
  bias: Parameter | null;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | "same" | "valid";
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly paddingMode: PaddingMode;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: number | readonly number[],
    options?: ConvLayerOptions,
  ) {
    super();
    const { name } = this.constructor;
    const dims = this.dims();
    const given = readOptions(name, CONV, options);
    const { groups, padding, paddingMode } = given;
    checkChannels(inChannels, outChannels, groups);
    const steps = (what: string, value: number | readonly number[]): readonly number[] =>
      keepSteps(`${name}: ${what}`, value, dims);
    this.kernelSize = expandSize(`${name}: kernelSize`, kernelSize, dims);
    this.stride = steps("stride", given.stride);
    this.dilation = steps("dilation", given.dilation);
    this.padding = typeof padding === "string" ? padding : steps("padding", padding);
    this.groups = groups;
    this.paddingMode = paddingMode;
    this.checkPadding();
    const shape = [outChannels, inChannels / groups, ...this.kernelSize];
    this.weight = new Parameter(new Empty(shape));
    this.bias = given.bias ? new Parameter(new Empty([outChannels])) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    resetConv(this.weight, this.bias);
  }

  /** How many dimensions the windows have. */
  protected abstract dims(): number;

  private checkPadding(): void {
    const { padding, paddingMode, stride } = this;
    if (typeof padding === "string" && padding !== "same" && padding !== "valid") {
      throw new Error(
        `Invalid padding string '${String(padding)}', should be one of {'same', 'valid'}`,
      );
    }
    if (padding === "same" && !isOne(stride)) {
      throw new Error("padding='same' is not supported for strided convolutions");
    }
    if (!PADDING_MODES.includes(paddingMode)) {
      throw new Error(
        "padding_mode must be one of {'zeros', 'circular', 'replicate', 'reflect'}, " +
          `but got padding_mode='${paddingMode}'`,
      );
    }
  }

  /** The options of the functional form. */
  protected options(): F.ConvOptions {
    const { bias, stride, padding, dilation, groups, paddingMode } = this;
    return { bias, stride, padding: paddingMode === "zeros" ? padding : 0, dilation, groups };
  }

  /** The input, padded first if not with zeros. */
  protected pad(x: tf.Tensor): tf.Tensor {
    const { paddingMode } = this;
    return paddingMode === "zeros" ? x : F.pad(x, this.paddingBothSides(), { mode: paddingMode });
  }

  /** As `F.pad` wants it: the last dimension first. */
  private paddingBothSides(): number[] {
    const { padding, kernelSize, dilation } = this;
    if (padding === "valid") return new Array<number>(2 * this.dims()).fill(0);
    if (padding !== "same") return [...padding].reverse().flatMap((size) => [size, size]);
    return kernelSize
      .map((k, i) => {
        const total = (dilation[i] ?? dilation[0]!) * (k - 1);
        return [Math.floor(total / 2), Math.ceil(total / 2)];
      })
      .reverse()
      .flat();
  }

  override extraRepr(): string {
    return convText(this);
  }
}

/**
 * Cross-correlation over one dimension.
 *
 * Shapes: `(N, inChannels, L)` or `(inChannels, L)` → `(N, outChannels, L')`; `weight`
 * `(outChannels, inChannels / groups, K)`, `bias` `(outChannels)` or `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
 */
export class Conv1d extends ConvNd {
  static override readonly name: string = "Conv1d";

  protected override dims(): number {
    return 1;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.conv1d(this.pad(x), this.weight, this.options());
  }
}

/**
 * Cross-correlation over two dimensions.
 *
 * Shapes: `(N, inChannels, H, W)` or `(inChannels, H, W)` → `(N, outChannels, H', W')`; `weight`
 * `(outChannels, inChannels / groups, KH, KW)`, `bias` `(outChannels)` or `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 */
export class Conv2d extends ConvNd {
  static override readonly name: string = "Conv2d";

  protected override dims(): number {
    return 2;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.conv2d(this.pad(x), this.weight, this.options());
  }
}

/**
 * Cross-correlation over three dimensions.
 *
 * Shapes: `(N, inChannels, D, H, W)` or `(inChannels, D, H, W)` → `(N, outChannels, D', H', W')`;
 * `weight` `(outChannels, inChannels / groups, KD, KH, KW)`, `bias` `(outChannels)` or `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
 */
export class Conv3d extends ConvNd {
  static override readonly name: string = "Conv3d";

  protected override dims(): number {
    return 3;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.conv3d(this.pad(x), this.weight, this.options());
  }
}
