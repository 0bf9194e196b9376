import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { broadcast, broadcastShape, expand } from "./broadcast.js";
import { asFloat, checkNumberTensor, checkTensor, listText, shapeText } from "./check.js";
import { atLeast, scalarLike, sum } from "./numeric.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type ReductionOptions, reduceLoss } from "./reduction.js";
import { select } from "./select.js";

export interface MarginOptions extends ReductionOptions {
  /** The margin. Default: 1 in `hingeEmbeddingLoss`, 0 in the others. */
  margin?: number;
}

/** x where a condition holds, else 0. */
function where(condition: tf.Tensor, x: tf.Tensor): tf.Tensor {
  return select(condition, x, tf.zerosLike(x));
}

/**
 * `x` for targets of 1 and `max(0, margin - x)` for targets of -1, where x is a distance. Integers
 * have no mean.
 *
 * Shapes: input and target `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html
 */
export const hingeEmbeddingLoss = /* @__PURE__ */ op(
  "hinge_embedding_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: MarginOptions): tf.Tensor => {
    const defaults: Required<MarginOptions> = { ...REDUCTION, margin: 1 };
    const { margin, ...read } = readOptions("hingeEmbeddingLoss", defaults, options);
    const reduction = readReduction("hinge_embedding_loss()", read);
    checkTensor("hinge_embedding_loss", input);
    checkTensor("hinge_embedding_loss", target, "target", 2);
    checkNumberTensor("hinge_embedding_loss", input);
    const [y, x] = broadcast("hinge_embedding_loss()", target, input);
    // PyTorch writes the margin into a tensor of the input's dtype, so for integers it is an
    // integer.
    const far = where(tf.notEqual(y, 1), atLeast(tf.sub(scalarLike(x, margin), x), 0));
    return reduceLoss(tf.add(far, where(tf.notEqual(y, -1), x)), reduction);
  },
);

/**
 * `max(0, -y (x₁ - x₂) + margin)`: whether the first (y = 1) or the second (y = -1) ranks higher.
 *
 * Shapes: all `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @throws if the ranks differ.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html
 */
export const marginRankingLoss = /* @__PURE__ */ op(
  "margin_ranking_loss",
  (input1: tf.Tensor, input2: tf.Tensor, target: tf.Tensor, options?: MarginOptions): tf.Tensor => {
    const defaults: Required<MarginOptions> = { ...REDUCTION, margin: 0 };
    const { margin, ...read } = readOptions("marginRankingLoss", defaults, options);
    const reduction = readReduction("margin_ranking_loss()", read);
    checkTensor("margin_ranking_loss", input1, "input1");
    checkTensor("margin_ranking_loss", input2, "input2", 2);
    checkTensor("margin_ranking_loss", target, "target", 3);
    for (const one of [input1, input2, target]) checkNumberTensor("margin_ranking_loss", one);
    if (input1.rank !== input2.rank || input1.rank !== target.rank) {
      throw new Error(
        "margin_ranking_loss : All input tensors should have same dimension but got sizes: " +
          `input1: ${shapeText(input1.shape)}, input2: ${shapeText(input2.shape)}, ` +
          `target: ${shapeText(target.shape)}`,
      );
    }
    const [a, b] = broadcast("margin_ranking_loss()", asFloat(input1), asFloat(input2));
    const shape = broadcastShape(target.shape, a.shape, "margin_ranking_loss()");
    const lead = tf.mul(tf.neg(target), tf.sub(a, b));
    return reduceLoss(atLeast(tf.add(expand(lead, shape), margin), 0), reduction);
  },
);

/** Added to each squared norm, as in PyTorch, to keep their product from 0. */
const COSINE_EPSILON = 1e-12;

/**
 * `1 - cos(x₁, x₂)` for targets of 1 and `max(0, cos(x₁, x₂) - margin)` for targets of -1.
 *
 * Shapes: inputs `(N, D)` and target `(N)`, or `(D)` and `()` → scalar, or `(N)` without reduction.
 *
 * @throws if the shapes do not match.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html
 */
export const cosineEmbeddingLoss = /* @__PURE__ */ op(
  "cosine_embedding_loss",
  (input1: tf.Tensor, input2: tf.Tensor, target: tf.Tensor, options?: MarginOptions): tf.Tensor => {
    const name = "cosine_embedding_loss";
    const defaults: Required<MarginOptions> = { ...REDUCTION, margin: 0 };
    const { margin, ...read } = readOptions("cosineEmbeddingLoss", defaults, options);
    const reduction = readReduction(`${name}()`, read);
    checkTensor(name, input1, "input1");
    checkTensor(name, input2, "input2", 2);
    checkTensor(name, target, "target", 3);
    if (target.rank > 1) {
      throw new Error(`${name}(): 0D or 1D target tensor expected, multi-target not supported`);
    }
    const want = target.rank + 1;
    if (input1.rank !== want || input2.rank !== want) {
      throw new Error(
        `${name}(): ${target.rank}D target tensor expects ${want}D input tensors, but found ` +
          `inputs with sizes ${listText(input1.shape)} and ${listText(input2.shape)}.`,
      );
    }
    const [a, b] = [asFloat(input1), asFloat(input2)];
    broadcastShape(a.shape, b.shape, `${name}()`);
    const dot = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => sum(tf.mul(x, y), -1);
    const squares = [dot(a, a), dot(b, b)].map((one) => tf.add(one, COSINE_EPSILON));
    const cos = tf.div(dot(a, b), tf.sqrt(tf.mul(squares[0]!, squares[1]!)));
    const [y, c] = broadcast(`${name}()`, target, cos);
    const near = where(tf.equal(y, 1), tf.sub(1, c));
    const far = where(tf.equal(y, -1), atLeast(tf.sub(c, margin), 0));
    return reduceLoss(tf.add(near, far), reduction);
  },
);
