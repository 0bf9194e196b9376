import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose, expectTensor } from "../support/expect.js";
import { readJson } from "../support/files.js";

interface Golden {
  name: string;
  /** PyTorch's names; those of the layer, of the encoder, and whether it is called with a mask. */
  options: Partial<Record<string, string | number | boolean>>;
  dtype: "bool" | "float32";
  /** Of floats, -1e39 stands for -∞. */
  padding: number[];
  shape: number[];
  values: number[];
}

const goldens = await readJson<Golden[]>("goldens/nested.json");

function make({ options }: Golden): nn.TransformerEncoder {
  const layer = new nn.TransformerEncoderLayer(4, Number(options.nhead ?? 2), {
    dimFeedforward: 4,
    batchFirst: options.batch_first !== false,
    normFirst: options.norm_first === true,
    bias: options.bias !== false,
    activation: options.activation === "gelu" ? "gelu" : "relu",
  });
  const norm = options.norm ? new nn.LayerNorm(4) : null;
  const enableNestedTensor = options.enable_nested_tensor !== false;
  const model = new nn.TransformerEncoder(layer, 2, { norm, enableNestedTensor });
  if (norm) nn.init.ones_(norm.bias!);
  return model.eval();
}

onEveryBackend("Encoders of sequences that end early", (_backend, tolerance) => {
  for (const golden of goldens) {
    it(`give what PyTorch gives where ${golden.name}`, async () => {
      nn.manualSeed(0);
      const model = make(golden);
      const drawn = nn.randn(2, 3, 4);
      const x = golden.options.batch_first !== false ? drawn : tf.transpose(drawn, [1, 0, 2]);
      const srcKeyPaddingMask = tf.tensor2d(golden.padding, [2, 3], golden.dtype);
      const mask = golden.options.mask ? tf.zeros([3, 3]) : null;
      const { numTensors } = tf.memory();
      const y = model(x, { srcKeyPaddingMask, mask });
      expect(tf.memory().numTensors - numTensors, "its result alone").to.equal(1);
      expectTensor(y, { shape: golden.shape, values: golden.values }, tolerance);
      const fast = await nn.compile(
        (x: tf.Tensor, srcKeyPaddingMask: tf.Tensor) => model(x, { srcKeyPaddingMask, mask }),
        [x, srcKeyPaddingMask],
      );
      const compiled = await fast.run(x, srcKeyPaddingMask);
      expectClose(compiled.dataSync(), golden.values, tolerance, "compiled");
      fast.dispose();
      model.dispose();
      tf.dispose([drawn, x, srcKeyPaddingMask, mask ?? [], y, compiled]);
    });
  }

  it("compute what is ignored in training", () => {
    nn.manualSeed(0);
    const model = make(goldens[0]!);
    for (const layer of model.layers) layer.training = true;
    const x = nn.randn(2, 3, 4);
    const srcKeyPaddingMask = tf.tensor2d(goldens[0]!.padding, [2, 3], "bool");
    const y = model(x, { srcKeyPaddingMask });
    expect(y.dataSync()[2 * 4]).not.to.equal(0);
    model.dispose();
    tf.dispose([x, srcKeyPaddingMask, y]);
  });
});
