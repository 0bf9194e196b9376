/**
 * torchvision's ops for detection, in JavaScript. What selects boxes, grids and cells is rounded to
 * float32 where torchvision's CPU code rounds, because the last bit may decide.
 */
import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { matmul } from "./matmul.js";
import { beforeIn, inOrder } from "./sorting.js";
import { defineOps } from "./support/define.js";
import { valuesOf } from "./support/host.js";

const f = Math.fround;

/**
 * The boxes `x1 y1 x2 y2` that are kept, by descending score: those that overlap no better box too
 * much.
 */
const nms = /* @__PURE__ */ op(
  "nms",
  (boxes: tf.Tensor, scores: tf.Tensor, threshold: number): tf.Tensor => {
    const [at, score] = [valuesOf(boxes), valuesOf(scores)];
    const area = (i: number): number =>
      f(f(at[4 * i + 2]! - at[4 * i]!) * f(at[4 * i + 3]! - at[4 * i + 1]!));
    const overlap = (i: number, j: number): number => {
      const side = (low: number, high: number): number =>
        f(Math.max(0, Math.min(at[4 * i + high]!, at[4 * j + high]!) - Math.max(at[4 * i + low]!, at[4 * j + low]!))); // prettier-ignore
      const shared = f(side(0, 2) * side(1, 3));
      return f(shared / f(f(area(i) + area(j)) - shared));
    };
    const kept: number[] = [];
    const order = inOrder(
      Array.from(score, (_, i) => i),
      beforeIn(score, true),
    );
    for (const i of order) if (!kept.some((j) => overlap(i, j) > threshold)) kept.push(i);
    return tf.tensor1d(kept, "int32");
  },
);

/** The four neighbours of a position with their weights; `null` if it is too far outside. */
type Neighbours = readonly (readonly [place: number, weight: number])[];

/** As in roi_align: positions up to one outside count as the border. */
function nearBorder(y: number, x: number, height: number, width: number): Neighbours {
  if (y < -1 || y > height || x < -1 || x > width) return [];
  const axis = (value: number, size: number): [low: number, high: number, part: number] => {
    const inside = Math.max(value, 0);
    const low = Math.min(Math.trunc(inside), size - 1);
    return low >= size - 1 ? [low, low, 0] : [low, low + 1, inside - low];
  };
  const [[top, bottom, down], [left, right, over]] = [axis(y, height), axis(x, width)];
  return [
    [top * width + left, (1 - down) * (1 - over)],
    [top * width + right, (1 - down) * over],
    [bottom * width + left, down * (1 - over)],
    [bottom * width + right, down * over],
  ];
}

/** As in deform_conv2d: outside there are zeros. */
function overZeros(y: number, x: number, height: number, width: number): Neighbours {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, over] = [y - top, x - left];
  const corners = [
    [top, left, (1 - down) * (1 - over)],
    [top, left + 1, (1 - down) * over],
    [top + 1, left, down * (1 - over)],
    [top + 1, left + 1, down * over],
  ] as const;
  return corners.flatMap(([row, column, weight]) =>
    row >= 0 && row < height && column >= 0 && column < width
      ? [[row * width + column, weight] as const]
      : [],
  );
}

type Box = readonly [image: number, x1: number, y1: number, x2: number, y2: number];

/** For each box, `image x1 y1 x2 y2`, the values of its cells, channel by channel. */
function cellsOf(
  input: tf.Tensor,
  rois: tf.Tensor,
  [rows, columns]: readonly [number, number],
  read: (box: Box, plane: (channel: number) => Float32Array, store: Store) => void,
): Float32Array {
  const [, channels, height, width] = input.shape as [number, number, number, number];
  const [values, boxes] = [valuesOf(input) as Float32Array, valuesOf(rois)];
  const count = rois.shape[0];
  const result = new Float32Array(count * channels * rows * columns);
  for (let k = 0; k < count; k += 1) {
    const box = [...boxes.subarray(5 * k, 5 * k + 5)] as unknown as Box;
    const plane = (channel: number): Float32Array => {
      const at = (box[0] * channels + channel) * height * width;
      return values.subarray(at, at + height * width);
    };
    read(box, plane, (channel, row, column, value) => {
      result[((k * channels + channel) * rows + row) * columns + column] = value;
    });
  }
  return result;
}

