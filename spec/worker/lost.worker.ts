/** A worker whose GPU is taken away and given back, as its page wishes. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { expose } from "sconce/worker";

// The library's own context is the one that a compiled model makes: tfjs has its own by now.
const contexts: WebGL2RenderingContext[] = [];
const prototype = OffscreenCanvas.prototype as unknown as Record<string, (...args: unknown[]) => unknown>; // prettier-ignore
const { getContext } = prototype;
prototype.getContext = function (...args) {
  const context = getContext!.apply(this, args);
  if (args[0] === "webgl2") contexts.push(context as WebGL2RenderingContext);
  return context;
};

const model = (x: tf.Tensor): tf.Tensor => tf.add(tf.mul(x, 2), 1);

export type Call = (
  what: "run" | "picture" | "lose" | "restore" | "contexts",
  on?: tf.Tensor | ImageBitmap,
) => tf.Tensor | number;

expose(async () => {
  const fast = await nn.compile(model, tf.zeros([1, 3, 4, 4]));
  const lose = contexts[0]?.getExtension("WEBGL_lose_context");
  const run = async (what: Parameters<Call>[0], on?: Parameters<Call>[1]): Promise<unknown> => {
    if (what === "contexts") return contexts.length;
    if (what === "lose") return void lose!.loseContext();
    if (what === "restore") {
      // A context can be given back only after the event that tells of its loss.
      while (contexts[0]!.isContextLost()) {
        lose!.restoreContext();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return;
    }
    if (what === "run") return fast.run(on as tf.Tensor);
    const x = nn.image(on as ImageBitmap, { size: [4, 4] });
    try {
      return await fast.run(x);
    } finally {
      x.dispose();
    }
  };
  return Object.assign(() => 0, { run });
});
