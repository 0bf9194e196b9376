import { eachRow, type ProgramSource } from "../program.js";

export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/**
 * The index of the element that is shown at a position outside of the image; `n` is the image's
 * size.
 */
const INSIDE: Readonly<Record<PadMode, string>> = {
  constant: "i",
  reflect: "i < 0 ? -i : i >= n ? 2 * n - 2 - i : i",
  replicate: "clamp(i, 0, n - 1)",
  circular: "i < 0 ? i + n : i >= n ? i - n : i",
};

/** Images `(N, H, W, C)` with a border; negative sizes crop. */
export function padProgram(mode: PadMode, masked: boolean): ProgramSource {
  return {
    tensors: ["x"],
    ints: ["inH", "inW", "outH", "outW", "top", "left"],
    floats: ["value"],
    head: `int inside(int i, int n) { return ${INSIDE[mode]}; }\n`,
    masked,
    body: eachRow(
      (r) => `
  {
    int p = min(row + ${r}, outRows - 1);
    int line = p / outW;
    int n = line / outH;
    int h = inside(line - n * outH - top, inH), w = inside(p - line * outW - left, inW);
    bool isIn = h >= 0 && h < inH && w >= 0 && w < inW;
    y[${r}] = isIn ? at(x, (n * inH + h) * inW + w, group) : vec4(value);
  }`,
    ),
  };
}
