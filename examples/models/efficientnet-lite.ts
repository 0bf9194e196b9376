import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import * as F from "sconce/functional";

/** For each stage: repeats, kernel size, stride, expansion, input channels, output channels. */
const STAGES = [
  [1, 3, 1, 1, 32, 16],
  [2, 3, 2, 6, 16, 24],
  [2, 5, 2, 6, 24, 40],
  [3, 3, 2, 6, 40, 80],
  [3, 5, 1, 6, 80, 112],
  [4, 5, 2, 6, 112, 192],
  [1, 3, 1, 6, 192, 320],
] as const;

/** The padding before and after an axis of `size` that gives `ceil(size / stride)` windows. */
function samePadding(size: number, kernel: number, stride: number): [number, number] {
  const missing = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [Math.floor(missing / 2), Math.ceil(missing / 2)];
}

/** A convolution with TensorFlow's "SAME" padding: an odd pixel goes to the end. */
class SameConv2d extends nn.Module {
  readonly weight: nn.Parameter;

  constructor(
    inChannels: number,
    outChannels: number,
    readonly kernelSize: number,
    readonly stride = 1,
    readonly groups = 1,
  ) {
    super();
    const conv = new nn.Conv2d(inChannels, outChannels, kernelSize, { groups, bias: false });
    this.weight = conv.weight;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { kernelSize, stride, groups } = this;
    const [height, width] = x.shape.slice(2) as [number, number];
    const sides = [
      ...samePadding(width, kernelSize, stride),
      ...samePadding(height, kernelSize, stride),
    ];
    return F.conv2d(F.pad(x, sides), this.weight, { stride, groups });
  }
}

const batchNorm = (channels: number): nn.BatchNorm2d =>
  new nn.BatchNorm2d(channels, { eps: 1e-3, momentum: 0.01 });

/** Expands the channels, convolves each by itself, and projects to the output channels. */
class MBConv extends nn.Module {
  readonly _expand_conv: SameConv2d | null = null;
  readonly _bn0: nn.BatchNorm2d | null = null;
  readonly _depthwise_conv: SameConv2d;
  readonly _bn1: nn.BatchNorm2d;
  readonly _project_conv: SameConv2d;
  readonly _bn2: nn.BatchNorm2d;
  readonly _swish = new nn.ReLU6();
  readonly hasShortcut: boolean;

  constructor(kernel: number, stride: number, expansion: number, inPlanes: number, planes: number) {
    super();
    const inner = inPlanes * expansion;
    if (expansion !== 1) {
      this._expand_conv = new SameConv2d(inPlanes, inner, 1);
      this._bn0 = batchNorm(inner);
    }
    this._depthwise_conv = new SameConv2d(inner, inner, kernel, stride, inner);
    this._bn1 = batchNorm(inner);
    this._project_conv = new SameConv2d(inner, planes, 1);
    this._bn2 = batchNorm(planes);
    this.hasShortcut = stride === 1 && inPlanes === planes;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    let y = this._expand_conv ? this._swish(this._bn0!(this._expand_conv(x))) : x;
    y = this._swish(this._bn1(this._depthwise_conv(y)));
    y = this._bn2(this._project_conv(y));
    return this.hasShortcut ? tf.add(x, y) : y;
  }
}

/** EfficientNet-Lite0: pictures `(N, 3, 224, 224)` with `(value - 127) / 128` → `(N, 1000)` logits. */
export class EfficientNetLite0 extends nn.Module {
  readonly _conv_stem = new SameConv2d(3, 32, 3, 2);
  readonly _bn0 = batchNorm(32);
  readonly _blocks = new nn.ModuleList(
    STAGES.flatMap(([repeats, kernel, stride, expansion, inPlanes, planes]) =>
      Array.from({ length: repeats }, (_, i) =>
        i === 0
          ? new MBConv(kernel, stride, expansion, inPlanes, planes)
          : new MBConv(kernel, 1, expansion, planes, planes),
      ),
    ),
  );
  readonly _conv_head = new SameConv2d(320, 1280, 1);
  readonly _bn1 = batchNorm(1280);
  readonly _avg_pooling = new nn.AdaptiveAvgPool2d(1);
  readonly _dropout = new nn.Dropout({ p: 0.2 });
  readonly _fc = new nn.Linear(1280, 1000);
  readonly _swish = new nn.ReLU6();

  override forward(x: tf.Tensor): tf.Tensor {
    x = this._swish(this._bn0(this._conv_stem(x)));
    for (const block of this._blocks) x = block(x);
    x = this._swish(this._bn1(this._conv_head(x)));
    return this._fc(this._dropout(F.flatten(this._avg_pooling(x), { startDim: 1 })));
  }
}