type Store = (channel: number, row: number, column: number, value: number) => void;

/** Averages of sampled positions in the cells of boxes. */
const roiAlign = /* @__PURE__ */ op(
  "roi_align",
  (
    input: tf.Tensor,
    rois: tf.Tensor,
    scale: number,
    rows: number,
    columns: number,
    ratio: number,
    aligned: boolean,
  ): tf.Tensor => {
    const [, channels, height, width] = input.shape as [number, number, number, number];
    const offset = aligned ? 0.5 : 0;
    const values = cellsOf(input, rois, [rows, columns], ([, x1, y1, x2, y2], plane, store) => {
      const edge = (one: number): number => f(f(one * f(scale)) - offset);
      const [left, top] = [edge(x1), edge(y1)];
      const least = aligned ? -Infinity : 1;
      const wide = Math.max(f(edge(x2) - left), least);
      const high = Math.max(f(edge(y2) - top), least);
      const down = ratio > 0 ? ratio : Math.ceil(f(high / rows));
      const over = ratio > 0 ? ratio : Math.ceil(f(wide / columns));
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1) {
          const places: (readonly [number, number])[] = [];
          for (let i = 0; i < down; i += 1) {
            const y = top + ((row + (i + 0.5) / down) * high) / rows;
            for (let j = 0; j < over; j += 1) {
              const x = left + ((column + (j + 0.5) / over) * wide) / columns;
              places.push(...nearBorder(y, x, height, width));
            }
          }
          for (let channel = 0; channel < channels; channel += 1) {
            const of = plane(channel);
            const sum = places.reduce((total, [place, weight]) => total + weight * of[place]!, 0);
            store(channel, row, column, sum / Math.max(1, down * over));
          }
        }
      }
    });
    return tf.tensor(values, [rois.shape[0], channels, rows, columns]);
  },
);

/** The maximum in each cell of boxes that are rounded to integers, and its index. */
const roiPool = /* @__PURE__ */ op(
  "roi_pool",
  (
    input: tf.Tensor,
    rois: tf.Tensor,
    scale: number,
    rows: number,
    columns: number,
  ): tf.Tensor[] => {
    const [, channels, height, width] = input.shape as [number, number, number, number];
    const shape = [rois.shape[0], channels, rows, columns];
    const found = new Int32Array(tf.util.sizeFromShape(shape));
    let next = 0;
    const values = cellsOf(input, rois, [rows, columns], ([, ...corners], plane, store) => {
      // As C's `round`: ties away from zero.
      const [x1, y1, x2, y2] = corners.map((one) => Math.sign(one) * Math.round(Math.abs(f(one * f(scale))))) as [number, number, number, number]; // prettier-ignore
      const span = (low: number, high: number, i: number, n: number, size: number): number[] => {
        const cell = f(Math.max(high - low + 1, 1) / n);
        const within = (value: number): number => Math.min(Math.max(value + low, 0), size);
        return [within(Math.floor(f(i * cell))), within(Math.ceil(f((i + 1) * cell)))];
      };
      for (let channel = 0; channel < channels; channel += 1) {
        const of = plane(channel);
        for (let row = 0; row < rows; row += 1) {
          const [top, bottom] = span(y1, y2, row, rows, height) as [number, number];
          for (let column = 0; column < columns; column += 1) {
            const [left, right] = span(x1, x2, column, columns, width) as [number, number];
            let [most, at] = [bottom <= top || right <= left ? 0 : -Infinity, -1];
            for (let y = top; y < bottom; y += 1) {
              for (let x = left; x < right; x += 1) {
                if (of[y * width + x]! > most) [most, at] = [of[y * width + x]!, y * width + x];
              }
            }
            store(channel, row, column, most);
            found[next] = at;
            next += 1;
          }
        }
      }
    });
    return [tf.tensor(values, shape), tf.tensor(found, shape, "int32")];
  },
);

