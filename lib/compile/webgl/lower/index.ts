import { attention } from "./attention.js";
import type { ListLowering, Lowering } from "./common.js";
import { layerNorm, softmax } from "./norms.js";
import { pointwise } from "./pointwise.js";
import { adaptiveAvgPool, pool } from "./pools.js";
import { conv, linear, matmul } from "./products.js";
import { cell, lstmCell, sequence } from "./recurrent.js";
import { reduce } from "./reduce.js";
import { cast, concat, embedding, pad, permute, reshape, slice } from "./views.js";

/** Which ops have programs. Any other is tried as an op of one element, and else left to tfjs. */
export const LOWERINGS: Readonly<Record<string, Lowering>> = {
  linear,
  "prim.linear": linear,
  conv1d: conv,
  conv2d: conv,
  "prim.conv1d": conv,
  "prim.conv2d": conv,
  "prim.matmul": matmul,
  scaled_dot_product_attention: attention,
  layer_norm: layerNorm,
  rms_norm: layerNorm,
  softmax,
  log_softmax: softmax,
  max_pool1d: pool,
  max_pool2d: pool,
  avg_pool1d: pool,
  avg_pool2d: pool,
  adaptive_avg_pool1d: adaptiveAvgPool,
  adaptive_avg_pool2d: adaptiveAvgPool,
  "prim.permute": permute,
  "prim.reshape": reshape,
  "prim.slice": slice,
  "prim.concat": concat,
  "prim.cast": cast,
  embedding,
  gru_cell: cell,
  rnn_tanh_cell: cell,
  rnn_relu_cell: cell,
  pad,
  "prim.Sum": reduce,
  "prim.Mean": reduce,
  "prim.Max": reduce,
  "prim.Min": reduce,
};

/** Ops that give several tensors. */
export const LIST_LOWERINGS: Readonly<Record<string, ListLowering>> = {
  lstm: sequence,
  gru: sequence,
  rnn_tanh: sequence,
  rnn_relu: sequence,
  lstm_cell: lstmCell,
};

export const lower: Lowering = (b, node, read) =>
  (LOWERINGS[node.target] ?? pointwise)(b, node, read);
