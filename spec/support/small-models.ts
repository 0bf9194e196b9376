/** Small models that together have most of what real ones are made of. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../lib/index.js";

const F = nn.functional;

export class Block extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 6, 3, { stride: 2, padding: 1, bias: false });
  readonly bn1 = new nn.BatchNorm2d(6);
  readonly depthwise = new nn.Conv2d(6, 12, 3, { groups: 6, padding: "same", dilation: 2 });
  readonly grouped = new nn.Conv2d(12, 6, 1, { groups: 2 });
  readonly fc = new nn.Linear(6, 4);
  override forward(x: tf.Tensor): tf.Tensor[] {
    const y = F.relu(this.bn1(this.conv1(x)));
    const z = F.relu6(tf.add(this.grouped(F.silu(this.depthwise(y))), y));
    const pooled = F.adaptiveAvgPool2d(F.maxPool2d(z, 2), 1);
    return [z, this.fc(tf.reshape(pooled, [-1, 6])), y];
  }
}

/** Takes places of a row that a buffer tells. */
export class Picked extends nn.Module {
  declare places: tf.Tensor;
  constructor() {
    super();
    this.registerBuffer("places", tf.tensor1d([3, 0, 1], "int32"));
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.gather(x, this.places, 1);
  }
}

/** Name, model, shape of its input. */
export const SMALL_MODELS: [string, () => nn.Module, number[]][] = [
  ["convolutions", () => new Block(), [2, 3, 9, 8]],
  ["an encoder", () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12 }), [5, 2, 8]],
  ["an LSTM", () => new nn.LSTM(6, 8, { numLayers: 2 }), [4, 2, 6]],
];
