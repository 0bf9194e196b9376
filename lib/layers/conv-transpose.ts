import type * as tf from "@tensorflow/tfjs-core";
import { expandSize, expandSteps, readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Empty, formatSize, Module, Parameter } from "../module/index.js";
import { checkChannels, convText, keepSteps, resetConv } from "./conv-common.js";

export interface ConvTransposeLayerOptions {
  /** Default: 1. */
  stride?: number | readonly number[];
  /** The padding of the convolution that this one is the transpose of. Default: 0. */
  padding?: number | readonly number[];
  /** Added to one side of the output. Default: 0. */
  outputPadding?: number | readonly number[];
  /** The number of groups of channels that are convolved separately. Default: 1. */
  groups?: number;
  /** Learn an additive bias. Default: `true`. */
  bias?: boolean;
  /** Default: 1. */
  dilation?: number | readonly number[];
  /** Only `"zeros"`. */
  paddingMode?: "zeros";
}

const OPTIONS: Required<ConvTransposeLayerOptions> = {
  stride: 1,
  padding: 0,
  outputPadding: 0,
  groups: 1,
  bias: true,
  dilation: 1,
  paddingMode: "zeros",
};

export interface ConvTransposeForwardOptions {
  /** The wanted output size, if the stride leaves a choice: `[H, W]` or `[N, C, H, W]`. */
  outputSize?: readonly number[] | null;
}

/** What the transposed convolutions have in common. */
export abstract class ConvTransposeNd extends Module {
  weight: Parameter;
  bias: Parameter | null;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: number | readonly number[],
    options?: ConvTransposeLayerOptions,
  ) {
    super();
    const { name } = this.constructor;
    const dims = this.dims();
    const given = readOptions(name, OPTIONS, options);
    if (given.paddingMode !== "zeros") {
      throw new Error(`Only "zeros" padding mode is supported for ${name}`);
    }
    checkChannels(inChannels, outChannels, given.groups);
    const steps = (what: string, value: number | readonly number[]): readonly number[] =>
      keepSteps(`${name}: ${what}`, value, dims);
    this.kernelSize = expandSize(`${name}: kernelSize`, kernelSize, dims);
    this.stride = steps("stride", given.stride);
    this.padding = steps("padding", given.padding);
    this.outputPadding = steps("outputPadding", given.outputPadding);
    this.dilation = steps("dilation", given.dilation);
    this.groups = given.groups;
    const shape = [inChannels, outChannels / given.groups, ...this.kernelSize];
    this.weight = new Parameter(new Empty(shape));
    this.bias = given.bias ? new Parameter(new Empty([outChannels])) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    resetConv(this.weight, this.bias);
  }

  /** How many dimensions the windows have. */
  protected abstract dims(): number;

  /** The options of the functional form, with the output padding that gives `outputSize`. */
  protected options(
    x: tf.Tensor,
    options: ConvTransposeForwardOptions | undefined,
  ): F.ConvTransposeOptions {
    const { outputSize } = readOptions<Required<ConvTransposeForwardOptions>>(
      this.constructor.name,
      { outputSize: null },
      options,
    );
    const { bias, stride, padding, groups, dilation } = this;
    const outputPadding = outputSize === null ? this.outputPadding : this.reach(x, outputSize);
    return { bias, stride, padding, outputPadding, groups, dilation };
  }

  /** The output padding that gives the wanted size. */
  private reach(x: tf.Tensor, wanted: readonly number[]): number[] {
    const { name } = this.constructor;
    const dims = this.dims();
    if (wanted.length !== dims && wanted.length !== x.rank) {
      throw new Error(
        `${name}: for ${x.rank}D input, output_size must have ${dims} or ${x.rank} elements ` +
          `(got ${wanted.length})`,
      );
    }
    const size = wanted.slice(-dims);
    const input = x.shape.slice(-dims);
    const [stride, padding, dilation] = [this.stride, this.padding, this.dilation].map((steps) =>
      expandSteps(name, steps, dims),
    ) as [number[], number[], number[]];
    const least = input.map(
      (n, i) =>
        (n - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (this.kernelSize[i]! - 1) + 1,
    );
    const most = least.map((n, i) => n + stride[i]! - 1);
    if (size.some((n, i) => n < least[i]! || n > most[i]!)) {
      throw new Error(
        `requested an output size of [${size.join(", ")}], but valid sizes range from ` +
          `[${least.join(", ")}] to [${most.join(", ")}] (for an input of ${formatSize(input)})`,
      );
    }
    return size.map((n, i) => n - least[i]!);
  }

  override extraRepr(): string {
    return convText(this);
  }
}

/**
 * Transposed convolution over one dimension.
 *
 * Shapes: `(N, inChannels, L)` or `(inChannels, L)` → `(N, outChannels, L')`; `weight`
 * `(inChannels, outChannels / groups, K)`, `bias` `(outChannels)` or `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
 */
export class ConvTranspose1d extends ConvTransposeNd {
  static override readonly name: string = "ConvTranspose1d";

  protected override dims(): number {
    return 1;
  }

  override forward(x: tf.Tensor, options?: ConvTransposeForwardOptions): tf.Tensor {
    return F.convTranspose1d(x, this.weight, this.options(x, options));
  }
}

/**
 * Transposed convolution over two dimensions.
 *
 * Shapes: `(N, inChannels, H, W)` or `(inChannels, H, W)` → `(N, outChannels, H', W')`; `weight`
 * `(inChannels, outChannels / groups, KH, KW)`, `bias` `(outChannels)` or `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
 */
export class ConvTranspose2d extends ConvTransposeNd {
  static override readonly name: string = "ConvTranspose2d";

  protected override dims(): number {
    return 2;
  }

  override forward(x: tf.Tensor, options?: ConvTransposeForwardOptions): tf.Tensor {
    return F.convTranspose2d(x, this.weight, this.options(x, options));
  }
}

/**
 * Transposed convolution over three dimensions.
 *
 * Shapes: `(N, inChannels, D, H, W)` or `(inChannels, D, H, W)` → `(N, outChannels, D', H', W')`;
 * `weight` `(inChannels, outChannels / groups, KD, KH, KW)`, `bias` `(outChannels)` or `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
 */
export class ConvTranspose3d extends ConvTransposeNd {
  static override readonly name: string = "ConvTranspose3d";

  protected override dims(): number {
    return 3;
  }

  override forward(x: tf.Tensor, options?: ConvTransposeForwardOptions): tf.Tensor {
    return F.convTranspose3d(x, this.weight, this.options(x, options));
  }
}
