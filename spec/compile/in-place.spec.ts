import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

/** Each reads one tensor twice: as what its result could be written over, and otherwise. */
const cases: [string, number[], (x: tf.Tensor, w: tf.Tensor) => tf.Tensor, number[]?][] = [
  ["its transpose", [16, 16], (x) => tf.add(x, tf.transpose(x))],
  ["one of its rows", [16, 16], (x) => tf.sub(x, tf.slice(x, [7, 0], [1, -1]))],
  ["one of its columns", [16, 16], (x) => tf.sub(x, tf.slice(x, [0, 7], [-1, 1]))],
  ["its rows reversed", [16, 16], (x) => tf.sub(x, tf.reverse(x, 0))],
  ["what it is normalised by", [16, 16], (x) =>
    F.layerNorm(x, [16], { weight: tf.reshape(tf.slice(x, [3, 0], [1, 16]), [16]) })],
  ["a convolution of it", [1, 6, 5, 7], (x, w) => tf.add(x, F.conv2d(x, w, { padding: 1 })), [6, 6, 3, 3]], // prettier-ignore
  ["channels of it, in blocks", [1, 700, 6, 7], (x, w) => tf.add(x, F.conv2d(x, w)), [700, 700, 1, 1]], // prettier-ignore
  ["a linear layer of it", [37, 70], (x, w) => tf.add(x, F.linear(x, w)), [70, 70]],
]; // prettier-ignore

describe("A tensor that is read twice by one step, compiled", () => {
  before(() => nn.setBackend("cpu"));
  beforeEach(() => void nn.manualSeed(0));

  for (const [what, shape, run, size = [1]] of cases) {
    for (const threads of [1, 3]) {
      it(`is not written over by itself and ${what} (${threads} threads)`, async () => {
        const weight = new nn.Parameter(tf.mul(nn.randn(...size), 0.05));
        class Model extends nn.Module {
          override forward(x: tf.Tensor): tf.Tensor {
            return run(tf.sigmoid(x), weight);
          }
        }
        const model = new Model();
        const x = nn.randn(shape);
        const fast = await compiled(model, x, { threads });
        // The first runs are shared among threads and not, in turn.
        for (let i = 0; i < 4; i += 1) expectSame(fast(x), model(x), CLOSE, `run ${i}`);
        fast.dispose();
      });
    }
  }
});
