import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";

/** Of each stage: expansion, channels, repeats, stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

function convNormActivation(
  inPlanes: number,
  outPlanes: number,
  { kernelSize = 3, stride = 1, groups = 1 } = {},
): nn.Sequential {
  const padding = (kernelSize - 1) / 2;
  return new nn.Sequential(
    new nn.Conv2d(inPlanes, outPlanes, kernelSize, { stride, padding, groups, bias: false }),
    new nn.BatchNorm2d(outPlanes),
    new nn.ReLU6({ inplace: true }),
  );
}

/** Expands, convolves each channel by itself, and projects without an activation. */
class InvertedResidual extends nn.Module {
  readonly conv: nn.Sequential;
  readonly useResConnect: boolean;

  constructor(inPlanes: number, planes: number, stride: number, expansion: number) {
    super();
    const inner = inPlanes * expansion;
    const expand = expansion === 1 ? [] : [convNormActivation(inPlanes, inner, { kernelSize: 1 })];
    this.conv = new nn.Sequential(
      ...expand,
      convNormActivation(inner, inner, { stride, groups: inner }),
      new nn.Conv2d(inner, planes, 1, { bias: false }),
      new nn.BatchNorm2d(planes),
    );
    this.useResConnect = stride === 1 && inPlanes === planes;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.conv(x);
    return this.useResConnect ? tf.add(x, y) : y;
  }
}

class MobileNetV2 extends nn.Module {
  readonly features: nn.Sequential;
  readonly classifier: nn.Sequential;

  constructor(numClasses = 1000) {
    super();
    let planes = 32;
    const layers: nn.Module[] = [convNormActivation(3, planes, { stride: 2 })];
    for (const [expansion, channels, repeats, stride] of STAGES) {
      for (let i = 0; i < repeats; i += 1) {
        layers.push(new InvertedResidual(planes, channels, i === 0 ? stride : 1, expansion));
        planes = channels;
      }
    }
    layers.push(convNormActivation(planes, 1280, { kernelSize: 1 }));
    this.features = new nn.Sequential(...layers);
    this.classifier = new nn.Sequential(
      new nn.Dropout({ p: 0.2 }),
      new nn.Linear(1280, numClasses),
    );
    for (const module of this.modules()) {
      if (module instanceof nn.Conv2d) nn.init.kaimingNormal_(module.weight, { mode: "fan_out" });
    }
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.classifier(tf.mean(this.features(x), [2, 3]));
  }
}

/** torchvision's mobilenet_v2: `(N, 3, H, W)` → `(N, numClasses)`, with its state_dict keys. */
export const mobilenetV2 = (numClasses?: number): nn.Module => new MobileNetV2(numClasses);
