import type * as tf from "@tensorflow/tfjs-core";
import * as F from "../functional/index.js";
import { Module } from "../module/index.js";

/**
 * Moves channels to spatial positions: `(*, C·r², H, W)` → `(*, C, H·r, W·r)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
 */
export class PixelShuffle extends Module {
  static override readonly name: string = "PixelShuffle";

  constructor(readonly upscaleFactor: number) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.pixelShuffle(x, this.upscaleFactor);
  }

  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

/**
 * Moves spatial positions to channels: `(*, C, H·r, W·r)` → `(*, C·r², H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html
 */
export class PixelUnshuffle extends Module {
  static override readonly name: string = "PixelUnshuffle";

  constructor(readonly downscaleFactor: number) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.pixelUnshuffle(x, this.downscaleFactor);
  }

  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

/**
 * Reorders the channels: g groups of k channels, `(N, g·k, *)`, become k groups of g.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
 */
export class ChannelShuffle extends Module {
  static override readonly name: string = "ChannelShuffle";

  constructor(readonly groups: number) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.channelShuffle(x, this.groups);
  }

  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}
