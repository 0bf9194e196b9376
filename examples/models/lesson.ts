import type { Tensor } from "@tensorflow/tfjs-core";
import * as nn from "sconce";

/** The lesson's network in PyTorch's style: 2 → 4 → 3. */
export class NNTorch extends nn.Module {
  readonly layer1: nn.Linear;
  readonly sigmoid = new nn.Sigmoid();
  readonly layer2: nn.Linear;

  constructor(inputSize = 2, hiddenSize = 4, outputSize = 3) {
    super();
    this.layer1 = new nn.Linear(inputSize, hiddenSize);
    this.layer2 = new nn.Linear(hiddenSize, outputSize);
  }

  override forward(x: Tensor): Tensor {
    x = this.layer1(x);
    x = this.sigmoid(x);
    x = this.layer2(x);
    return x;
  }
}
