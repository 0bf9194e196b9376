import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectSame } from "../support/graphs.js";

const make = (): nn.Sequential =>
  new nn.Sequential(
    nn.utils.spectralNorm(new nn.Conv2d(3, 4, 3)),
    new nn.ReLU(),
    nn.utils.spectralNorm(new nn.Conv2d(4, 2, 1)),
  );

onEveryBackend("A model with spectralNorm, compiled", (name, tolerance) => {
  it("is compiled, though its hooks wait for training", async () => {
    nn.manualSeed(5);
    const model = make();
    const x = nn.randn(1, 3, 8, 8);
    const fast = await nn.compile(model, x);
    const agree = (what: string): void => {
      const [got, want] = [fast(x), model(x)];
      expectSame(got, want, tolerance, what);
      tf.dispose([got, want]);
    };
    agree("at first");
    expect(fast.explain().compiled, String(fast.explain())).to.equal(true);
    // The weights are computed beforehand, and ReLU is the first convolution's last step.
    if (name === "cpu") expect(String(fast.explain())).to.equal("2 kernel calls, 0 of them tfjs ops"); // prettier-ignore

    const other = make();
    model.loadStateDict(other.stateDict());
    agree("with other weights");

    model.train();
    const before = (model.stateDict().get("0.weight_u") as tf.Tensor).dataSync().slice();
    fast(x).dispose();
    const after = (model.stateDict().get("0.weight_u") as tf.Tensor).dataSync().slice();
    expect(after).not.to.deep.equal(before);
    model.eval();
    agree("after training");
    expect(fast.explain().compiled).to.equal(true);

    const handle = model.registerForwardHook((_, args, y) =>
      args.length > 0 ? tf.neg(y as tf.Tensor) : y,
    );
    agree("with a hook");
    expect(fast.explain().compiled).to.equal(false);
    handle.remove();
    agree("without it");
    fast.dispose();
  });
});
