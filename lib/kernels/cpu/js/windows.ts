/** Depthwise convolution and pooling of planes in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { WindowsLibrary } from "../windows.js";
import type { WindowShape } from "../wasm/windows.js";

type Reduce = (
  memory: Float32Array,
  at: number,
  row: number,
  weight: number,
  start: number,
) => number;

/** One window; a loop of its own for each kind, so that each is compiled for what it does. */
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
      x, planes, plane, border, inside, height, width, row, multiplier, tapRow, lineRow, outH, outW,
      weight, bias, out, low, high, scale,
    ) => {
      const memory = heap.f32;
      let [target, w, b] = [out >>> 2, weight >>> 2, bias >>> 2];
      for (let index = 0; index < planes; index += 1) {
        let source = (x + index * plane) >>> 2;
        if (border) {
          for (let line = 0; line < height; line += 1) {
            const from = source + line * width;
            memory.copyWithin((inside + line * row) >>> 2, from, from + width);
          }
          source = border >>> 2;
        }
        for (let result = 0; result < multiplier; result += 1) {
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
      }
    }, // prettier-ignore
  };
}
