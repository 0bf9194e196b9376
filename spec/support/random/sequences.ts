import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";
import { type Chance, fitting, type Known, type Piece, sizeOf } from "./chance.js";

const F = nn.functional;

type Shape = readonly number[];

/** `x · y` in all four layouts. tfjs' cpu takes the wrong ones where the batches of both broadcast. */
const product: Piece = fitting(2, 4, (shape, chance) => {
  const [left, right] = [chance.yes(), chance.yes()];
  const k = shape.at(left ? -2 : -1);
  const lead = shape.slice(0, -2);
  const fits = ({ shape: own, dtype }: Known): boolean => {
    const isPlain = sizeOf(own.slice(0, -2)) === 1 || sizeOf(lead) === 1 || String(own.slice(0, -2)) === String(lead); // prettier-ignore
    return dtype === "float32" && own.length >= 2 && sizeOf(own) > 0 && own.at(right ? -1 : -2) === k && isPlain; // prettier-ignore
  };
  const other = chance.other(fits);
  return other === null ? null : { run: (x, y) => tf.matMul(x, y, left, right), others: [other] };
});

/** With a parameter, either side of it. */
const byParameter: Piece = fitting(2, 4, (shape, chance) => {
  const [isLeft, a, b] = [chance.yes(), chance.yes(), chance.yes()];
  const k = shape.at((isLeft ? b : a) ? (isLeft ? -1 : -2) : isLeft ? -2 : -1)!;
  const n = chance.from(1, 4);
  const weight = nn.randn(isLeft !== (isLeft ? a : b) ? [n, k] : [k, n]);
  const module = new nn.ParameterList([new nn.Parameter(weight)]);
  const own = (): tf.Tensor => [...module][0] as tf.Tensor;
  return { module, run: (x) => (isLeft ? tf.matMul(own(), x, a, b) : tf.matMul(x, own(), a, b)) };
});

const einsum: Piece = fitting(3, 3, (shape, chance) => {
  const fits = (one: Known): boolean => one.dtype === "float32" && one.shape.length === 3 && one.shape[0] === shape[0] && one.shape[2] === shape[2]; // prettier-ignore
  const text = chance.pick(["bij,bkj->bik", "bij,bkj->kbi", "bij,bij->bi"]);
  const other = chance.other((one) => fits(one) && (text !== "bij,bij->bi" || one.shape[1] === shape[1])); // prettier-ignore
  return { run: (x, y) => tf.einsum(text, x, y), others: [other!] };
});

/** A mask over queries and keys, drawn once: booleans, or numbers that are added. */
function mask(shape: Shape, chance: Chance, isBool: boolean): () => tf.Tensor {
  const values = Array.from({ length: sizeOf(shape) }, () => chance.below(3) > 0);
  // Each row keeps something, save one now and then.
  if (chance.below(4) > 0) for (let i = 0; i < values.length; i += shape.at(-1)!) values[i] = true;
  return () =>
    isBool
      ? tf.tensor(values, [...shape], "bool")
      : tf.tensor(values.map((one) => (one ? 0.25 : -Infinity)), [...shape]); // prettier-ignore
}

/** `(N, T, E)` as heads `(N, H, T, E / H)`. */
const heads = (x: tf.Tensor, h: number): tf.Tensor =>
  tf.transpose(tf.reshape(x, [x.shape[0], x.shape[1]!, h, -1]), [0, 2, 1, 3]);

const keysFor = (shape: Shape, chance: Chance): number =>
  chance.other((one) => one.dtype === "float32" && one.shape.length === 3 && one.shape[0] === shape[0] && one.shape[2] === shape[2] && sizeOf(one.shape) > 0)!; // prettier-ignore

/** scaled_dot_product_attention, its keys from another tensor, grouped or not. */
const sdpa: Piece = fitting(3, 3, (shape, chance) => {
  const other = keysFor(shape, chance);
  const [, t, e] = shape as [number, number, number];
  const s = chance.pool[other]!.shape[1]!;
  const h = e % 2 === 0 ? chance.pick([1, 2, e]) : 1;
  const kind = chance.below(4);
  const scale = chance.pick([null, 0.7]);
  const attnMask = mask(chance.pick([[t, s], [1, h, t, s], [shape[0]!, 1, t, s], [1, s]]), chance, kind === 1); // prettier-ignore
  const isWide = chance.yes();
  return {
    others: [other],
    run: (x, y) => {
      const options = kind === 3 ? { isCausal: true } : kind === 0 ? {} : { attnMask: attnMask() };
      if (h === 2 && isWide) {
        const few = heads(tf.slice(y, [0, 0, 0], [-1, -1, e / 2]), 1);
        const o = F.scaledDotProductAttention(heads(x, 2), few, few, { ...options, scale, enableGqa: true }); // prettier-ignore
        return tf.reshape(tf.transpose(o, [0, 2, 1, 3]), [x.shape[0], t, e]);
      }
      const o = F.scaledDotProductAttention(heads(x, h), heads(y, h), heads(y, h), { ...options, scale }); // prettier-ignore
      return tf.reshape(tf.transpose(o, [0, 2, 1, 3]), x.shape);
    },
  };
});

