import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { add } from "../functional/arithmetic.js";
import * as F from "../functional/index.js";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Linear,
  MaxPool2d,
  ReLU,
} from "../layers/index.js";
import { init, Module, Sequential } from "../module/index.js";

const conv1x1 = (inPlanes: number, outPlanes: number, stride = 1): Conv2d =>
  new Conv2d(inPlanes, outPlanes, 1, { stride, bias: false });

const conv3x3 = (
  inPlanes: number,
  outPlanes: number,
  { stride = 1, groups = 1, dilation = 1 } = {},
): Conv2d => {
  const padding = dilation;
  return new Conv2d(inPlanes, outPlanes, 3, { stride, padding, groups, bias: false, dilation });
};

interface BlockOptions {
  stride: number;
  downsample: Sequential | null;
  groups: number;
  baseWidth: number;
  dilation: number;
}

/**
 * Two 3×3 convolutions with a shortcut around them: `(N, C, H, W)` → `(N, planes, H', W')`.
 *
 * @see https://arxiv.org/abs/1512.03385
 */
export class BasicBlock extends Module {
  static override readonly name: string = "BasicBlock";
  static readonly expansion = 1;

  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU({ inplace: true });
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(inPlanes: number, planes: number, options: BlockOptions) {
    super();
    const { stride, downsample, groups, baseWidth, dilation } = options;
    if (groups !== 1 || baseWidth !== 64) {
      throw new Error("BasicBlock only supports groups=1 and base_width=64");
    }
    if (dilation > 1) throw new Error("Dilation > 1 not supported in BasicBlock");
    this.conv1 = conv3x3(inPlanes, planes, { stride });
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new BatchNorm2d(planes);
    this.downsample = downsample;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.bn2(this.conv2(this.relu(this.bn1(this.conv1(x)))));
    return this.relu(add(y, this.downsample ? this.downsample(x) : x));
  }
}

/**
 * A 3×3 convolution between two 1×1, and a shortcut around them: `(N, C, H, W)` →
 * `(N, 4 planes, H', W')`. The 3×3 has the stride, as in torchvision.
 *
 * @see https://arxiv.org/abs/1512.03385
 */
export class Bottleneck extends Module {
  static override readonly name: string = "Bottleneck";
  static readonly expansion = 4;

  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly relu = new ReLU({ inplace: true });
  readonly downsample: Sequential | null;

  constructor(inPlanes: number, planes: number, options: BlockOptions) {
    super();
    const { stride, downsample, groups, baseWidth, dilation } = options;
    const width = Math.floor(planes * (baseWidth / 64)) * groups;
    const outPlanes = planes * Bottleneck.expansion;
    this.conv1 = conv1x1(inPlanes, width);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv3x3(width, width, { stride, groups, dilation });
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv1x1(width, outPlanes);
    this.bn3 = new BatchNorm2d(outPlanes);
    this.downsample = downsample;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    let y = this.relu(this.bn1(this.conv1(x)));
    y = this.relu(this.bn2(this.conv2(y)));
    y = this.bn3(this.conv3(y));
    return this.relu(add(y, this.downsample ? this.downsample(x) : x));
  }
}

export interface ResNetOptions {
  /** The number of logits. Default: 1000. */
  numClasses?: number;
  /** The number of groups of the 3×3 convolutions. Default: 1. */
  groups?: number;
  /** The channels of each group in the first stage. Default: 64. */
  widthPerGroup?: number;
  /** Which of the last three stages use dilation instead of halving the picture. Default: none. */
  replaceStrideWithDilation?: readonly [boolean, boolean, boolean];
}

const RESNET: Required<ResNetOptions> = {
  numClasses: 1000,
  groups: 1,
  widthPerGroup: 64,
  replaceStrideWithDilation: [false, false, false],
};

/**
 * torchvision's `ResNet`: pictures `(N, 3, H, W)` → logits `(N, numClasses)`, with its state_dict
 * keys and, after the same seed, its initial weights.
 *
 * @see https://docs.pytorch.org/vision/stable/models/resnet.html
 */
export class ResNet extends Module {
  static override readonly name: string = "ResNet";

  readonly conv1 = new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
  readonly bn1 = new BatchNorm2d(64);
  readonly relu = new ReLU({ inplace: true });
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d([1, 1]);
  readonly fc: Linear;

