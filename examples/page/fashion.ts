/** The Fashion-MNIST CNN on held-out pictures. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { CLASSES, makeCnn } from "../models/fashion.js";
import { drawProbabilities, saying } from "./probabilities.js";

const element = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!;
const asset = (name: string): URL => new URL(`./fashion/${name}`, document.baseURI);

/** How many of the 1,000 pictures are offered. */
const OFFERED = 12;
const PIXELS = 28 * 28;

export async function startFashion(): Promise<{ model: nn.Sequential; update(): void }> {
  const [weights, test] = await Promise.all([
    nn.load(asset("cnn.safetensors")),
    nn.load(asset("test1000.npz")),
  ]);
  const model = nn.meta(makeCnn);
  model.loadStateDict(weights);
  const images = test.get("images")!.toFloat32();
  const labels = test.get("labels")!.toFloat32();
  let chosen = 0;

  const buttons = Array.from({ length: OFFERED }, (_, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.role = "option";
    button.ariaLabel = CLASSES[labels[i]!]!;
    button.append(drawPicture(images.subarray(i * PIXELS, (i + 1) * PIXELS)));
    button.addEventListener("click", () => {
      chosen = i;
      update();
    });
    return button;
  });
  element("#pictures").replaceChildren(...buttons);

  const update = (): void => {
    const pixels = images.slice(chosen * PIXELS, (chosen + 1) * PIXELS);
    const probabilities = tf.tidy(() => {
      const x = tf.div(tf.tensor(pixels, [1, 1, 28, 28]), 255);
      return tf.softmax(model(x)).dataSync<"float32">();
    });
    buttons.forEach((button, i) => (button.ariaSelected = String(i === chosen)));
    element("#probabilities").replaceChildren(drawProbabilities(probabilities));
    element<HTMLOutputElement>("#verdict").value =
      `${saying(probabilities)}; the label is ${CLASSES[labels[chosen]!]}.`;
  };
  return { model, update };
}

function drawPicture(pixels: Float32Array): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  const image = new ImageData(28, 28);
  pixels.forEach((value, i) => image.data.set([value, value, value, 255], i * 4));
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}
