import type * as tf from "@tensorflow/tfjs-core";
import { formatSize, type Module, type Parameter } from "../module/index.js";
import { Conv1d, Conv2d, Conv3d, type ConvLayerOptions } from "./conv.js";
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "./conv-transpose.js";
import type { ConvTransposeLayerOptions } from "./conv-transpose.js";
import { give, isOpen, type Lazy, leaveOpen, setField } from "./lazy.js";

type Kernel = number | readonly number[];

interface LazyConv extends Lazy {
  weight: Parameter;
  bias: Parameter | null;
  readonly groups: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  resetParameters(): void;
}

/** Starts without a bias, because initialising one would draw random numbers. */
function start(module: LazyConv, { bias = true }: { bias?: boolean } = {}): void {
  leaveOpen(module, bias ? ["weight", "bias"] : ["weight"]);
}

/** The channels of `(N, C, …)` or `(C, …)`. */
function channels(module: Module, x: tf.Tensor, dims: number): number {
  if (x.rank === dims + 2) return x.shape[1]!;
  if (x.rank === dims + 1) return x.shape[0];
  throw new Error(
    `Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ` +
      `${module.constructor.name}, but got input of size: ${formatSize(x.shape)}`,
  );
}

function infer(module: LazyConv, x: tf.Tensor, isTransposed: boolean): void {
  const { groups, outChannels, kernelSize } = module;
  const isNew = isOpen(module);
  // A loaded weight determines the channels; if they do not match the input, the convolution
  // reports it.
  const loaded = isNew ? [] : module.weight.shape;
  const known = isTransposed ? loaded[0] : loaded[1] && loaded[1] * groups;
  const inChannels = known ?? channels(module, x, kernelSize.length);
  if (inChannels % groups !== 0) {
    throw new Error(`in_channels must be divisible by groups, got ${inChannels} and ${groups}`);
  }
  setField(module, "inChannels", inChannels);
  if (!isNew) return;
  const lead = isTransposed
    ? [inChannels, outChannels / groups]
    : [outChannels, inChannels / groups];
  give(module, { weight: [...lead, ...kernelSize], bias: [outChannels] });
  module.resetParameters();
}

/**
 * A {@link Conv1d} that learns `inChannels` from its first input, and then is one.
 *
 * Shapes: `(N, inChannels, L)` or `(inChannels, L)` → the same with `outChannels` in the place of `inChannels`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyConv1d.html
 */
export class LazyConv1d extends Conv1d {
  static override readonly name: string = "LazyConv1d";

  constructor(outChannels: number, kernelSize: Kernel, options?: ConvLayerOptions) {
    super(0, outChannels, kernelSize, { ...options, bias: false });
    start(this, options);
  }

  inferParameters(x: tf.Tensor): void {
    infer(this, x, false);
  }

  becomes(): typeof Conv1d {
    return Conv1d;
  }
}

/**
 * A {@link Conv2d} that learns `inChannels` from its first input, and then is one.
 *
 * Shapes: `(N, inChannels, H, W)` or `(inChannels, H, W)` → the same with `outChannels` in the place of `inChannels`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyConv2d.html
 */
export class LazyConv2d extends Conv2d {
  static override readonly name: string = "LazyConv2d";

  constructor(outChannels: number, kernelSize: Kernel, options?: ConvLayerOptions) {
    super(0, outChannels, kernelSize, { ...options, bias: false });
    start(this, options);
  }

  inferParameters(x: tf.Tensor): void {
    infer(this, x, false);
  }

  becomes(): typeof Conv2d {
    return Conv2d;
  }
}

/**
 * A {@link Conv3d} that learns `inChannels` from its first input, and then is one.
 *
 * Shapes: `(N, inChannels, D, H, W)` or `(inChannels, D, H, W)` → the same with `outChannels` in the place of `inChannels`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyConv3d.html
 */
export class LazyConv3d extends Conv3d {
  static override readonly name: string = "LazyConv3d";

  constructor(outChannels: number, kernelSize: Kernel, options?: ConvLayerOptions) {
    super(0, outChannels, kernelSize, { ...options, bias: false });
    start(this, options);
  }

  inferParameters(x: tf.Tensor): void {
    infer(this, x, false);
  }

  becomes(): typeof Conv3d {
    return Conv3d;
  }
}

/**
 * A {@link ConvTranspose1d} that learns `inChannels` from its first input, and then is one.
 *
 * Shapes: `(N, inChannels, L)` or `(inChannels, L)` → the same with `outChannels` in the place of `inChannels`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose1d.html
 */
export class LazyConvTranspose1d extends ConvTranspose1d {
  static override readonly name: string = "LazyConvTranspose1d";

  constructor(outChannels: number, kernelSize: Kernel, options?: ConvTransposeLayerOptions) {
    super(0, outChannels, kernelSize, { ...options, bias: false });
    start(this, options);
  }

  inferParameters(x: tf.Tensor): void {
    infer(this, x, true);
  }

  becomes(): typeof ConvTranspose1d {
    return ConvTranspose1d;
  }
}

/**
 * A {@link ConvTranspose2d} that learns `inChannels` from its first input, and then is one.
 *
 * Shapes: `(N, inChannels, H, W)` or `(inChannels, H, W)` → the same with `outChannels` in the place of `inChannels`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose2d.html
 */
export class LazyConvTranspose2d extends ConvTranspose2d {
  static override readonly name: string = "LazyConvTranspose2d";

  constructor(outChannels: number, kernelSize: Kernel, options?: ConvTransposeLayerOptions) {
    super(0, outChannels, kernelSize, { ...options, bias: false });
    start(this, options);
  }

  inferParameters(x: tf.Tensor): void {
    infer(this, x, true);
  }

  becomes(): typeof ConvTranspose2d {
    return ConvTranspose2d;
  }
}

/**
 * A {@link ConvTranspose3d} that learns `inChannels` from its first input, and then is one.
 *
 * Shapes: `(N, inChannels, D, H, W)` or `(inChannels, D, H, W)` → the same with `outChannels` in the place of `inChannels`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyConvTranspose3d.html
 */
export class LazyConvTranspose3d extends ConvTranspose3d {
  static override readonly name: string = "LazyConvTranspose3d";

  constructor(outChannels: number, kernelSize: Kernel, options?: ConvTransposeLayerOptions) {
    super(0, outChannels, kernelSize, { ...options, bias: false });
    start(this, options);
  }

  inferParameters(x: tf.Tensor): void {
    infer(this, x, true);
  }

  becomes(): typeof ConvTranspose3d {
    return ConvTranspose3d;
  }
}
