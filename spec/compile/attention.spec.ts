import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { matmul } from "../../lib/exported/aten/matmul.js";
import { where } from "../../lib/exported/aten/support/arithmetic.js";
import { einsum } from "../../lib/exported/aten/support/einsum.js";
import { permuteAxes, sliceAxis } from "../../lib/exported/aten/support/shape.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compiled } from "../support/compiled.js";
import { expectClose } from "../support/expect.js";

const [BATCH, HEADS, QUERIES, KEYS] = [2, 2, 5, 5];

type Mask = (scores: tf.Tensor, given: tf.Tensor) => tf.Tensor;

interface Way {
  title: string;
  mask: Mask;
  /** The masked score of query `i` and key `j` of a batch entry; `given` is that entry's row of the mask. */
  want: (score: number, i: number, j: number, given: number) => number;
  /** The number of kernel calls: the op itself, and what makes the mask of what is given. */
  calls: number;
}

const past = (l: number, s: number, offset = 0): tf.Tensor2D => {
  const [rows, columns] = [tf.range(offset, offset + l, 1), tf.range(0, s, 1)];
  return tf.lessEqual(columns, tf.reshape(rows, [l, 1]));
};

/** `scores.masked_fill(hidden, fill)` */
const fill = (scores: tf.Tensor, hidden: tf.Tensor, value: number): tf.Tensor =>
  tf.where(hidden, tf.fill(scores.shape, value), scores);

/** The mask that is given, of 0 and 1, as it broadcasts to the scores. */
const wide = (given: tf.Tensor): tf.Tensor => tf.reshape(given, [BATCH, 1, 1, KEYS]);

const WAYS: readonly Way[] = [
  { title: "no mask", mask: (scores) => scores, want: (score) => score, calls: 1 },
  {
    title: "a causal mask by where",
    mask: (scores) => tf.where(past(QUERIES, KEYS), scores, -Infinity),
    want: (score, i, j) => (j <= i ? score : -Infinity),
    calls: 1,
  },
  {
    title: "a causal mask by masked_fill",
    mask: (scores) => fill(scores, tf.logicalNot(tf.reshape(past(QUERIES, KEYS), [1, 1, QUERIES, KEYS])), -Infinity), // prettier-ignore
    want: (score, i, j) => (j <= i ? score : -Infinity),
    calls: 1,
  },
  {
    title: "a causal mask of -10000",
    mask: (scores) => tf.where(past(QUERIES, KEYS), scores, -1e4),
    want: (score, i, j) => (j <= i ? score : -1e4),
    calls: 1,
  },
  {
    title: "a mask in which the first query sees nothing",
    mask: (scores) => tf.where(past(QUERIES, KEYS, -1), scores, -Infinity),
    want: (score, i, j) => (j <= i - 1 ? score : -Infinity),
    calls: 1,
  },
  {
    title: "a mask in which the first query sees two keys",
    mask: (scores) => fill(scores, tf.greaterEqual(tf.range(0, KEYS), tf.add(tf.reshape(tf.range(0, QUERIES), [QUERIES, 1]), 2)), -Infinity), // prettier-ignore
    want: (score, i, j) => (j <= i + 1 ? score : -Infinity),
    calls: 1,
  },
  {
    title: "a mask that is given, by masked_fill",
    mask: (scores, given) => fill(scores, tf.equal(wide(given), 0), -1e9),
    want: (score, _i, _j, given) => (given === 0 ? -1e9 : score),
    calls: 3,
  },
  {
    title: "a mask that is given, by where",
    mask: (scores, given) => tf.where(tf.greater(wide(given), 0), scores, -Infinity),
    want: (score, _i, _j, given) => (given > 0 ? score : -Infinity),
    calls: 3,
  },
  {
    title: "a mask that is given, added",
    mask: (scores, given) => tf.add(scores, tf.mul(tf.sub(1, wide(given)), -3)),
    want: (score, _i, _j, given) => score - 3 * (1 - given),
    calls: 2,
  },
];

