/** Borders and patches in plain JavaScript, with the layouts of wasm/image.ts. */
import type { Heap } from "../heap.js";
import type { ImageLibrary } from "../image.js";

export function imageInJs(heap: Heap): ImageLibrary {
  return {
    pad: (x, planes, plane, rows, width, to, top, bottom, left, right, value) => {
      const memory = heap.f32;
      let at = to >>> 2;
      const fill = (count: number): void => {
        memory.fill(value, at, at + count);
        at += count;
      };
      for (let i = 0; i < planes; i += 1) {
        fill(top * (left + width + right));
        let from = (x + i * plane) >>> 2;
        for (let row = 0; row < rows; row += 1) {
          fill(left);
          memory.copyWithin(at, from, from + width);
          at += width;
          from += width;
          fill(right);
        }
        fill(bottom * (left + width + right));
      }
    },
    patches: (...args) => patches(heap.f32, ...args),
  };
}

function patches(
  memory: Float32Array,
  ...[
    x,
    channels,
    plane,
    kernelD,
    kernelH,
    kernelW,
    tapD,
    tapH,
    tapW,
    first,
    count,
    outH,
    outW,
    strideD,
    strideH,
    strideW,
    to,
  ]: Parameters<ImageLibrary["patches"]>
): void {
  const depthOfK = channels * kernelD * kernelH * kernelW;
  for (let i = 0; i < Math.ceil(count / 8) * 8; i += 1) {
    const pixel = first + Math.min(i, count - 1);
    const line = Math.floor(pixel / outW);
    const at =
      Math.floor(line / outH) * strideD + (line % outH) * strideH + (pixel % outW) * strideW;
    let target = (to >>> 2) + (i >> 3) * depthOfK * 8 + (i & 7);
    for (let channel = 0; channel < channels; channel += 1) {
      for (let kd = 0; kd < kernelD; kd += 1) {
        for (let kh = 0; kh < kernelH; kh += 1) {
          let from = (x + at + channel * plane + kd * tapD + kh * tapH) >>> 2;
          for (let kw = 0; kw < kernelW; kw += 1) {
            memory[target] = memory[from]!;
            target += 8;
            from += tapW >> 2;
          }
        }
      }
    }
  }
}
