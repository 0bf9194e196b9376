import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { DECOMPOSED, optimise } from "../../lib/compile/passes/index.js";
import { record } from "../../lib/compile/trace.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend, onEveryBackendOnce } from "../support/backends.js";
import { readGoldens } from "../support/goldens.js";
import { expectSame, liveOps, runGraph } from "../support/graphs.js";
import { onEveryModule, writesBuffers } from "../support/module-cases.js";

type Forward = (x: tf.Tensor, self: Record<string, tf.Tensor>) => tf.Tensor;

/** A model made of a formula and some parameters. */
class Formula extends nn.Module {
  constructor(
    private readonly formula: Forward,
    shapes: Record<string, number[]>,
  ) {
    super();
    for (const [name, shape] of Object.entries(shapes)) {
      this.registerParameter(name, new nn.Parameter(nn.rand(shape)));
    }
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return this.formula(x, this as unknown as Record<string, tf.Tensor>);
  }
}

interface PassCase {
  title: string;
  model: () => nn.Module;
  shape: number[];
  /** What is left for every input. */
  ops: string[];
}

const F = nn.functional;
const formula =
  (forward: Forward, shapes: Record<string, number[]> = {}) =>
  (): nn.Module =>
    new Formula(forward, shapes);

/** `(N, T, 3·H·D)` → three of `(N, H, T, D)`, as a language model writes it. */
function heads(x: tf.Tensor, count: number): tf.Tensor[] {
  const [n, t, c] = x.shape as [number, number, number];
  return tf
    .split(x, 3, 2)
    .map((one) => tf.transpose(tf.reshape(one, [n, t, count, c / 3 / count]), [0, 2, 1, 3]));
}

const causal = (t: number): tf.Tensor => tf.linalg.bandPart(tf.ones([t, t]), -1, 0);

const CASES: PassCase[] = [
  {
    title: "a choice of a number or a tensor by a mask that is repeated",
    model: formula((x) => tf.where<tf.Tensor>(tf.greater(tf.max(x, 3, true), 1), x, -Infinity)),
    shape: [2, 3, 4, 5],
    ops: ["prim.Greater", "prim.Max", "prim.where"],
  },
  {
    title: "a choice between repeated sides by a repeated mask",
    model: formula((x) => {
      const twice = (one: tf.Tensor): tf.Tensor => tf.tile(one, [1, 1, 2]);
      const chosen = tf.where(twice(tf.greater(x, 0)), twice(x), twice(tf.square(x)));
      return tf.reshape(chosen, [-1]);
    }),
    shape: [2, 3, 1],
    ops: ["prim.Greater", "tfjs.Tile", "prim.pointwise", "prim.where", "prim.reshape"],
  },
  {
    title: "a layer norm written by hand",
    model: formula(
      (x, { w, b }) => {
        const { mean, variance } = tf.moments(x, -1, true);
        return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), w!), b!);
      },
      { w: [8], b: [8] },
    ),
    shape: [2, 3, 8],
    ops: ["layer_norm"],
  },
  {
    title: "factors and shifts of a layer norm that has none",
    model: formula((x, { w, b }) => tf.add(tf.mul(F.layerNorm(x, 8), w!), b!), { w: [8], b: [8] }),
    shape: [2, 3, 8],
    ops: ["layer_norm"],
  },
  {
    title: "a shift of a layer norm without factors, which no kernel has",
    model: formula((x, { b }) => tf.add(F.layerNorm(x, [8]), b!), { b: [8] }),
    shape: [2, 3, 8],
    ops: ["layer_norm", "prim.pointwise"],
  },
  {
    title: "an RMS norm written by hand",
    model: formula(
      (x, { w }) => {
        const square = tf.mean(tf.square(x), -1, true);
        return tf.mul(w!, tf.mul(x, tf.rsqrt(tf.add(square, 1e-6))));
      },
      { w: [8] },
    ),
    shape: [2, 8],
    ops: ["rms_norm"],
  },
  {
    title: "GELU by the error function, and by tanh",
    model: formula((x) => {
      const exact = tf.mul(tf.mul(0.5, x), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
      const cubic = tf.add(exact, tf.mul(0.044715, tf.pow(exact, 3)));
      const inner = tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), cubic));
      return tf.mul(tf.mul(exact, tf.add(inner, 1)), 0.5);
    }),
    shape: [4, 5],
    ops: ["prim.pointwise"],
  },
  {
    title: "what is like GELU by tanh, but for powers of which negative numbers have none",
    model: formula((x) => {
      const half = tf.pow(x, 1.5);
      const cubic = tf.add(x, tf.mul(0.044715, tf.mul(half, half)));
      const inner = tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), cubic));
      return tf.mul(tf.mul(x, tf.add(inner, 1)), 0.5);
    }),
    shape: [4, 5],
    ops: ["prim.pointwise"],
  },
  {
    title: "SiLU and softmax written by hand",
    model: formula((x) => {
      const y = tf.mul(tf.sigmoid(x), x);
      const powers = tf.exp(tf.sub(y, tf.max(y, -1, true)));
      return tf.div(powers, tf.sum(powers, -1, true));
    }),
    shape: [4, 5],
    ops: ["prim.pointwise", "softmax"],
  },
  {
    title: "attention written by hand, masked, of three heads of one linear",
    model: formula(
      (x, { w, b }) => {
        const [q, k, v] = heads(F.linear(x, w!, { bias: b! }), 2) as [tf.Tensor, tf.Tensor, tf.Tensor]; // prettier-ignore
        const scores = tf.div(tf.matMul(q, tf.transpose(k, [0, 1, 3, 2])), 2);
        const hidden = tf.mul(tf.sub(1, causal(x.shape[1]!)), -1e9);
        return tf.matMul(tf.softmax(tf.add(scores, hidden)), v);
      },
      { w: [24, 8], b: [24] },
    ),
    shape: [2, 5, 8],
    ops: [
      "linear",
      ...["prim.slice", "prim.slice", "prim.slice"],
      ...["prim.reshape", "prim.permute", "prim.reshape", "prim.permute"],
      ...["prim.reshape", "prim.permute", "prim.scaled_dot_product_attention"],
    ],
  },
  {
    title: "convolution, BatchNorm, ReLU and a shortcut",
    model: () => {
      const block = new nn.Sequential(new nn.Conv2d(3, 3, 3, { padding: 1 }), norm(3));
      return new (class extends nn.Module {
        readonly block = block;
        override forward(x: tf.Tensor): tf.Tensor {
          return tf.relu(tf.add(block(x), x));
        }
      })();
    },
    shape: [2, 3, 5, 5],
    ops: ["prim.conv2d"],
  },
  {
    title: "a BatchNorm behind a permuted linear, and one that has nothing to go into",
    model: () =>
      new nn.Sequential(
        norm(3, nn.BatchNorm1d),
        new Permuted(new nn.Linear(3, 3)),
        norm(3, nn.BatchNorm1d),
      ),
    shape: [2, 3, 4],
    ops: ["prim.pointwise", "prim.permute", "linear", "prim.permute"],
  },
  {
    title: "numbers and vectors behind a linear",
    model: formula((x, { w, s, b }) => tf.add(tf.mul(tf.div(F.linear(x, w!), 4), s!), b!), {
      w: [6, 4],
      s: [6],
      b: [6],
    }),
    shape: [3, 4],
    ops: ["linear"],
  },
  {
    title: "a transposed convolution and its BatchNorm",
    model: () => new nn.Sequential(new nn.ConvTranspose2d(2, 3, 2, { stride: 2 }), norm(3)),
    shape: [1, 2, 3, 3],
    ops: ["conv_transpose2d"],
  },
  {
    title: "views that cancel, and the same call twice",
    model: formula((x) => {
      const swap = (y: tf.Tensor): tf.Tensor => tf.transpose(y, [0, 2, 1]);
      return tf.add(swap(tf.relu(swap(x))), tf.reshape(tf.reshape(tf.tanh(x), [-1]), x.shape));
    }),
    shape: [2, 3, 4],
    ops: ["prim.pointwise"],
  },
];

