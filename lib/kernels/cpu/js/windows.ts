/** Depthwise convolution and pooling of planes in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { DepthwiseLibrary, WindowsLibrary } from "../windows.js";
import type { DepthwiseShape } from "../wasm/depthwise.js";
import type { WindowShape } from "../wasm/windows.js";

type Reduce = (
  memory: Float32Array,
  at: number,
  row: number,
  weight: number,
  start: number,
) => number;

/**
 * Reduces one window. Each kind has a loop of its own, so that engines optimise each separately.
 */
const REDUCE: Record<WindowShape["kind"], (shape: WindowShape) => Reduce> = {
  depthwise:
    ({ kernelH, kernelW, dilationW }) =>
    (memory, at, row, weight, start) => {
      let [sum, w] = [start, weight];
      for (let i = 0; i < kernelH; i += 1) {
        let from = at + i * row;
        for (let j = 0; j < kernelW; j += 1) {
          sum += memory[from]! * memory[w]!;
          from += dilationW;
          w += 1;
        }
      }
      return sum;
    },
  max:
    ({ kernelH, kernelW, dilationW }) =>
    (memory, at, row, _, start) => {
      let most = start;
      for (let i = 0; i < kernelH; i += 1) {
        for (let j = 0; j < kernelW; j += 1) {
          most = Math.max(most, memory[at + i * row + j * dilationW]!);
        }
      }
      return most;
    },
  sum:
    ({ kernelH, kernelW, dilationW }) =>
    (memory, at, row, _, start) => {
      let sum = start;
      for (let i = 0; i < kernelH; i += 1) {
        for (let j = 0; j < kernelW; j += 1) sum += memory[at + i * row + j * dilationW]!;
      }
      return sum;
    },
};

export function windowsInJs(heap: Heap, shape: WindowShape): WindowsLibrary {
  const { kind, kernelH, kernelW, strideW } = shape;
  const reduce = REDUCE[kind](shape);
  return {
    run: (
      x, planes, plane, tapRow, lineRow, outH, outW, weight, bias, out, low, high, scale,
    ) => {
      const memory = heap.f32;
      let [target, w, b] = [out >>> 2, weight >>> 2, bias >>> 2];
      for (let index = 0; index < planes; index += 1) {
        const source = (x + index * plane) >>> 2;
        const start = kind === "max" ? -Infinity : bias ? memory[b]! : 0;
        for (let line = 0; line < outH; line += 1) {
          for (let column = 0; column < outW; column += 1) {
            const at = source + line * (lineRow >>> 2) + column * strideW;
            let sum = reduce(memory, at, tapRow >>> 2, w, start);
            if (kind === "sum") sum *= scale;
            memory[target] = kind !== "depthwise" ? sum : sum < low ? low : sum > high ? high : sum;
            target += 1;
          }
        }
        w += kernelH * kernelW;
        b += 1;
      }
    }, // prettier-ignore
  };
}

/** Results one after the other, each summed over the taps that are inside. */
export function depthwiseInJs(heap: Heap, shape: DepthwiseShape): DepthwiseLibrary {
  const { kernelH, kernelW, strideW, dilationW } = shape;
  return {
    run: (
      x, planes, height, width, top, left, strideH, dilationH, outH, outW, weight, bias, out,
      _, low, high,
    ) => {
      const memory = heap.f32;
      const [source, weights] = [x >>> 2, weight >>> 2];
      let target = out >>> 2;
      for (let result = 0; result < planes; result += 1) {
        const plane = source + result * height * width;
        const start = bias ? memory[(bias >>> 2) + result]! : 0;
        for (let line = -top; line < outH * strideH - top; line += strideH) {
          for (let column = -left; column < outW * strideW - left; column += strideW) {
            let [sum, w] = [start, weights + result * kernelH * kernelW];
            for (let i = 0; i < kernelH; i += 1) {
              const h = line + i * dilationH;
              const from = plane + h * width;
              for (let j = 0; j < kernelW; j += 1) {
                const at = column + j * dilationW;
                if (h >= 0 && h < height && at >= 0 && at < width) sum += memory[from + at]! * memory[w]!;
                w += 1;
              }
            }
            memory[target] = sum < low ? low : sum > high ? high : sum;
            target += 1;
          }
        }
      }
    }, // prettier-ignore
  };
}
