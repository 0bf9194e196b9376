/** The lesson's network, live: its drawing, the sigmoid, and its parameters in both notations. */
import * as Plot from "@observablehq/plot";
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { formatShape, NdArray, Sigmoid } from "sconce/reference";
import { NNTorch } from "../models/lesson.js";
import { asReference } from "../models/reference.js";
import { drawNetwork } from "./network.js";

const element = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!;

export function startLesson(): { update(): void } {
  nn.manualSeed(0);
  const model = new NNTorch();
  const reference = asReference(model);
  const inputs = [...document.querySelectorAll<HTMLInputElement>("#x input")];
  const matrices = reference.params.filter(({ shape }) => shape.length === 2);

  element("#numpy").textContent = reference.params
    .map((param) => `${formatShape(param.shape)}\n${String(param)}`)
    .join("\n\n");
  element("#torch").textContent = model
    .parameters()
    .map((param) => `${nn.formatSize(param.shape)}\n${String(param)}`)
    .join("\n\n");

  const update = (): void => {
    const x = inputs.map((input) => input.valueAsNumber);
    inputs.forEach((input) => {
      (input.nextElementSibling as HTMLOutputElement).value = input.value;
    });
    const hidden: { before: Float32Array; after: Float32Array } = {
      before: new Float32Array(),
      after: new Float32Array(),
    };
    // A hook reads the inner values without a change to the model.
    const handle = model.sigmoid.registerForwardHook((_module, [before], after) => {
      hidden.before = (before as tf.Tensor).dataSync<"float32">();
      hidden.after = (after as tf.Tensor).dataSync<"float32">();
    });
    const y = tf.tidy(() => model(tf.tensor2d([x])).dataSync<"float32">());
    handle.remove();
    const exact = reference.predict(new NdArray([1, 2], Float64Array.from(x))).data;

    const values = [x, [...hidden.after], [...y]];
    element("#network").replaceChildren(drawNetwork(values, matrices));
    element("#sigmoid").replaceChildren(drawSigmoid(hidden.before, hidden.after));
    const difference = Math.max(...Array.from(exact, (value, i) => Math.abs(value - y[i]!)));
    element<HTMLOutputElement>("#difference").value = difference.toExponential(2);
  };
  element("#x").addEventListener("input", update);
  return { update };
}

function drawSigmoid(before: Float32Array, after: Float32Array): Element {
  const curve = Array.from({ length: 100 }, (_, i) => -8 + (16 * i) / 99);
  const sigmoid = new Sigmoid();
  const line = sigmoid.forward(new NdArray([100], Float64Array.from(curve))).data;
  return Plot.plot({
    width: 520,
    height: 320,
    x: { label: "x", domain: [-8, 8], grid: true },
    y: { label: "sigmoid(x)", domain: [0, 1], grid: true },
    marks: [
      Plot.line(curve, { x: curve, y: line, stroke: "#78716c", strokeWidth: 2 }),
      Plot.dot(after, { x: before, y: after, fill: "#c2410c", r: 5 }),
    ],
  });
}
