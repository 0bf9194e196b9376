import type * as tf from "@tensorflow/tfjs-core";
import * as F from "../functional/index.js";
import { Module } from "../module/index.js";
import { Inplace } from "./inplace.js";

/**
 * `1 / (1 + exp(-x))`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
 */
export class Sigmoid extends Module {
  static override readonly name: string = "Sigmoid";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.sigmoid(x);
  }
}

/**
 * `tanh(x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html
 */
export class Tanh extends Module {
  static override readonly name: string = "Tanh";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.tanh(x);
  }
}

/**
 * `max(0, x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
 */
export class ReLU extends Inplace {
  static override readonly name: string = "ReLU";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.relu(x);
  }
}

/**
 * `min(max(0, x), 6)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
 */
export class ReLU6 extends Inplace {
  static override readonly name: string = "ReLU6";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.relu6(x);
  }
}

/**
 * `x · sigmoid(x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html
 */
export class SiLU extends Inplace {
  static override readonly name: string = "SiLU";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.silu(x);
  }
}

/**
 * `x · tanh(log(1 + exp(x)))`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html
 */
export class Mish extends Inplace {
  static override readonly name: string = "Mish";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.mish(x);
  }
}

/**
 * The scaled ELU of self-normalising networks; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html
 */
export class SELU extends Inplace {
  static override readonly name: string = "SELU";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.selu(x);
  }
}

/**
 * `min(max(0, x + 3), 6) / 6`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
 */
export class Hardsigmoid extends Inplace {
  static override readonly name: string = "Hardsigmoid";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.hardsigmoid(x);
  }

  /** PyTorch keeps silent about it here. */
  override extraRepr(): string {
    return "";
  }
}

/**
 * `x · min(max(0, x + 3), 6) / 6`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
 */
export class Hardswish extends Inplace {
  static override readonly name: string = "Hardswish";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.hardswish(x);
  }

  /** PyTorch keeps silent about it here. */
  override extraRepr(): string {
    return "";
  }
}

/**
 * `log(1 / (1 + exp(-x)))`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
 */
export class LogSigmoid extends Module {
  static override readonly name: string = "LogSigmoid";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.logsigmoid(x);
  }
}

/**
 * `x / (1 + |x|)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html
 */
export class Softsign extends Module {
  static override readonly name: string = "Softsign";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.softsign(x);
  }
}

/**
 * `x - tanh(x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
 */
export class Tanhshrink extends Module {
  static override readonly name: string = "Tanhshrink";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.tanhshrink(x);
  }
}
