import { attention } from "./attention.js";
import { dtypeOf, type ListLowering, type Lowering } from "./common.js";
import { layerNorm, softmax } from "./norms.js";
import { pointwise } from "./pointwise.js";
import { adaptiveAvgPool, pool } from "./pools.js";
import { conv } from "./convolutions.js";
import { linear, matmul } from "./products.js";
import { cell, lstmCell, sequence } from "./recurrent.js";
import { reduce } from "./reduce.js";
import { kernels } from "./kernels.js";
import { adaptivePool, gather, interpolate, padAll, separatePool } from "./windows.js";
import { fold, unfold } from "./columns.js";
import { largest, unpool } from "./places.js";
import { embedding, embeddingBag } from "./embeddings.js";
import { cast, concat, pad, permute, reshape, slice } from "./views.js";

/** Tries `first`, then `second` if `first` has no program for the node. */
function either(first: Lowering, second: Lowering): Lowering {
  return (b, node, read) => first(b, node, read) ?? second(b, node, read);
}

/** Refuses integer results: averages of integers are rounded, which the programs do not do. */
function ofFloats(lowering: Lowering): Lowering {
  return (b, node, read) => (dtypeOf(node) === "float32" ? lowering(b, node, read) : null);
}

/**
 * The lowerings by op name. Other ops are tried as elementwise ones, and if that fails, tfjs runs
 * them.
 */
export const LOWERINGS: Readonly<Record<string, Lowering>> = {
  linear,
  "prim.linear": linear,
  conv1d: conv,
  conv2d: conv,
  conv3d: conv,
  conv_transpose1d: conv,
  conv_transpose2d: conv,
  conv_transpose3d: conv,
  "prim.conv1d": conv,
  "prim.conv2d": conv,
  "prim.matmul": matmul,
  scaled_dot_product_attention: attention,
  "prim.scaled_dot_product_attention": attention,
  layer_norm: layerNorm,
  rms_norm: layerNorm,
  softmax,
  log_softmax: softmax,
  max_pool1d: either(pool, separatePool),
  max_pool2d: either(pool, separatePool),
  max_pool3d: separatePool,
  avg_pool1d: ofFloats(either(pool, separatePool)),
  avg_pool2d: ofFloats(either(pool, separatePool)),
  avg_pool3d: ofFloats(separatePool),
  adaptive_avg_pool1d: either(adaptiveAvgPool, adaptivePool),
  adaptive_avg_pool2d: either(adaptiveAvgPool, adaptivePool),
  adaptive_avg_pool3d: adaptivePool,
  adaptive_max_pool1d: adaptivePool,
  adaptive_max_pool2d: adaptivePool,
  adaptive_max_pool3d: adaptivePool,
  interpolate,
  "prim.gather": gather,
  "prim.permute": permute,
  "prim.reshape": reshape,
  "prim.slice": slice,
  "prim.concat": concat,
  "prim.cast": cast,
  embedding,
  embedding_bag: embeddingBag,
  im2col: unfold,
  col2im: fold,
  max_unpool1d: unpool,
  max_unpool2d: unpool,
  max_unpool3d: unpool,
  gru_cell: cell,
  rnn_tanh_cell: cell,
  rnn_relu_cell: cell,
  pad: either(pad, padAll),
  "prim.Sum": reduce,
  "prim.Mean": reduce,
  "prim.Max": reduce,
  "prim.Min": reduce,
  ...kernels,
};

/** Lowerings of ops that return several tensors. */
export const LIST_LOWERINGS: Readonly<Record<string, ListLowering>> = {
  max_pool1d: largest,
  max_pool2d: largest,
  max_pool3d: largest,
  adaptive_max_pool1d: largest,
  adaptive_max_pool2d: largest,
  adaptive_max_pool3d: largest,
  lstm: sequence,
  gru: sequence,
  rnn_tanh: sequence,
  rnn_relu: sequence,
  lstm_cell: lstmCell,
};

export const lower: Lowering = (b, node, read) =>
  (LOWERINGS[node.target] ?? pointwise)(b, node, read);
