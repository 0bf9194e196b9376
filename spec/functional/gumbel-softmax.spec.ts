import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose, expectNoLeak, expectTensor } from "../support/expect.js";

const F = nn.functional;

/** What PyTorch gives after `manual_seed(0); l = randn(2, 3)`, and its next random number. */
onEveryBackend("gumbelSoftmax draws PyTorch's numbers", (_backend, tolerance) => {
  const CASES = [
    {
      options: {},
      output: [0.92753, 0.0673897, 0.0050804, 0.7394255, 0.0798271, 0.1807474],
    },
    { options: { hard: true, tau: 0.5, dim: 0 }, output: [1, 1, 0, 0, 0, 1] },
  ];
  for (const { options, output } of CASES) {
    it(JSON.stringify(options), () => {
      nn.manualSeed(0);
      const logits = nn.randn(2, 3);
      expectNoLeak(() => {
        const sample = F.gumbelSoftmax(logits, options);
        expectClose(sample.dataSync(), output, tolerance, "sample");
        sample.dispose();
      });
      const next = nn.rand(1);
      expectClose(next.dataSync(), [0.4194083], tolerance, "next");
      tf.dispose([logits, next]);
    });
  }

  it("chooses the one class that there is", () => {
    for (const [shape, dim] of [
      [[3, 1], 1],
      [[1, 2], 0],
      [[], -1],
    ] as const) {
      const sample = F.gumbelSoftmax(tf.zeros([...shape]), { hard: true, dim });
      expectTensor(sample, { shape, values: sample.dataSync().map(() => 1) }, tolerance);
    }
  });
});
