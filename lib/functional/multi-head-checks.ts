import * as tf from "@tensorflow/tfjs-core";
import { checkTensor, shapeText } from "./check.js";

type Maybe = tf.Tensor | null;

const WHERE = "multi_head_attention_forward()";

/** Checks the ranks of inputs and masks; returns whether there is a batch dimension. */
export function checkRanks(
  inputs: readonly [query: tf.Tensor, key: tf.Tensor, value: tf.Tensor],
  keyPaddingMask: Maybe,
  attnMask: Maybe,
): boolean {
  inputs.forEach((x, i) => {
    checkTensor("multi_head_attention_forward", x, ["query", "key", "value"][i], i + 1);
  });
  const [{ rank }, key, value] = inputs;
  if (rank !== 2 && rank !== 3) {
    throw new Error(
      `${WHERE}: query should be unbatched 2D or batched 3D tensor ` +
        `but received ${rank}-D query tensor`,
    );
  }
  const kind = `${WHERE}: For ${rank === 3 ? "batched (3-D)" : "unbatched (2-D)"} \`query\``;
  if (key.rank !== rank || value.rank !== rank) {
    throw new Error(
      `${kind}, expected \`key\` and \`value\` to be ${rank}-D ` +
        `but found ${key.rank}-D and ${value.rank}-D tensors respectively`,
    );
  }
  if (keyPaddingMask !== null && keyPaddingMask.rank !== rank - 1) {
    throw new Error(
      `${kind}, expected \`key_padding_mask\` to be \`None\` or ${rank - 1}-D ` +
        `but found ${keyPaddingMask.rank}-D tensor instead`,
    );
  }
  if (attnMask !== null && attnMask.rank !== 2 && attnMask.rank !== 3) {
    throw new Error(
      `${kind}, expected \`attn_mask\` to be \`None\`, 2-D or 3-D ` +
        `but found ${attnMask.rank}-D tensor instead`,
    );
  }
  for (const [name, mask] of Object.entries({
    key_padding_mask: keyPaddingMask,
    attn_mask: attnMask,
  })) {
    if (mask === null || mask.dtype === "bool" || mask.dtype === "float32") continue;
    throw new Error(
      `${WHERE}: only bool and floating types of ${name} are supported, got ${mask.dtype}`,
    );
  }
  return rank === 3;
}

/** Checks that sizes match; all inputs have a batch dimension. */
export function checkSizes(
  [query, key, value]: readonly [tf.Tensor, tf.Tensor, tf.Tensor],
  embedDim: number,
  numHeads: number,
  isSeparate: boolean,
): void {
  if (query.shape[2] !== embedDim) {
    throw new Error(
      `${WHERE}: was expecting embedding dimension of ${embedDim}, but got ${query.shape[2]}`,
    );
  }
  if (embedDim % numHeads !== 0) {
    throw new Error(`${WHERE}: embed_dim ${embedDim} not divisible by num_heads ${numHeads}`);
  }
  const compared = isSeparate ? 2 : 3;
  const [ofKey, ofValue] = [key.shape.slice(0, compared), value.shape.slice(0, compared)];
  if (!tf.util.arraysEqual(ofKey, ofValue)) {
    throw new Error(
      isSeparate
        ? `${WHERE}: key's sequence and batch dims ${shapeText(ofKey)} do not match value's ${shapeText(ofValue)}`
        : `${WHERE}: key shape ${shapeText(ofKey)} does not match value shape ${shapeText(ofValue)}`,
    );
  }
  if (key.shape[1] !== query.shape[1]) {
    throw new Error(
      `${WHERE}: expected key and value with the query's batch size ${query.shape[1]}, ` +
        `got ${key.shape[1]}`,
    );
  }
}

/** Refuses an attention mask that is not `(L, S)` or `(N·H, L, S)`. */
export function checkAttnMask(
  mask: tf.Tensor,
  [n, heads, l, s]: readonly [number, number, number, number],
): void {
  const want = mask.rank === 2 ? [l, s] : [n * heads, l, s];
  if (tf.util.arraysEqual(mask.shape, want)) return;
  throw new Error(
    `${WHERE}: The shape of the ${mask.rank}D attn_mask is ${shapeText(mask.shape)}, ` +
      `but should be ${shapeText(want)}.`,
  );
}

/** Refuses a key padding mask that is not `(N, S)`. */
export function checkKeyPaddingMask(mask: tf.Tensor, n: number, s: number): void {
  for (const [dim, want] of [n, s].entries()) {
    if (mask.shape[dim] === want) continue;
    throw new Error(
      `${WHERE}: Expected key_padded_mask.shape[${dim}] to be ${want}, but got ${mask.shape[dim]}`,
    );
  }
}
