import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";

/**
 * The three networks of MTCNN, which finds faces and five points in each; keys as facenet-pytorch
 * has them. Zhang et al. 2016, https://arxiv.org/abs/1604.02878
 *
 * Pictures are `(N, 3, H, W)` with `(value - 127.5) / 128`.
 */

/**
 * The proposal network: `(N, 3, H, W)` → boxes `(N, 4, h, w)` and face probabilities
 * `(N, 2, h, w)`.
 */
export class PNet extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 10, 3);
  readonly prelu1 = new nn.PReLU({ numParameters: 10 });
  readonly pool1 = new nn.MaxPool2d(2, { ceilMode: true });
  readonly conv2 = new nn.Conv2d(10, 16, 3);
  readonly prelu2 = new nn.PReLU({ numParameters: 16 });
  readonly conv3 = new nn.Conv2d(16, 32, 3);
  readonly prelu3 = new nn.PReLU({ numParameters: 32 });
  readonly conv4_1 = new nn.Conv2d(32, 2, 1);
  readonly softmax4_1 = new nn.Softmax({ dim: 1 });
  readonly conv4_2 = new nn.Conv2d(32, 4, 1);

  override forward(x: tf.Tensor): [boxes: tf.Tensor, probabilities: tf.Tensor] {
    x = this.pool1(this.prelu1(this.conv1(x)));
    x = this.prelu2(this.conv2(x));
    x = this.prelu3(this.conv3(x));
    return [this.conv4_2(x), this.softmax4_1(this.conv4_1(x))];
  }
}

/** The refinement network: `(N, 3, 24, 24)` → boxes `(N, 4)` and face probabilities `(N, 2)`. */
export class RNet extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 28, 3);
  readonly prelu1 = new nn.PReLU({ numParameters: 28 });
  readonly pool1 = new nn.MaxPool2d(3, { stride: 2, ceilMode: true });
  readonly conv2 = new nn.Conv2d(28, 48, 3);
  readonly prelu2 = new nn.PReLU({ numParameters: 48 });
  readonly pool2 = new nn.MaxPool2d(3, { stride: 2, ceilMode: true });
  readonly conv3 = new nn.Conv2d(48, 64, 2);
  readonly prelu3 = new nn.PReLU({ numParameters: 64 });
  readonly dense4 = new nn.Linear(576, 128);
  readonly prelu4 = new nn.PReLU({ numParameters: 128 });
  readonly dense5_1 = new nn.Linear(128, 2);
  readonly softmax5_1 = new nn.Softmax({ dim: 1 });
  readonly dense5_2 = new nn.Linear(128, 4);

  override forward(x: tf.Tensor): [boxes: tf.Tensor, probabilities: tf.Tensor] {
    x = this.pool1(this.prelu1(this.conv1(x)));
    x = this.pool2(this.prelu2(this.conv2(x)));
    x = this.prelu3(this.conv3(x));
    x = this.prelu4(this.dense4(flattenFromLast(x)));
    return [this.dense5_2(x), this.softmax5_1(this.dense5_1(x))];
  }
}

/**
 * The output network: `(N, 3, 48, 48)` → boxes `(N, 4)`, points `(N, 10)`, face probabilities
 * `(N, 2)`.
 */
export class ONet extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 32, 3);
  readonly prelu1 = new nn.PReLU({ numParameters: 32 });
  readonly pool1 = new nn.MaxPool2d(3, { stride: 2, ceilMode: true });
  readonly conv2 = new nn.Conv2d(32, 64, 3);
  readonly prelu2 = new nn.PReLU({ numParameters: 64 });
  readonly pool2 = new nn.MaxPool2d(3, { stride: 2, ceilMode: true });
  readonly conv3 = new nn.Conv2d(64, 64, 3);
  readonly prelu3 = new nn.PReLU({ numParameters: 64 });
  readonly pool3 = new nn.MaxPool2d(2, { ceilMode: true });
  readonly conv4 = new nn.Conv2d(64, 128, 2);
  readonly prelu4 = new nn.PReLU({ numParameters: 128 });
  readonly dense5 = new nn.Linear(1152, 256);
  readonly prelu5 = new nn.PReLU({ numParameters: 256 });
  readonly dense6_1 = new nn.Linear(256, 2);
  readonly softmax6_1 = new nn.Softmax({ dim: 1 });
  readonly dense6_2 = new nn.Linear(256, 4);
  readonly dense6_3 = new nn.Linear(256, 10);

  override forward(x: tf.Tensor): [boxes: tf.Tensor, points: tf.Tensor, probabilities: tf.Tensor] {
    x = this.pool1(this.prelu1(this.conv1(x)));
    x = this.pool2(this.prelu2(this.conv2(x)));
    x = this.pool3(this.prelu3(this.conv3(x)));
    x = this.prelu4(this.conv4(x));
    x = this.prelu5(this.dense5(flattenFromLast(x)));
    return [this.dense6_2(x), this.dense6_3(x), this.softmax6_1(this.dense6_1(x))];
  }
}

/** `(N, C, H, W)` → `(N, W·H·C)`: the order of elements with which these networks were trained. */
function flattenFromLast(x: tf.Tensor): tf.Tensor {
  return tf.reshape(tf.transpose(x, [0, 3, 2, 1]), [x.shape[0], -1]);
}
