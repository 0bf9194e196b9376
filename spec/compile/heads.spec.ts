import type * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectSame } from "../support/graphs.js";

type Shape = [number, number, number, number];

const CASES: [string, Shape, Shape, Shape][] = [
  ["one head of keys and values for all queries", [2, 4, 5, 8], [2, 1, 6, 8], [2, 1, 6, 8]],
  ["one head of values", [2, 4, 5, 8], [2, 4, 6, 8], [2, 1, 6, 8]],
  ["one head of keys", [2, 4, 5, 8], [2, 1, 6, 8], [2, 4, 6, 8]],
  ["one head of queries", [2, 1, 5, 8], [2, 4, 6, 8], [2, 4, 6, 8]],
  ["one batch of values", [2, 4, 5, 8], [2, 4, 6, 8], [1, 4, 6, 8]],
  ["one batch of keys", [2, 4, 5, 8], [1, 4, 6, 8], [2, 4, 6, 8]],
];

onEveryBackend("Attention that broadcasts, compiled", (name, tolerance) => {
  for (const [what, ...shapes] of CASES) {
    it(`${what}: the same numbers`, async () => {
      nn.manualSeed(4);
      const [q, k, v] = shapes.map((shape) => nn.randn(shape)) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const model = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor): tf.Tensor =>
        F.scaledDotProductAttention(a, b, c);
      const fast = await nn.compile(model, [q, k, v]);
      expect(fast.explain().compiled, String(fast.explain())).to.equal(true);
      expectSame(fast(q, k, v), model(q, k, v), tolerance, what);
      // As Falcon has it.
      if (shapes[1][1] === 1 && shapes[2][1] === 1) {
        expect(fast.explain().fallbacks, `${name}: ${String(fast.explain())}`).to.eql([]);
      }
      fast.dispose();
    });
  }
});
