import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Linear,
  MaxPool2d,
  ReLU,
} from "../layers/index.js";
import { init, Module, Sequential } from "../module/index.js";

export interface VGGOptions {
  /** The number of logits. Default: 1000. */
  numClasses?: number;
  /** The probability of dropping a feature of the classifier in training. Default: 0.5. */
  dropout?: number;
}

const VGG_OPTIONS: Required<VGGOptions> = { numClasses: 1000, dropout: 0.5 };

/**
 * torchvision's `VGG`: pictures `(N, 3, H, W)` → logits `(N, numClasses)`, with its state_dict keys
 * and, after the same seed, its initial weights.
 *
 * @see https://docs.pytorch.org/vision/stable/models/vgg.html
 */
export class VGG extends Module {
  static override readonly name: string = "VGG";

  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d([7, 7]);
  readonly classifier: Sequential;

  /**
   * @param stages the channels of the convolutions before each halving of the picture.
   * @param options `batchNorm` (default `false`): normalise after each convolution.
   */
  constructor(
    stages: readonly (readonly number[])[],
    options?: VGGOptions & { batchNorm?: boolean },
  ) {
    super();
    const read = readOptions("VGG", { ...VGG_OPTIONS, batchNorm: false }, options);
    const { numClasses, dropout: p, batchNorm } = read;
    let planes = 3;
    const features = stages.flatMap((channels) => [
      ...channels.flatMap((outPlanes): Module[] => {
        const conv = new Conv2d(planes, outPlanes, 3, { padding: 1 });
        const relu = new ReLU({ inplace: true });
        planes = outPlanes;
        return batchNorm ? [conv, new BatchNorm2d(outPlanes), relu] : [conv, relu];
      }),
      new MaxPool2d(2, { stride: 2 }),
    ]);
    this.features = new Sequential(features);
    this.classifier = new Sequential(
      new Linear(planes * 7 * 7, 4096),
      new ReLU({ inplace: true }),
      new Dropout({ p }),
      new Linear(4096, 4096),
      new ReLU({ inplace: true }),
      new Dropout({ p }),
      new Linear(4096, numClasses),
    );
    for (const module of this.modules()) {
      if (module instanceof Conv2d) {
        init.kaimingNormal_(module.weight, { mode: "fan_out", nonlinearity: "relu" });
        init.zeros_(module.bias!);
      } else if (module instanceof Linear) {
        init.normal_(module.weight, { std: 0.01 });
        init.zeros_(module.bias!);
      }
    }
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.avgpool(this.features(x));
    return this.classifier(F.flatten(y, { startDim: 1 }));
  }
}

const STAGES = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  13: [
    [64, 64],
    [128, 128],
    [256, 256],
    [512, 512],
    [512, 512],
  ],
  16: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  19: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
};

function vgg(layers: keyof typeof STAGES, batchNorm: boolean, options?: VGGOptions): VGG {
  const read = readOptions(`vgg${layers}${batchNorm ? "Bn" : ""}`, VGG_OPTIONS, options);
  return new VGG(STAGES[layers], { ...read, batchNorm });
}

/**
 * torchvision's vgg11: 132.9 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg11.html
 */
export const vgg11 = (options?: VGGOptions): VGG => vgg(11, false, options);

/**
 * torchvision's vgg11_bn: 132.9 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg11_bn.html
 */
export const vgg11Bn = (options?: VGGOptions): VGG => vgg(11, true, options);

/**
 * torchvision's vgg13: 133.0 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg13.html
 */
export const vgg13 = (options?: VGGOptions): VGG => vgg(13, false, options);

/**
 * torchvision's vgg13_bn: 133.1 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg13_bn.html
 */
export const vgg13Bn = (options?: VGGOptions): VGG => vgg(13, true, options);

/**
 * torchvision's vgg16: 138.4 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg16.html
 */
export const vgg16 = (options?: VGGOptions): VGG => vgg(16, false, options);

/**
 * torchvision's vgg16_bn: 138.4 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg16_bn.html
 */
export const vgg16Bn = (options?: VGGOptions): VGG => vgg(16, true, options);

/**
 * torchvision's vgg19: 143.7 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg19.html
 */
export const vgg19 = (options?: VGGOptions): VGG => vgg(19, false, options);

/**
 * torchvision's vgg19_bn: 143.7 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg19_bn.html
 */
export const vgg19Bn = (options?: VGGOptions): VGG => vgg(19, true, options);
