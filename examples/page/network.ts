import type { NdArray } from "sconce/reference";

const SVG = "http://www.w3.org/2000/svg";

function make(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.textContent = text;
  return node;
}

/** Layers of circles with their values, and a line for each weight. */
export function drawNetwork(layers: readonly number[][], weights: readonly NdArray[]): SVGElement {
  const [width, height] = [520, 320];
  const at = (layer: number, i: number): [number, number] => [
    70 + layer * ((width - 140) / (layers.length - 1)),
    (height * (i + 1)) / (layers[layer]!.length + 1),
  ];
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(make("title", {}, "The network with its values"));
  weights.forEach(({ data, shape: [rows, columns] }, layer) => {
    for (let k = 0; k < rows! * columns!; k += 1) {
      const [x1, y1] = at(layer, Math.floor(k / columns!));
      const [x2, y2] = at(layer + 1, k % columns!);
      const weight = data[k]!;
      const stroke = weight < 0 ? "#c2410c" : "#0f766e";
      const line = { x1, y1, x2, y2, stroke, "stroke-width": 0.5 + 4 * Math.abs(weight) };
      svg.append(make("line", { ...line, "stroke-opacity": 0.45 }));
    }
  });
  layers.forEach((values, layer) => {
    values.forEach((value, i) => {
      const [cx, cy] = at(layer, i);
      svg.append(make("circle", { cx, cy, r: 26, fill: "#fff", stroke: "#1c1917" }));
      const place = { x: cx, y: cy + 5, "text-anchor": "middle", "font-size": 14 };
      svg.append(make("text", place, value.toFixed(2)));
    });
  });
  return svg;
}
