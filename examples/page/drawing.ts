/** Runs the compiled CNN on a drawing, a photo or the camera's picture. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { drawProbabilities, saying } from "./probabilities.js";
import { startSources } from "./sources.js";

const element = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!;

/** Makes one channel of three before the CNN, which takes greyscale pictures. */
class OnPictures extends nn.Module {
  constructor(readonly cnn: nn.Sequential) {
    super();
  }

  /** `(1, 3, 28, 28)` → the probabilities `(1, 10)`. */
  override forward(x: tf.Tensor): tf.Tensor {
    return nn.functional.softmax(this.cnn(tf.mean(x, 1, true)), { dim: 1 });
  }
}

/**
 * Normalisation for `nn.image` that swaps light and dark: the CNN was trained on light clothes on
 * black.
 */
const INVERTED = { mean: [1, 1, 1], std: [-1, -1, -1] };

export function startDrawing(cnn: nn.Sequential): { update(): void } {
  const model = new OnPictures(cnn);
  const invert = element<HTMLInputElement>("#invert");
  const verdict = element<HTMLOutputElement>("#drawing-verdict");
  let compiled: { backend: string; fast: nn.Compiled<OnPictures> } | null = null;
  let pictures = 0;
  let isStale = false;
  let working: Promise<void> | null = null;

  /** Compiles the model at first use, and again when the backend has changed. */
  const compile = async (): Promise<nn.Compiled<OnPictures>> => {
    const backend = tf.getBackend();
    if (compiled?.backend !== backend) {
      compiled?.fast.dispose();
      compiled = null;
      compiled = { backend, fast: await nn.compile(model, tf.zeros([1, 3, 28, 28])) };
    }
    return compiled.fast;
  };

  const classify = async (): Promise<void> => {
    const fast = await compile();
    const began = performance.now();
    // The picture can have any size. On webgl the GPU scales it to 28 × 28.
    const x = nn.image(shown(), { size: 28, crop: 28, ...(invert.checked ? INVERTED : {}) });
    const y = await fast.run(x);
    const probabilities = await y.data<"float32">();
    tf.dispose([x, y]);
    const took = (performance.now() - began).toFixed(1);
    pictures += 1;
    const { compiled: isCompiled, reason, steps } = fast.explain();
    const how = isCompiled ? `${steps} kernels, compiled for ${tf.getBackend()}` : `not compiled: ${reason}`; // prettier-ignore
    verdict.value = `${saying(probabilities)}. Picture ${pictures} took ${took} ms (${how}).`;
    element("#drawing-probabilities").replaceChildren(drawProbabilities(probabilities));
  };

  /**
   * Classifies the current picture. Of pictures that arrive while this runs, only the last is
   * classified.
   */
  const update = (): void => {
    isStale = true;
    working ??= catchUp();
  };
  const catchUp = async (): Promise<void> => {
    while (isStale) {
      isStale = false;
      await classify().catch((error: unknown) => (verdict.value = String(error)));
    }
    working = null;
  };
  /** Shows a problem after the classification in progress, whose verdict would replace it. */
  const tell = async (trouble: string): Promise<void> => {
    await working;
    verdict.value = trouble;
  };

  const shown = startSources(
    (isLight) => {
      invert.checked = isLight ?? invert.checked;
      update();
    },
    (text) => void tell(text),
  );
  invert.addEventListener("change", update);
  return { update };
}
