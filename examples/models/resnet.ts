import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";

const conv3x3 = (inPlanes: number, outPlanes: number, stride = 1): nn.Conv2d =>
  new nn.Conv2d(inPlanes, outPlanes, 3, { stride, padding: 1, bias: false });

/** Two 3×3 convolutions with a shortcut around them. */
class BasicBlock extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly relu = new nn.ReLU({ inplace: true });
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly downsample: nn.Sequential | null;

  constructor(inPlanes: number, planes: number, stride: number, downsample: nn.Sequential | null) {
    super();
    this.conv1 = conv3x3(inPlanes, planes, stride);
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new nn.BatchNorm2d(planes);
    this.downsample = downsample;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.bn2(this.conv2(this.relu(this.bn1(this.conv1(x)))));
    const identity = this.downsample ? this.downsample(x) : x;
    return this.relu(tf.add(y, identity));
  }
}

class ResNet extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
  readonly bn1 = new nn.BatchNorm2d(64);
  readonly relu = new nn.ReLU({ inplace: true });
  readonly maxpool = new nn.MaxPool2d(3, { stride: 2, padding: 1 });
  readonly layer1 = makeLayer(64, 64, 1);
  readonly layer2 = makeLayer(64, 128, 2);
  readonly layer3 = makeLayer(128, 256, 2);
  readonly layer4 = makeLayer(256, 512, 2);
  readonly avgpool = new nn.AdaptiveAvgPool2d([1, 1]);
  readonly fc: nn.Linear;

  constructor(numClasses = 1000) {
    super();
    this.fc = new nn.Linear(512, numClasses);
    for (const module of this.modules()) {
      if (module instanceof nn.Conv2d) {
        nn.init.kaimingNormal_(module.weight, { mode: "fan_out", nonlinearity: "relu" });
      }
    }
  }

  override forward(x: tf.Tensor): tf.Tensor {
    let y = this.maxpool(this.relu(this.bn1(this.conv1(x))));
    y = this.layer4(this.layer3(this.layer2(this.layer1(y))));
    return this.fc(tf.reshape(this.avgpool(y), [x.shape[0], -1]));
  }
}

function makeLayer(inPlanes: number, planes: number, stride: number): nn.Sequential {
  const shortcut = (): nn.Sequential =>
    new nn.Sequential(
      new nn.Conv2d(inPlanes, planes, 1, { stride, bias: false }),
      new nn.BatchNorm2d(planes),
    );
  const downsample = stride !== 1 || inPlanes !== planes ? shortcut() : null;
  return new nn.Sequential(
    new BasicBlock(inPlanes, planes, stride, downsample),
    new BasicBlock(planes, planes, 1, null),
  );
}

/**
 * torchvision's resnet18: `(N, 3, H, W)` → `(N, numClasses)`, with its state_dict keys and, after
 * the same seed, its initial weights.
 */
export const resnet18 = (numClasses?: number): nn.Module => new ResNet(numClasses);
