import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** The sigmoid as an SVG file. */
export function sigmoidSvg(points: readonly (readonly [number, number])[]): string {
  const { document } = parseHTML("<html></html>");
  const svg = Plot.plot({
    document: document,
    width: 640,
    height: 400,
    x: { label: "x", grid: true },
    y: { label: "sigmoid(x)", domain: [0, 1], grid: true },
    marks: [Plot.line(points, { stroke: "#c2410c", strokeWidth: 2 })],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return svg.outerHTML;
}
