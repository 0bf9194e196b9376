/** Depthwise convolution and pooling of one plane in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { WindowsLibrary } from "../windows.js";
import type { WindowShape } from "../wasm/windows.js";

export function windowsInJs(heap: Heap, shape: WindowShape): WindowsLibrary {
  const { kind, kernelH, kernelW, strideW, dilationW } = shape;
  return {
    run: (x, tapRow, lineRow, outH, outW, weight, bias, out, low, high, scale) => {
      const memory = heap.f32;
      const start = kind === "max" ? -Infinity : bias ? memory[bias >>> 2]! : 0;
      let target = out >>> 2;
      for (let line = 0; line < outH; line += 1) {
        for (let column = 0; column < outW; column += 1) {
          let sum = start;
          for (let i = 0; i < kernelH; i += 1) {
            let at = ((x + line * lineRow + i * tapRow) >>> 2) + column * strideW;
            for (let j = 0; j < kernelW; j += 1) {
              const value = memory[at]!;
              if (kind === "depthwise") sum += value * memory[(weight >>> 2) + i * kernelW + j]!;
              else sum = kind === "max" ? Math.max(sum, value) : sum + value;
              at += dilationW;
            }
          }
          if (kind === "sum") sum *= scale;
          memory[target] = kind !== "depthwise" ? sum : sum < low ? low : sum > high ? high : sum;
          target += 1;
        }
      }
    },
  };
}
