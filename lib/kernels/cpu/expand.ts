/** A 1 × 1 convolution followed by a depthwise one, a few channels at a time. */
import { conv, type ConvSpec, isReadInPlace } from "./conv.js";
import { stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { windowsOf } from "./image.js";
import { type Kernel, product, share } from "./kernel.js";
import { depthwise, type DepthwisePointers, type DepthwiseSpec } from "./windows.js";

/**
 * The pointers of the second convolution, except that `x` is the input of the first,
 * `[batch, inChannels, ...size]`.
 */
export interface ExpandPointers extends DepthwisePointers {
  /** The weight of the first convolution, as `packConv` left it. */
  firstWeight: number;
  firstBias?: number;
}

/**
 * The result of the first convolution fits into the second-level cache, with what is read and
 * written beside it.
 */
const BETWEEN_BYTES = 384 * 1024;

/** Rows of the weight in one tile of the product. */
const GRAIN = 12;

/**
 * `null` where this would be no faster: if the intermediate result is small, or if the first
 * convolution would have to pack its input again for each stretch of channels. Also for groups,
 * which read different channels, and where a channel of the first is not a plane of the second.
 * reads other channels, or where channels of the first one are rows to the second one.
 */
export function expand(
  heap: Heap,
  first: ConvSpec,
  second: DepthwiseSpec,
): Kernel<ExpandPointers> | null {
  const { batch = 1, inChannels, outChannels: channels } = first;
  const plane = product(first.size) * 4;
  const stretches = Math.ceil((channels * plane) / BETWEEN_BYTES);
  if (
    stretches === 1 ||
    second.multiplier! > 1 ||
    (first.groups ?? 1) > 1 ||
    second.size.length !== first.size.length ||
    (first.weightType ?? "f32") !== "f32" ||
    !isReadInPlace(first)
  )
    return null;
  const most = Math.ceil(channels / stretches / GRAIN) * GRAIN;
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
    run: (p, part = 0, parts = 1) => {
      const between = p.workspace + part * workspaceBytes;
      const workspace = between + betweenBytes;
      const [from, to] = share(channels, part, parts, GRAIN);
      for (let n = 0; n < batch; n += 1) {
        for (let channel = from; channel < to; channel += most) {
          const count = Math.min(most, to - channel);
          const { wide, deep } = count === most ? whole : prepare(count);
          wide.run({
            x: p.x + n * inChannels * plane,
            weight: p.firstWeight + stripBytes(channel, inChannels),
            bias: p.firstBias && p.firstBias + channel * 4,
            out: between,
            workspace,
          });
          deep.run({
            x: between,
            weight: p.weight + channel * taps,
            bias: p.bias && p.bias + channel * 4,
            out: p.out + (n * channels + channel) * planeOut,
            workspace,
          });
        }
      }
    },
  };
}
