import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { expectSame } from "../support/graphs.js";

/** Equations, and the sizes of their letters. */
const PRODUCTS: readonly string[] = [
  "ij,jk->ik",
  "ij,kj->ki",
  "bct,bcs->bts",
  "bts,bcs -> bct",
  "bqhd,bkhd->bhqk",
  "bhqk,bkhd->bqhd",
  "abc,cd->dab",
  "i,j->ji",
  "ab,ab->",
  "abc,abc->ca",
  "bix,iox->box",
  " b h i d, b h j d -> b h i j",
];
const SIZES: Readonly<Record<string, number>> = { b: 2, h: 3, d: 5, i: 3, j: 4, k: 6, x: 3 };

const drawn = (term: string): tf.Tensor => nn.randn([...term].map((one) => SIZES[one] ?? 4));

/** What of an equation has no kernel when it is compiled. */
const compiled = async (equation: string, dtype: tf.DataType = "float32"): Promise<string> => {
  const [left, right] = equation.replaceAll(" ", "").split(/,|->/) as [string, string];
  const [a, b] = [tf.cast(drawn(left), dtype), drawn(right)];
  const product = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.einsum(equation, x, y);
  const fast = await nn.compile(product, [a, b]);
  expectSame(fast(a, b), product(a, b), { rtol: 1e-4, atol: 1e-5 }, equation);
  expectNoLeak(() => fast(a, b).dispose());
  const { compiled: isCompiled, fallbacks } = fast.explain();
  fast.dispose();
  tf.dispose([a, b]);
  return isCompiled ? fallbacks.map(({ op }) => op).join() : "eagerly";
};

onEveryBackend("tf.einsum, compiled", () => {
  for (const equation of PRODUCTS) {
    it(`${equation} is a product of matrices`, async () => {
      expect(await compiled(equation)).to.equal("");
    });
  }

  it("stays as it is where a letter of one tensor is summed, or one is not of floats", async () => {
    expect(await compiled("ijk,j->i")).to.equal("tfjs.Einsum");
    expect(await compiled("ij,jk->ik", "int32")).to.equal("tfjs.Einsum");
  });

  it("is attention where it is written so, and refuses what does not fit", async () => {
    const attend = (q: tf.Tensor, k: tf.Tensor): tf.Tensor =>
      tf.einsum("bts,bsc->btc", tf.softmax(tf.einsum("btc,bsc->bts", tf.mul(q, 0.5), k)), k);
    const [q, k] = [nn.randn(2, 5, 4), nn.randn(2, 6, 4)];
    const fast = await nn.compile(attend, [q, k]);
    expect(String(fast.graph)).to.include("scaled_dot_product_attention");
    expectSame(fast(q, k), attend(q, k), { rtol: 1e-4, atol: 1e-5 }, "attention");
    expect(() => fast(q, nn.randn(2, 6, 3))).to.throw(/dimension/);
    fast.dispose();
  });
});
