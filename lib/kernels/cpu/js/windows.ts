/** Depthwise convolution and pooling of planes in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { DepthwiseLibrary, WindowsLibrary } from "../windows.js";
import type { DepthwiseShape } from "../wasm/depthwise.js";
import type { WindowShape } from "../wasm/windows.js";

type Reduce = (memory: Float32Array, at: number, row: number) => number;

/** One window; a loop of its own for each kind, so that each is compiled for what it does. */
const REDUCE: Record<WindowShape["kind"], (shape: WindowShape) => Reduce> = {
  max:
    ({ kernelH, kernelW, dilationW }) =>
    (memory, at, row) => {
      let most = -Infinity;
      for (let i = 0; i < kernelH; i += 1) {
        for (let j = 0; j < kernelW; j += 1) {
          most = Math.max(most, memory[at + i * row + j * dilationW]!);
        }
      }
      return most;
    },
  sum:
    ({ kernelH, kernelW, dilationW }) =>
    (memory, at, row) => {
      let sum = 0;
      for (let i = 0; i < kernelH; i += 1) {
        for (let j = 0; j < kernelW; j += 1) sum += memory[at + i * row + j * dilationW]!;
      }
      return sum;
    },
};

export function windowsInJs(heap: Heap, shape: WindowShape): WindowsLibrary {
  const { kind, strideW } = shape;
  const reduce = REDUCE[kind](shape);
  return {
    run: (
      x, planes, plane, border, inside, height, width, row, tapRow, lineRow, outH, outW, out, scale,
    ) => {
      const memory = heap.f32;
      let target = out >>> 2;
      for (let index = 0; index < planes; index += 1) {
        let source = (x + index * plane) >>> 2;
        if (border) {
          for (let line = 0; line < height; line += 1) {
            const from = source + line * width;
            memory.copyWithin((inside + line * row) >>> 2, from, from + width);
          }
          source = border >>> 2;
        }
        for (let line = 0; line < outH; line += 1) {
          for (let column = 0; column < outW; column += 1) {
            const at = source + line * (lineRow >>> 2) + column * strideW;
            const value = reduce(memory, at, tapRow >>> 2);
            memory[target] = kind === "sum" ? value * scale : value;
            target += 1;
          }
        }
      }
    }, // prettier-ignore
  };
}

/** One place of a depthwise convolution after the other, the taps that are inside. */
export function depthwiseInJs(heap: Heap, shape: DepthwiseShape): DepthwiseLibrary {
  const { kernelH, kernelW, strideW, dilationW } = shape;
  return {
    run: (
      x, planes, height, width, top, left, strideH, dilationH, multiplier, outH, outW, weight, bias, out,
      _, low, high,
    ) => {
      const memory = heap.f32;
      const [source, weights] = [x >>> 2, weight >>> 2];
      let target = out >>> 2;
      for (let result = 0; result < planes * multiplier; result += 1) {
        const plane = source + Math.floor(result / multiplier) * height * width;
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
