/** A 1 × 1 convolution and the depthwise one behind it, some channels at a time. */
import { conv, type ConvSpec, isReadInPlace } from "./conv.js";
import { stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { windowsOf } from "./image.js";
import { type Kernel, product, share } from "./kernel.js";
import { depthwise, type DepthwiseSpec } from "./windows.js";

export interface ExpandPointers {
  /** `[batch, inChannels, ...size]`. */
  x: number;
  /** Of the first convolution, as `packConv` left it, and of the second one, as PyTorch has it. */
  weights: readonly [number, number];
  biases: readonly [number | undefined, number | undefined];
  out: number;
  workspace: number;
}

/** What lies between the two stays in the second-level cache, beside what is read and written. */
const BETWEEN_BYTES = 384 * 1024;

/** Rows of the weight that a product takes at a time. */
const GRAIN = 12;

/**
 * `null` where it would be no faster: what lies between the two is small, or the first one would have to
 * bring its input into another layout again for each stretch of channels.
 */
export function expand(
  heap: Heap,
  first: ConvSpec,
  second: DepthwiseSpec,
): Kernel<ExpandPointers> | null {
  const { batch = 1, inChannels, outChannels: channels } = first;
  const plane = product(first.size) * 4;
  const isSmall = channels * plane <= BETWEEN_BYTES;
  if (
    isSmall ||
    (second.multiplier ?? 1) > 1 ||
    (first.weightType ?? "f32") !== "f32" ||
    !isReadInPlace(first)
  )
    return null;
  const fitting = Math.max(1, Math.floor(BETWEEN_BYTES / plane / GRAIN)) * GRAIN;
  // Stretches of about the same length.
  const most = Math.ceil(channels / Math.ceil(channels / fitting) / GRAIN) * GRAIN;
  const planeOut = product(windowsOf(second).out) * 4;
  const taps = product(second.kernel) * 4;
  const prepare = (count: number) => ({
    wide: conv(heap, { ...first, batch: 1, outChannels: count }),
    deep: depthwise(heap, { ...second, batch: 1, channels: count }),
  });
  const whole = prepare(most);
  const betweenBytes = most * plane + 64;
  const workspaceBytes = betweenBytes + whole.deep.workspaceBytes;
  return {
    workspaceBytes,
    run: ({ x, weights, biases, out, workspace }, part = 0, parts = 1) => {
      const between = workspace + part * workspaceBytes;
      const scratch = between + betweenBytes;
      const [from, to] = share(channels, part, parts, GRAIN);
      for (let n = 0; n < batch; n += 1) {
        for (let channel = from; channel < to; channel += most) {
          const count = Math.min(most, to - channel);
          const { wide, deep } = count === most ? whole : prepare(count);
          const [bias, deepBias] = biases.map((one) => one && one + channel * 4);
          wide.run({
            x: x + n * inChannels * plane,
            weight: weights[0] + stripBytes(channel, inChannels),
            bias,
            out: between,
            workspace: scratch,
          });
          deep.run({
            x: between,
            weight: weights[1] + channel * taps,
            bias: deepBias,
            out: out + (n * channels + channel) * planeOut,
            workspace: scratch,
          });
        }
      }
    },
  };
}
