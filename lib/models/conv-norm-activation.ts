import * as tf from "@tensorflow/tfjs-core";
import * as F from "../functional/index.js";
import { AdaptiveAvgPool2d, BatchNorm2d, Conv2d, ReLU, Sigmoid, SiLU } from "../layers/index.js";
import { formatFloat, Module, Sequential } from "../module/index.js";

interface ConvNormActivationOptions {
  /** Default: 3. */
  kernelSize?: number;
  /** Default: 1. */
  stride?: number;
  /** Default: 1. */
  groups?: number;
  /** Default: ReLU; `null` for none. */
  activation?: Module | null;
}

/**
 * torchvision's `Conv2dNormActivation`: a convolution that keeps the size, BatchNorm, and an
 * activation.
 */
export class Conv2dNormActivation extends Sequential {
  static override readonly name: string = "Conv2dNormActivation";

  constructor(
    inChannels: number,
    outChannels: number,
    { kernelSize = 3, stride = 1, groups = 1, activation }: ConvNormActivationOptions = {},
  ) {
    const padding = (kernelSize - 1) / 2;
    const last = activation === undefined ? new ReLU({ inplace: true }) : activation;
    super(
      new Conv2d(inChannels, outChannels, kernelSize, { stride, padding, groups, bias: false }),
      new BatchNorm2d(outChannels),
      ...(last === null ? [] : [last]),
    );
  }
}

/**
 * torchvision's `SqueezeExcitation`: scales each channel depending on the means of all channels.
 */
export class SqueezeExcitation extends Module {
  static override readonly name: string = "SqueezeExcitation";

  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;
  readonly activation = new SiLU({ inplace: true });
  readonly scale_activation = new Sigmoid();

  constructor(inputChannels: number, squeezeChannels: number) {
    super();
    this.fc1 = new Conv2d(inputChannels, squeezeChannels, 1);
    this.fc2 = new Conv2d(squeezeChannels, inputChannels, 1);
  }

  /** `(N, C, H, W)` → `(N, C, H, W)`. */
  override forward(x: tf.Tensor): tf.Tensor {
    const scale = this.fc2(this.activation(this.fc1(this.avgpool(x))));
    return tf.mul(x, this.scale_activation(scale));
  }
}

/** torchvision's `StochasticDepth`: in training it drops whole samples of a residual branch. */
export class StochasticDepth extends Module {
  static override readonly name: string = "StochasticDepth";

  constructor(readonly p: number) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { p, training } = this;
    if (!training || p === 0) return x;
    const each = x.shape.map((size, dim) => (dim === 0 ? size : 1));
    return tf.mul(x, F.dropout(tf.ones(each), { p, training }));
  }

  override extraRepr(): string {
    return `p=${formatFloat(this.p)}, mode=row`;
  }
}
