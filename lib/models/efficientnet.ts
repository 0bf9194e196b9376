import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { add } from "../functional/arithmetic.js";
import * as F from "../functional/index.js";
import { AdaptiveAvgPool2d, Conv2d, Dropout, Linear, SiLU } from "../layers/index.js";
import { init, Module, Sequential } from "../module/index.js";
import {
  Conv2dNormActivation,
  SqueezeExcitation,
  StochasticDepth,
} from "./conv-norm-activation.js";
import { multipleOf8 } from "./multiple-of-8.js";

const silu = (): SiLU => new SiLU({ inplace: true });

interface BlockOptions {
  kernel: number;
  stride: number;
  expansion: number;
  /** The probability of dropping the block in training. */
  p: number;
}

/** An expansion, a depthwise convolution, a squeeze-excitation, and a projection. */
class MBConv extends Module {
  static override readonly name: string = "MBConv";

  readonly block: Sequential;
  readonly stochastic_depth: StochasticDepth;
  readonly useResConnect: boolean;

  constructor(inPlanes: number, planes: number, options: BlockOptions) {
    super();
    const { kernel: kernelSize, stride, expansion, p } = options;
    const inner = multipleOf8(inPlanes * expansion);
    const expand =
      inner === inPlanes
        ? []
        : [new Conv2dNormActivation(inPlanes, inner, { kernelSize: 1, activation: silu() })];
    this.block = new Sequential(
      ...expand,
      new Conv2dNormActivation(inner, inner, {
        ...{ kernelSize, stride, groups: inner },
        activation: silu(),
      }),
      new SqueezeExcitation(inner, Math.max(1, Math.floor(inPlanes / 4))),
      new Conv2dNormActivation(inner, planes, { kernelSize: 1, activation: null }),
    );
    this.stochastic_depth = new StochasticDepth(p);
    this.useResConnect = stride === 1 && inPlanes === planes;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.block(x);
    return this.useResConnect ? add(this.stochastic_depth(y), x) : y;
  }
}

/** For each stage: expansion, kernel size, first stride, channels, repeats. */
const STAGES = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;

export interface EfficientNetOptions {
  /** The number of logits. Default: 1000. */
  numClasses?: number;
  /** The probability of dropping a feature of the classifier in training. Default: the model's. */
  dropout?: number;
  /**
   * The probability of dropping the last block in training; it is less for earlier ones. Default:
   * 0.2.
   */
  stochasticDepthProb?: number;
}

const DEFAULTS: Required<EfficientNetOptions> = {
  numClasses: 1000,
  dropout: 0.2,
  stochasticDepthProb: 0.2,
};

/**
 * torchvision's `EfficientNet` of the first version: pictures `(N, 3, H, W)` → logits
 * `(N, numClasses)`, with its state_dict keys and, after the same seed, its initial weights.
 *
 * @see https://docs.pytorch.org/vision/stable/models/efficientnet.html
 */
export class EfficientNet extends Module {
  static override readonly name: string = "EfficientNet";

  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly classifier: Sequential;

  /** `widthMult`, `depthMult`: factors on B0's channels and repeats. */
  constructor(widthMult: number, depthMult: number, options?: EfficientNetOptions) {
    super();
    const read = readOptions("EfficientNet", DEFAULTS, options);
    const { numClasses, dropout: p, stochasticDepthProb } = read;
    const repeatsOf = (repeats: number): number => Math.ceil(repeats * depthMult);
    const blocks = STAGES.reduce((sum, [, , , , repeats]) => sum + repeatsOf(repeats), 0);
    let planes = multipleOf8(32 * widthMult);
    let done = 0;
    const stem = new Conv2dNormActivation(3, planes, { stride: 2, activation: silu() });
    const stages = STAGES.map(([expansion, kernel, stride, channels, repeats]) => {
      const outPlanes = multipleOf8(channels * widthMult);
      const stage: Module[] = [];
      while (stage.length < repeatsOf(repeats)) {
        const dropped = (stochasticDepthProb * done) / blocks;
        const size = { kernel, stride: stage.length === 0 ? stride : 1, expansion, p: dropped };
        stage.push(new MBConv(planes, outPlanes, size));
        planes = outPlanes;
        done += 1;
      }
      return new Sequential(stage);
    });
    const head = new Conv2dNormActivation(planes, 4 * planes, {
      kernelSize: 1,
      activation: silu(),
    });
    this.features = new Sequential(stem, ...stages, head);
    this.classifier = new Sequential(
      new Dropout({ p, inplace: true }),
      new Linear(4 * planes, numClasses),
    );
    for (const module of this.modules()) {
      if (module instanceof Conv2d) {
        init.kaimingNormal_(module.weight, { mode: "fan_out" });
        if (module.bias) init.zeros_(module.bias);
      } else if (module instanceof Linear) {
        const bound = 1 / Math.sqrt(module.outFeatures);
        init.uniform_(module.weight, { a: -bound, b: bound });
        init.zeros_(module.bias!);
      }
    }
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.classifier(F.flatten(this.avgpool(this.features(x)), { startDim: 1 }));
  }
}

/** Reads the options with the model's own dropout. */
const named = (
  where: string,
  [widthMult, depthMult, dropout]: readonly [number, number, number],
  options: EfficientNetOptions | undefined,
): EfficientNet =>
  new EfficientNet(widthMult, depthMult, readOptions(where, { ...DEFAULTS, dropout }, options));

/**
 * torchvision's efficientnet_b0, for 224 × 224: 5.3 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.efficientnet_b0.html
 */
export const efficientnetB0 = (options?: EfficientNetOptions): EfficientNet =>
  named("efficientnetB0", [1, 1, 0.2], options);

/**
 * torchvision's efficientnet_b1, for 240 × 240: 7.8 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.efficientnet_b1.html
 */
export const efficientnetB1 = (options?: EfficientNetOptions): EfficientNet =>
  named("efficientnetB1", [1, 1.1, 0.2], options);

/**
 * torchvision's efficientnet_b2, for 288 × 288: 9.1 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.efficientnet_b2.html
 */
export const efficientnetB2 = (options?: EfficientNetOptions): EfficientNet =>
  named("efficientnetB2", [1.1, 1.2, 0.3], options);

/**
 * torchvision's efficientnet_b3, for 300 × 300: 12.2 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.efficientnet_b3.html
 */
export const efficientnetB3 = (options?: EfficientNetOptions): EfficientNet =>
  named("efficientnetB3", [1.2, 1.4, 0.3], options);

/**
 * torchvision's efficientnet_b4, for 380 × 380: 19.3 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.efficientnet_b4.html
 */
export const efficientnetB4 = (options?: EfficientNetOptions): EfficientNet =>
  named("efficientnetB4", [1.4, 1.8, 0.4], options);