function norm(
  channels: number,
  type: typeof nn.BatchNorm1d | typeof nn.BatchNorm2d = nn.BatchNorm2d,
): nn.Module {
  // prettier-ignore
  const layer = new type(channels);
  const state = ["weight", "bias", "running_mean", "running_var"].map((name) => [name, nn.rand(channels)] as const); // prettier-ignore
  layer.loadStateDict(new Map([...state, ["num_batches_tracked", tf.scalar(1, "int32")]]));
  return layer;
}

/** `(N, C, L)` → a module on the permuted `(N, L, C)`, and back. */
class Permuted extends nn.Module {
  constructor(readonly inner: nn.Module) {
    super();
  }
  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.inner(tf.transpose(x, [0, 2, 1])) as tf.Tensor;
    return tf.transpose(y, [0, 2, 1]);
  }
}

onEveryBackend("Passes", (_, tolerance) => {
  for (const { title, model: make, shape, ops } of CASES) {
    it(title, () => {
      const model = make();
      const x = nn.randn(shape);
      const graph = optimise(record(model, [x], DECOMPOSED).graph);
      expect(liveOps(graph).sort(), String(graph)).to.deep.equal([...ops].sort());
      expectSame(runGraph(graph, model, [x]), model(x), tolerance, title);
    });
  }
});

it("Numbers that are folded are not looked through for tensors, one by one", () => {
  const model = formula((x) => tf.add(x, tf.sqrt(tf.range(0, 6))))();
  const x = nn.randn(6);
  const { graph } = record(model, [x], DECOMPOSED);
  const engine = tf.engine();
  const endScope = engine.endScope.bind(engine);
  let results = 0;
  engine.endScope = (result) => {
    results += 1;
    expect(ArrayBuffer.isView(result)).to.equal(false);
    endScope(result);
  };
  try {
    expect([...optimise(graph).constants.keys()]).to.have.length(1);
  } finally {
    delete (engine as { endScope?: unknown }).endScope;
  }
  expect(results).to.be.greaterThan(0);
});

const goldens = await readGoldens("goldens/modules");

onEveryBackendOnce("The optimised graph of PyTorch's module cases", (_, tolerance) => {
  onEveryModule(goldens, tolerance, ({ model, args }, golden) => {
    if (writesBuffers(golden)) return model(...args); // there is no graph of it
    const { graph, dispose } = record(model, args, DECOMPOSED);
    dispose();
    return runGraph(optimise(graph), model, args);
  });
});