/** The same written out. */
const attention: Piece = fitting(3, 3, (shape, chance) => {
  const other = keysFor(shape, chance);
  const [, t, e] = shape as [number, number, number];
  const s = chance.pool[other]!.shape[1]!;
  const h = e % 2 === 0 ? chance.pick([0, 1, 2]) : chance.below(2);
  const [isMasked, isDivided, isBefore] = [chance.yes(), chance.yes(), chance.yes()];
  const add = mask(
    chance.pick([
      [t, s],
      [1, s],
      [1, 1, s],
    ]),
    chance,
    false,
  );
  return {
    others: [other],
    run: (x, y) => {
      const [q, k] = h === 0 ? [x, y] : [heads(x, h), heads(y, h)];
      const scaled = isBefore ? tf.mul(q, 0.5) : q;
      let scores = isDivided ? tf.matMul(scaled, k, false, true) : tf.matMul(scaled, tf.transpose(k, h === 0 ? [0, 2, 1] : [0, 1, 3, 2])); // prettier-ignore
      if (!isBefore) scores = tf.div(scores, 1.5);
      if (isMasked) scores = tf.add(scores, add());
      const o = tf.matMul(tf.softmax(scores), k);
      return h === 0 ? o : tf.reshape(tf.transpose(o, [0, 2, 1, 3]), x.shape);
    },
  };
});

const multihead: Piece = fitting(3, 3, (shape, chance) => {
  const other = keysFor(shape, chance);
  const [n, t, e] = shape as [number, number, number];
  const s = chance.pool[other]!.shape[1]!;
  const options = { batchFirst: true, bias: chance.yes(), addBiasKv: chance.yes(), addZeroAttn: chance.yes() }; // prettier-ignore
  const module = new nn.MultiheadAttention(e, e % 2 === 0 ? 2 : 1, options);
  const [needWeights, averageAttnWeights] = [chance.yes(), chance.yes()];
  const kind = chance.below(4);
  const attnMask = mask([t, s], chance, kind === 1);
  const padding = mask([n, s], chance, true);
  return {
    module,
    others: [other],
    run: (x, y) => {
      const masks = kind === 0 ? {} : kind === 3 ? { keyPaddingMask: tf.logicalNot(padding()) } : { attnMask: kind === 1 ? tf.logicalNot(attnMask()) : attnMask() }; // prettier-ignore
      const [o, w] = module(x, y, y, { ...masks, needWeights, averageAttnWeights });
      return w ? [o, w] : o;
    },
  };
});

const RECURRENT = [nn.LSTM, nn.GRU, nn.RNN] as const;

const recurrent: Piece = fitting(2, 3, (shape, chance) => {
  const size = chance.from(2, 4);
  const kind = chance.below(3);
  const options = {
    numLayers: chance.from(1, 2),
    bias: chance.yes(),
    batchFirst: chance.yes(),
    bidirectional: chance.yes(),
    ...(kind === 0 && chance.yes() && { projSize: size - 1 }),
    ...(kind === 2 && { nonlinearity: chance.pick(["tanh", "relu"] as const) }),
  };
  const module = new RECURRENT[kind]!(shape.at(-1)!, size, options);
  const wants = chance.below(3); // the output, the states, or both
  return {
    module,
    run: (x) => {
      const [output, state] = (module as nn.LSTM)(x) as unknown as [tf.Tensor, tf.Tensor | tf.Tensor[]]; // prettier-ignore
      return wants === 0 ? output : wants === 1 ? [state].flat() : [output, ...[state].flat()];
    },
  };
});

const cell: Piece = fitting(1, 2, (shape, chance) => {
  const kind = chance.pick([nn.LSTMCell, nn.GRUCell, nn.RNNCell] as const);
  const module = new kind(shape.at(-1)!, chance.from(1, 4), { bias: chance.yes() });
  return { module, run: (x) => (module as nn.LSTMCell)(x) };
});

const transformer: Piece = fitting(3, 3, ([, , e], chance) => {
  const options = { dimFeedforward: 5, batchFirst: chance.yes(), normFirst: chance.yes(), activation: chance.pick(["relu", "gelu"] as const) }; // prettier-ignore
  const count = e! % 2 === 0 ? 2 : 1;
  if (chance.yes()) {
    const module = new nn.TransformerEncoderLayer(e!, count, options);
    return { module, run: (x) => module(x) };
  }
  const module = new nn.TransformerDecoderLayer(e!, count, options);
  return { module, run: (x) => module(x, tf.mul(x, 0.5)) };
});

export const SEQUENCES: readonly Piece[] = [
  ...[product, product, byParameter, einsum],
  ...[sdpa, sdpa, attention, attention, multihead],
  ...[recurrent, recurrent, cell, transformer],
];