/** The values under the kernel at each position, `(N, C · kh · kw, oh · ow)`. */
const deformedColumns = /* @__PURE__ */ op(
  "deform_columns",
  (
    input: tf.Tensor,
    offset: tf.Tensor,
    mask: tf.Tensor | null,
    [high, wide]: readonly [number, number],
    [strides, pads, dilations]: readonly (readonly [number, number])[],
    groups: number,
  ): tf.Tensor => {
    const [batch, channels, height, width] = input.shape as [number, number, number, number];
    const [rows, columns] = offset.shape.slice(2) as [number, number];
    const [values, offsets] = [valuesOf(input), valuesOf(offset)];
    const masks = mask && valuesOf(mask);
    const [taps, size, each] = [high * wide, rows * columns, channels / groups];
    const result = new Float32Array(batch * channels * taps * size);
    for (let b = 0; b < batch; b += 1) {
      for (let group = 0; group < groups; group += 1) {
        for (let tap = 0; tap < taps; tap += 1) {
          const first = (b * groups + group) * taps + tap;
          for (let place = 0; place < size; place += 1) {
            const [row, column] = [Math.floor(place / columns), place % columns];
            const y = row * strides![0] - pads![0] + Math.floor(tap / wide) * dilations![0] + offsets[2 * first * size + place]!; // prettier-ignore
            const x = column * strides![1] - pads![1] + (tap % wide) * dilations![1] + offsets[(2 * first + 1) * size + place]!; // prettier-ignore
            const near = overZeros(y, x, height, width);
            const share = masks ? masks[first * size + place]! : 1;
            for (let channel = group * each; channel < (group + 1) * each; channel += 1) {
              const from = (b * channels + channel) * height * width;
              const sum = near.reduce((total, [at, weight]) => total + weight * values[from + at]!, 0); // prettier-ignore
              result[((b * channels + channel) * taps + tap) * size + place] = share * sum;
            }
          }
        }
      }
    }
    return tf.tensor(result, [batch, channels * taps, size]);
  },
);

function deformConv2d(
  input: tf.Tensor,
  weight: tf.Tensor,
  offset: tf.Tensor,
  mask: tf.Tensor,
  bias: tf.Tensor,
  strideH: number,
  strideW: number,
  padH: number,
  padW: number,
  dilationH: number,
  dilationW: number,
  groups: number,
  offsetGroups: number,
  useMask: boolean,
): tf.Tensor {
  const [out, , high, wide] = weight.shape as [number, number, number, number];
  const [rows, columns] = offset.shape.slice(2) as [number, number];
  const places = [[strideH, strideW], [padH, padW], [dilationH, dilationW]] as const; // prettier-ignore
  const met = deformedColumns(input, offset, useMask ? mask : null, [high, wide], places, offsetGroups); // prettier-ignore
  const grouped = tf.reshape(met, [input.shape[0], groups, -1, rows * columns]);
  const kernels = tf.reshape(weight, [1, groups, out / groups, -1]);
  const product = tf.reshape(matmul(kernels, grouped), [input.shape[0], out, rows, columns]);
  return tf.add(product, tf.reshape(bias, [1, out, 1, 1]));
}

export const visionOps = defineOps({
  "torchvision.nms.default(dets, scores, iou_threshold)": nms,
  "torchvision.roi_align.default(input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned)":
    roiAlign,
  "torchvision.roi_pool.default(input, rois, spatial_scale, pooled_height, pooled_width)": roiPool,
  "torchvision.deform_conv2d.default(input, weight, offset, mask, bias, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups, offset_groups, use_mask)":
    deformConv2d,
});