/** The formula on plain numbers. */
function attend(
  [q, k, v]: readonly (readonly number[][][])[],
  given: readonly number[],
  scale: number,
  want: Way["want"],
): number[] {
  return q!.flatMap((queries, block) =>
    queries.flatMap((query, i) => {
      const scores = k![block]!.map((key, j) => {
        const score = key.reduce((sum, x, e) => sum + x * query[e]!, 0) * scale;
        return want(score, i, j, given[Math.floor(block / HEADS) * KEYS + j]!);
      });
      const most = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - most));
      const total = powers.reduce((a, b) => a + b, 0);
      return v![block]![0]!.map((_, e) =>
        powers.reduce((sum, power, j) => sum + (power / total) * v![block]![j]![e]!, 0),
      );
    }),
  );
}

/** `(N, H, L, E)` as a list of N · H matrices. */
const blocks = (x: tf.Tensor): number[][][] => {
  const [l, e] = x.shape.slice(-2) as [number, number];
  return tf.reshape(x, [-1, l, e]).arraySync() as number[][][];
};

onEveryBackend("Attention by hand", (backend, tolerance) => {
  for (const { title, mask, want, calls } of WAYS) {
    it(`is one op, with ${title}`, async () => {
      // Programs of webgl read four numbers at once: heads of 6 are computed in parts there.
      for (const size of [4, 6]) {
        const model = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, given: tf.Tensor): tf.Tensor => {
          const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(size));
          return tf.matMul(tf.softmax(mask(scores, given)), v);
        };
        const qkv = [0, 1, 2].map(() => nn.randn(BATCH, HEADS, KEYS, size));
        // In the second batch entry, nothing is seen.
        const given = tf.tensor2d([1, 0, 1, 1, 0, 0, 0, 0, 0, 0], [BATCH, KEYS]);
        const fast = await compiled(model, [...qkv, given]);
        const found = fast.explain();
        expect(found.fallbacks).to.deep.equal([]);
        const targets = fast.graph!.nodes.map(({ target }) => target);
        if (backend !== "webgl" || size === 4) {
          expect(targets).to.include("prim.scaled_dot_product_attention");
          expect(targets).not.to.include("softmax");
        }
        if (backend !== "webgl") expect(found.steps, String(found)).to.equal(calls);
        const expected = attend(qkv.map(blocks), Array.from(given.dataSync()), 1 / Math.sqrt(size), want); // prettier-ignore
        expectClose(fast(...(qkv as [tf.Tensor, tf.Tensor, tf.Tensor]), given).dataSync(), expected, tolerance); // prettier-ignore
        fast.dispose();
      }
    });
  }

  it("takes no mask for a causal one because of its numbers alone", async () => {
    // Entry i of the batch sees the keys up to i, and so does each of its queries.
    const model = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor => {
      const seen = tf.reshape(past(3, 3), [3, 1, 3]);
      const scores = tf.where(seen, tf.matMul(q, k, false, true), -Infinity);
      return tf.matMul(tf.softmax(scores), v);
    };
    const qkv = [0, 1, 2].map(() => nn.randn(3, 3, 4)) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const fast = await compiled(model, qkv);
    expect(String(fast.graph)).to.include("isCausal: False");
    expectClose(fast(...qkv).dataSync(), model(...qkv).dataSync(), tolerance);
    fast.dispose();
  });

  /** How an exported program computes `q kᵀ`, and the product of weights and values. */
  const PRODUCTS: Record<string, ((a: tf.Tensor, b: tf.Tensor) => tf.Tensor)[]> = {
    matmul: [(q, k) => matmul(q, permuteAxes(k, [0, 1, 3, 2])), matmul],
    einsum: ["bhid,bhjd->bhij", "bhij,bhjd->bhid"].map((equation) => (a, b) => einsum(equation, [a, b])), // prettier-ignore
  };
  for (const [name, [scoresOf, weigh]] of Object.entries(PRODUCTS)) {
    it(`is one op in an exported program, too, by ${name}`, async () => {
      // scores.masked_fill(hidden, -inf).softmax(-1) @ v, with heads of one linear's result
      const model = (x: tf.Tensor): tf.Tensor => {
        const heads = [0, 1, 2].map((i) => {
          const part = sliceAxis(x, 2, i * 8, i * 8 + 8);
          return permuteAxes(tf.reshape(part, [BATCH, KEYS, HEADS, 4]), [0, 2, 1, 3]);
        });
        const [q, k, v] = heads as [tf.Tensor, tf.Tensor, tf.Tensor];
        const scores = tf.mul(scoresOf!(q, k), 0.5);
        const hidden = tf.logicalNot(tf.reshape(past(QUERIES, KEYS), [1, 1, QUERIES, KEYS]));
        return weigh!(tf.softmax(where(hidden, -Infinity, scores)), v);
      };
      const x = nn.randn(BATCH, KEYS, 24);
      const fast = await compiled(model, x);
      const targets = fast.graph!.nodes.filter((one) => one.kind === "call_function").map((one) => one.target); // prettier-ignore
      const views = ["prim.slice", "prim.reshape", "prim.permute", "prim.where"];
      expect(targets.filter((one) => !views.includes(one))).to.deep.equal(["prim.scaled_dot_product_attention"]); // prettier-ignore
      expectClose(fast(x).dataSync(), model(x).dataSync(), tolerance);
      fast.dispose();
    });
  }

  it("replaces scores that are no numbers, and those below what takes their place", async () => {
    const model = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, given: tf.Tensor): tf.Tensor => {
      const scores = tf.mul(tf.matMul(q, k, false, true), 2);
      const seen = tf.where(tf.greater(tf.reshape(given, [1, 1, -1]), 0), scores, -1e4);
      return tf.matMul(tf.softmax(seen), v);
    };
    const q = tf.tensor3d([1, 0, 0, 0], [1, 1, 4]);
    const k = tf.tensor3d([NaN, -1e5, -2e5, -4999], [1, 4, 1]);
    const keys = tf.concat([k, tf.zeros([1, 4, 3])], 2);
    const v = tf.tensor3d([1, 10, 100, 1000], [1, 4, 1]);
    const values = tf.tile(v, [1, 1, 4]);
    const args = [q, keys, values, tf.tensor1d([0, 1, 0, 1])] as const;
    const fast = await compiled(model, [...args]);
    // Two weights of 1 for -10000, one of e² for -9998.
    const e2 = Math.exp(2);
    const want = (1 + 100 + 1000 * e2) / (2 + e2);
    expectClose(fast(...args).dataSync(), [want, want, want, want], tolerance);
    fast.dispose();
  });

  it("is not one where others read its scores, or two masks follow each other", async () => {
    const args = [0, 1, 2].map(() => nn.randn(1, 3, 4));
    const scores = (q: tf.Tensor, k: tf.Tensor): tf.Tensor => tf.matMul(q, k, false, true);
    const hide = (x: tf.Tensor): tf.Tensor => tf.where(past(3, 3), x, -Infinity);
    const others: ((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor[])[] = [
      (q, k, v) => {
        const weights = tf.softmax(hide(scores(q, k)));
        return [tf.matMul(weights, v), weights];
      },
      (q, k, v) => [tf.matMul(tf.softmax(hide(tf.add(scores(q, k), past(3, 3, 1)))), v)],
      (q, k, v) => [tf.matMul(tf.softmax(tf.where(past(3, 3), scores(q, k), 1)), v)],
      (q, k, v) => [tf.matMul(tf.softmax(tf.where(past(3, 3), scores(q, k), tf.slice(k, [0, 0, 0], [1, 3, 3]))), v)], // prettier-ignore
    ];
    for (const other of others) {
      const fast = await compiled(other, args);
      expect(String(fast.graph)).not.to.include("attention");
      const [got, want] = [fast, other].map((run) => run(...(args as [tf.Tensor, tf.Tensor, tf.Tensor]))); // prettier-ignore
      got!.forEach((one, i) => expectClose(one.dataSync(), want![i]!.dataSync(), tolerance));
      fast.dispose();
    }
  });
});
