import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { add } from "../functional/arithmetic.js";
import * as F from "../functional/index.js";
import { BatchNorm2d, Conv2d, Dropout, Linear, ReLU6 } from "../layers/index.js";
import { init, Module, Sequential } from "../module/index.js";
import { Conv2dNormActivation } from "./conv-norm-activation.js";
import { multipleOf8 } from "./multiple-of-8.js";

const relu6 = (): ReLU6 => new ReLU6({ inplace: true });

/** An expansion, a depthwise convolution, and a projection without activation. */
class InvertedResidual extends Module {
  static override readonly name: string = "InvertedResidual";

  readonly conv: Sequential;
  readonly useResConnect: boolean;

  constructor(inPlanes: number, planes: number, stride: number, expansion: number) {
    super();
    const inner = inPlanes * expansion;
    const expand =
      expansion === 1
        ? []
        : [new Conv2dNormActivation(inPlanes, inner, { kernelSize: 1, activation: relu6() })];
    this.conv = new Sequential(
      ...expand,
      new Conv2dNormActivation(inner, inner, { stride, groups: inner, activation: relu6() }),
      new Conv2d(inner, planes, 1, { bias: false }),
      new BatchNorm2d(planes),
    );
    this.useResConnect = stride === 1 && inPlanes === planes;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.conv(x);
    return this.useResConnect ? add(x, y) : y;
  }
}

/** For each stage: expansion, channels, repeats, first stride. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

export interface MobileNetV2Options {
  /** The number of logits. Default: 1000. */
  numClasses?: number;
  /** A factor on the channels of every layer. Default: 1. */
  widthMult?: number;
  /** The probability of dropping a feature of the classifier in training. Default: 0.2. */
  dropout?: number;
}

/**
 * torchvision's `MobileNetV2`: pictures `(N, 3, H, W)` → logits `(N, numClasses)`, with its
 * state_dict keys and, after the same seed, its initial weights.
 *
 * @see https://docs.pytorch.org/vision/stable/models/mobilenetv2.html
 */
export class MobileNetV2 extends Module {
  static override readonly name: string = "MobileNetV2";

  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(options?: MobileNetV2Options) {
    super();
    const defaults = { numClasses: 1000, widthMult: 1, dropout: 0.2 };
    const { numClasses, widthMult, dropout: p } = readOptions("MobileNetV2", defaults, options);
    let planes = multipleOf8(32 * widthMult);
    const lastPlanes = multipleOf8(1280 * Math.max(1, widthMult));
    const layers: Module[] = [
      new Conv2dNormActivation(3, planes, { stride: 2, activation: relu6() }),
    ];
    for (const [expansion, channels, repeats, stride] of STAGES) {
      const outPlanes = multipleOf8(channels * widthMult);
      for (let i = 0; i < repeats; i += 1) {
        layers.push(new InvertedResidual(planes, outPlanes, i === 0 ? stride : 1, expansion));
        planes = outPlanes;
      }
    }
    layers.push(
      new Conv2dNormActivation(planes, lastPlanes, { kernelSize: 1, activation: relu6() }),
    );
    this.features = new Sequential(layers);
    this.classifier = new Sequential(new Dropout({ p }), new Linear(lastPlanes, numClasses));
    for (const module of this.modules()) {
      if (module instanceof Conv2d) {
        init.kaimingNormal_(module.weight, { mode: "fan_out" });
      } else if (module instanceof Linear) {
        init.normal_(module.weight, { std: 0.01 });
        init.zeros_(module.bias!);
      }
    }
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = F.adaptiveAvgPool2d(this.features(x), [1, 1]);
    return this.classifier(F.flatten(y, { startDim: 1 }));
  }
}

/**
 * torchvision's mobilenet_v2: 3.5 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.mobilenet_v2.html
 */
export const mobilenetV2 = (options?: MobileNetV2Options): MobileNetV2 => new MobileNetV2(options);
