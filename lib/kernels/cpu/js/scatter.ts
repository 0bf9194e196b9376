/** Adding patches up in plain JavaScript. */
import type { ScatterLibrary } from "../conv-transpose.js";
import type { Heap } from "../heap.js";

export function scatterInJs(heap: Heap): ScatterLibrary {
  return {
    fill: (out, planes, n, values) => {
      const memory = heap.f32;
      for (let plane = 0; plane < planes; plane += 1) {
        const value = values ? memory[(values >>> 2) + plane]! : 0;
        memory.fill(value, (out >>> 2) + plane * n, (out >>> 2) + (plane + 1) * n);
      }
    },
    scatter: (...args) => scatter(heap.f32, ...args),
  };
}

function scatter(
  memory: Float32Array,
  ...[
    patches,
    patchRow,
    channels,
    kernelD,
    kernelH,
    kernelW,
    dilationD,
    dilationH,
    dilationW,
    strideD,
    strideH,
    strideW,
    paddingD,
    paddingH,
    paddingW,
    first,
    count,
    inH,
    inW,
    outD,
    outH,
    outW,
    out,
  ]: Parameters<ScatterLibrary["scatter"]>
): void {
  let row = patches >>> 2;
  for (let channel = 0; channel < channels; channel += 1) {
    const plane = (out >>> 2) + channel * outD * outH * outW;
    for (let tap = 0; tap < kernelD * kernelH * kernelW; tap += 1) {
      const kw = tap % kernelW;
      const kh = Math.floor(tap / kernelW) % kernelH;
      const kd = Math.floor(tap / kernelW / kernelH);
      for (let i = 0; i < count; i += 1) {
        const column = (first + i) % inW;
        const line = Math.floor((first + i) / inW);
        const ow = column * strideW + kw * dilationW - paddingW;
        const oh = (line % inH) * strideH + kh * dilationH - paddingH;
        const od = Math.floor(line / inH) * strideD + kd * dilationD - paddingD;
        if (ow < 0 || oh < 0 || od < 0 || ow >= outW || oh >= outH || od >= outD) continue;
        memory[plane + (od * outH + oh) * outW + ow]! += memory[row + i]!;
      }
      row += patchRow >>> 2;
    }
  }
}
