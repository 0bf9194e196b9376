import * as Plot from "@observablehq/plot";
import { CLASSES } from "../models/fashion.js";

/** "The network says Trouser (99.1 %)". */
export function saying(probabilities: Float32Array): string {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return `The network says ${CLASSES[best]} (${(100 * probabilities[best]!).toFixed(1)} %)`;
}

export function drawProbabilities(probabilities: Float32Array): Element {
  const rows = CLASSES.map((name, i) => ({ name, p: probabilities[i]! }));
  return Plot.plot({
    width: 520,
    height: 300,
    marginLeft: 90,
    x: { domain: [0, 1], label: "probability", grid: true },
    y: { label: null, domain: CLASSES },
    marks: [Plot.barX(rows, { x: "p", y: "name", fill: "#c2410c" }), Plot.ruleX([0])],
  });
}
