import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";

type Shape = [number, number, number, number];
type Four = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

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

  it("attention by hand is computed in parts where its batches broadcast", async () => {
    nn.manualSeed(6);
    type Row = [q: number[], k: number[], v: number[], mask: number[]];
    const rows: Row[] = [
      [[3, 2, 3, 8], [3, 1, 5, 8], [3, 2, 5, 8], [5]],
      [[2, 2, 3, 8], [1, 1, 5, 8], [2, 1, 5, 8], [2, 1, 1, 5]],
      [[2, 2, 4, 3, 8], [2, 2, 1, 5, 8], [2, 2, 1, 5, 8], [2, 1, 1, 1, 5]],
    ]; // prettier-ignore
    for (const [shapes, mask] of rows.map((row) => [row.slice(0, 3), row[3]] as const)) {
      const args = [...shapes, mask].map((shape) => nn.randn(shape));
      const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, given: tf.Tensor): tf.Tensor =>
        tf.matMul(tf.softmax(tf.add(tf.matMul(q, k, false, true), given)), v);
      const fast = await compiled(attend, args);
      expect(fast.explain().fallbacks, String(shapes)).to.eql([]);
      const lead = shapes.map((shape) => shape.slice(0, -2)).reduce((a, b) => tf.backend_util.assertAndGetBroadcastShape(a, b)); // prettier-ignore
      const wide = args.map((x, i) => (i < 3 ? tf.broadcastTo(x, [...lead, ...x.shape.slice(-2)]) : x)); // prettier-ignore
      expectSame(fast(...(args as Four)), attend(...(wide as Four)), tolerance, String(shapes));
      fast.dispose();
    }
  });

  it("products by hand pair what broadcasts as PyTorch does", async () => {
    nn.manualSeed(5);
    const leads = [[[2, 1], [2, 3]], [[2, 3], [2, 1]], [[1, 3], [2, 1]], [[2, 3, 1], [2, 1, 2]], [[1, 1], [2, 3]], [[2, 3], [1, 1]], [[3], [2, 1]], [[2, 1], [3]], [[], [2, 3]], [[2, 3], []]]; // prettier-ignore
    for (const transpose of [false, true]) {
      for (const [one, two] of leads as [number[], number[]][]) {
        const a = nn.randn([...one, ...(transpose ? [5, 6] : [6, 5])]);
        const b = nn.randn([...two, ...(transpose ? [7, 5] : [5, 7])]);
        const product = (x: tf.Tensor, y: tf.Tensor): tf.Tensor =>
          tf.matMul(x, y, transpose, transpose);
        const lead = tf.backend_util.assertAndGetBroadcastShape(one, two);
        const wide = (x: tf.Tensor): tf.Tensor =>
          tf.broadcastTo(x, [...lead, ...x.shape.slice(-2)]);
        const fast = await compiled(product, [a, b]);
        const what = `[${one.join()}] and [${two.join()}]`;
        expect(fast.explain().fallbacks, what).to.eql([]);
        expectSame(fast(a, b), product(wide(a), wide(b)), tolerance, what);
        fast.dispose();
      }
    }
  });
});
