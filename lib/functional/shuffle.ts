import * as tf from "@tensorflow/tfjs-core";
import { checkTensor, listText } from "./check.js";
import { op } from "./op.js";

/** The input as `(batch, C, H, W)`, and its leading dimensions. */
function readImages(
  name: string,
  factorName: string,
  input: tf.Tensor,
  factor: number,
): { lead: number[]; batch: number; c: number; h: number; w: number } {
  checkTensor(name, input);
  if (input.rank < 3) {
    throw new RangeError(
      `${name} expects input to have at least 3 dimensions, ` +
        `but got input with ${input.rank} dimension(s)`,
    );
  }
  if (!(factor > 0))
    throw new RangeError(`${name} expects a positive ${factorName}, but got ${factor}`);
  const [c, h, w] = input.shape.slice(-3) as [number, number, number];
  const lead = input.shape.slice(0, -3);
  return { lead, batch: tf.util.sizeFromShape(lead), c, h, w };
}

/**
 * Moves channels to spatial positions: `(*, C·r², H, W)` → `(*, C, H·r, W·r)`.
 *
 * @throws if the channels are not divisible by r².
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html
 */
export const pixelShuffle = /* @__PURE__ */ op(
  "pixel_shuffle",
  (input: tf.Tensor, upscaleFactor: number): tf.Tensor => {
    const r = upscaleFactor;
    const { lead, batch, c, h, w } = readImages("pixel_shuffle", "upscale_factor", input, r);
    if (c % (r * r) !== 0) {
      throw new RangeError(
        "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of " +
          `upscale_factor, but input.size(-3)=${c} is not divisible by ${r * r}`,
      );
    }
    const channels = c / (r * r);
    if (input.size === 0) return tf.zeros([...lead, channels, h * r, w * r], input.dtype);
    // (B·C, r, r, H, W) → (B·C, H, r, W, r)
    const split = tf.reshape(input, [batch * channels, r, r, h, w]);
    const woven = tf.transpose(split, [0, 3, 1, 4, 2]);
    return tf.reshape(woven, [...lead, channels, h * r, w * r]);
  },
);

/**
 * Moves spatial positions to channels: `(*, C, H·r, W·r)` → `(*, C·r², H, W)`.
 *
 * @throws if height or width is not divisible by r.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html
 */
export const pixelUnshuffle = /* @__PURE__ */ op(
  "pixel_unshuffle",
  (input: tf.Tensor, downscaleFactor: number): tf.Tensor => {
    const r = downscaleFactor;
    const { lead, batch, c, h, w } = readImages("pixel_unshuffle", "downscale_factor", input, r);
    for (const [name, dim, size] of [
      ["height", -2, h],
      ["width", -1, w],
    ] as const) {
      if (size % r === 0) continue;
      throw new RangeError(
        `pixel_unshuffle expects ${name} to be divisible by downscale_factor, ` +
          `but input.size(${dim})=${size} is not divisible by ${r}`,
      );
    }
    if (input.size === 0) return tf.zeros([...lead, c * r * r, h / r, w / r], input.dtype);
    // (B·C, H, r, W, r) → (B·C, r, r, H, W)
    const split = tf.reshape(input, [batch * c, h / r, r, w / r, r]);
    const parted = tf.transpose(split, [0, 2, 4, 1, 3]);
    return tf.reshape(parted, [...lead, c * r * r, h / r, w / r]);
  },
);

/**
 * Reorders the channels: g groups of k channels, `(N, g·k, *)`, become k groups of g.
 *
 * @throws if the channels are not divisible by the groups.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
 */
export const channelShuffle = /* @__PURE__ */ op(
  "channel_shuffle",
  (input: tf.Tensor, groups: number): tf.Tensor => {
    checkTensor("channel_shuffle", input);
    const { shape } = input;
    if (shape.length < 3) {
      throw new RangeError(
        "channel_shuffle expects input with > 2 dims, " +
          `but got input with sizes ${listText(shape)}`,
      );
    }
    if (!(groups > 0)) {
      throw new RangeError(
        "channel_shuffle: Number of groups to divide channels in must be positive. " +
          `Value of groups:${groups}`,
      );
    }
    const [n, c, ...rest] = shape as [number, number, ...number[]];
    if (c % groups !== 0) {
      throw new RangeError(
        "channel_shuffle: Number of channels must be divisible by groups. " +
          `Got ${c} channels and ${groups} groups.`,
      );
    }
    if (input.size === 0) return input;
    const split = tf.reshape(input, [n, groups, c / groups, tf.util.sizeFromShape(rest)]);
    return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), shape);
  },
);
