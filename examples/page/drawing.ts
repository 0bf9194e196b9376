/** The CNN, compiled, on what you draw, on a photo or on what your camera sees. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { drawProbabilities, saying } from "./probabilities.js";
import { startSources } from "./sources.js";

const element = <T extends Element>(selector: string): T => document.querySelector<T>(selector)!;

/** The CNN takes one channel; this takes colours. */
class OnPictures extends nn.Module {
  constructor(readonly cnn: nn.Sequential) {
    super();
  }

  /** `(1, 3, 28, 28)` → the probabilities `(1, 10)`. */
  override forward(x: tf.Tensor): tf.Tensor {
    return nn.functional.softmax(this.cnn(tf.mean(x, 1, true)), { dim: 1 });
  }
}

/** As `nn.image` normalises, these turn light to dark: the CNN knows light clothes on black. */
const INVERTED = { mean: [1, 1, 1], std: [-1, -1, -1] };

export function startDrawing(cnn: nn.Sequential): { update(): void } {
  const model = new OnPictures(cnn);
  const invert = element<HTMLInputElement>("#invert");
  const verdict = element<HTMLOutputElement>("#drawing-verdict");
  let compiled: { backend: string; fast: nn.Compiled<OnPictures> } | null = null;
  let pictures = 0;
  let isStale = false;
  let working: Promise<void> | null = null;

  /** Compiled when it is first needed, and anew for another backend. */
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
    // A picture of any size; on webgl the GPU makes it 28 × 28.
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

  /** Shows the network what there is now; of all that comes meanwhile, it is shown the last. */
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
  /** Behind the verdict on what came before, which would hide it. */
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