  /** `layers`: the number of blocks in each of the four stages. */
  constructor(
    block: typeof BasicBlock | typeof Bottleneck,
    layers: readonly [number, number, number, number],
    options?: ResNetOptions,
  ) {
    super();
    const read = readOptions("ResNet", RESNET, options);
    const {
      numClasses,
      groups,
      widthPerGroup: baseWidth,
      replaceStrideWithDilation: dilate,
    } = read;
    let inPlanes = 64;
    let dilation = 1;
    const makeLayer = (
      planes: number,
      blocks: number,
      stride = 1,
      isDilated = false,
    ): Sequential => {
      const first = { stride: isDilated ? 1 : stride, dilation };
      if (isDilated) dilation *= stride;
      const outPlanes = planes * block.expansion;
      const isSame = first.stride === 1 && inPlanes === outPlanes;
      const downsample = isSame
        ? null
        : new Sequential(conv1x1(inPlanes, outPlanes, first.stride), new BatchNorm2d(outPlanes));
      const all: Module[] = [
        new block(inPlanes, planes, { ...first, downsample, groups, baseWidth }),
      ];
      inPlanes = outPlanes;
      const rest = { stride: 1, downsample: null, groups, baseWidth, dilation };
      while (all.length < blocks) all.push(new block(inPlanes, planes, rest));
      return new Sequential(all);
    };
    this.layer1 = makeLayer(64, layers[0]);
    this.layer2 = makeLayer(128, layers[1], 2, dilate[0]);
    this.layer3 = makeLayer(256, layers[2], 2, dilate[1]);
    this.layer4 = makeLayer(512, layers[3], 2, dilate[2]);
    this.fc = new Linear(512 * block.expansion, numClasses);
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d)) continue;
      init.kaimingNormal_(module.weight, { mode: "fan_out", nonlinearity: "relu" });
    }
  }

  override forward(x: tf.Tensor): tf.Tensor {
    let y = this.maxpool(this.relu(this.bn1(this.conv1(x))));
    y = this.layer4(this.layer3(this.layer2(this.layer1(y))));
    return this.fc(F.flatten(this.avgpool(y), { startDim: 1 }));
  }
}

/**
 * torchvision's resnet18: 11.7 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet18.html
 */
export const resnet18 = (options?: ResNetOptions): ResNet =>
  new ResNet(BasicBlock, [2, 2, 2, 2], options);

/**
 * torchvision's resnet34: 21.8 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet34.html
 */
export const resnet34 = (options?: ResNetOptions): ResNet =>
  new ResNet(BasicBlock, [3, 4, 6, 3], options);

/**
 * torchvision's resnet50: 25.6 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet50.html
 */
export const resnet50 = (options?: ResNetOptions): ResNet =>
  new ResNet(Bottleneck, [3, 4, 6, 3], options);

/**
 * torchvision's resnet101: 44.5 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet101.html
 */
export const resnet101 = (options?: ResNetOptions): ResNet =>
  new ResNet(Bottleneck, [3, 4, 23, 3], options);

/**
 * torchvision's resnet152: 60.2 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet152.html
 */
export const resnet152 = (options?: ResNetOptions): ResNet =>
  new ResNet(Bottleneck, [3, 8, 36, 3], options);

/** The options of a resnet whose groups and width are determined by its name. */
export type NamedResNetOptions = Omit<ResNetOptions, "groups" | "widthPerGroup">;

function named(
  where: string,
  size: Pick<Required<ResNetOptions>, "groups" | "widthPerGroup">,
  options: NamedResNetOptions | undefined,
): ResNet {
  const { numClasses, replaceStrideWithDilation } = RESNET;
  const read = readOptions(where, { numClasses, replaceStrideWithDilation }, options);
  return resnet50({ ...read, ...size });
}

/**
 * torchvision's resnext50_32x4d: 25.0 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnext50_32x4d.html
 */
// eslint-disable-next-line @typescript-eslint/naming-convention -- 324 would be another number
export const resnext50_32x4d = (options?: NamedResNetOptions): ResNet =>
  named("resnext50_32x4d", { groups: 32, widthPerGroup: 4 }, options);

/**
 * torchvision's wide_resnet50_2: 68.9 million parameters.
 * Pictures `(N, 3, H, W)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.wide_resnet50_2.html
 */
// eslint-disable-next-line @typescript-eslint/naming-convention -- 502 would be another number
export const wideResnet50_2 = (options?: NamedResNetOptions): ResNet =>
  named("wideResnet50_2", { groups: 1, widthPerGroup: 128 }, options);
