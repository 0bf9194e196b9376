import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";

/** A transformer layer that normalises before attention and before the feed-forward part. */
class Block extends nn.Module {
  readonly ln1: nn.LayerNorm;
  readonly attn: nn.MultiheadAttention;
  readonly ln2: nn.LayerNorm;
  readonly mlp: nn.Sequential;

  constructor(dim: number, heads: number) {
    super();
    this.ln1 = new nn.LayerNorm(dim);
    this.attn = new nn.MultiheadAttention(dim, heads, { batchFirst: true });
    this.ln2 = new nn.LayerNorm(dim);
    this.mlp = new nn.Sequential(
      new nn.Linear(dim, 4 * dim),
      new nn.GELU({ approximate: "tanh" }),
      new nn.Linear(4 * dim, dim),
    );
  }

  /** `(B, T, D)` and a mask `(T, T)` → `(B, T, D)`. */
  override forward(x: tf.Tensor, attnMask: tf.Tensor): tf.Tensor {
    const y = this.ln1(x);
    x = tf.add(x, this.attn(y, y, y, { attnMask, needWeights: false })[0]);
    return tf.add(x, this.mlp(this.ln2(x)));
  }
}

/** The longest input in tokens: the one that starts a word, and up to 15 letters. */
export const CONTEXT = 16;

/** Spells English words letter by letter. Token 0 starts and ends a word; 1 to 26 are a to z. */
export class WordGPT extends nn.Module {
  readonly tok: nn.Embedding;
  readonly pos: nn.Embedding;
  readonly blocks: nn.ModuleList;
  readonly ln: nn.LayerNorm;
  readonly head: nn.Linear;

  constructor(dim = 64, layers = 3, heads = 4) {
    super();
    this.tok = new nn.Embedding(27, dim);
    this.pos = new nn.Embedding(CONTEXT, dim);
    this.blocks = new nn.ModuleList(Array.from({ length: layers }, () => new Block(dim, heads)));
    this.ln = new nn.LayerNorm(dim);
    this.head = new nn.Linear(dim, 27, { bias: false });
  }

  /** Letters `(B, T)` → logits of each next letter `(B, T, 27)`. */
  override forward(ids: tf.Tensor): tf.Tensor {
    const length = ids.shape[1]!;
    const mask = nn.Transformer.generateSquareSubsequentMask(length);
    let x = tf.add(this.tok(ids), this.pos(tf.range(0, length, 1, "int32")));
    for (const block of this.blocks) x = block(x, mask) as tf.Tensor;
    return this.head(this.ln(x));
  }
}

/** Continues a word with the most probable letters until it ends. */
export function complete(model: WordGPT, prefix: string): string {
  const ids = [0, ...Array.from(prefix, (letter) => letter.charCodeAt(0) - 96)];
  while (ids.length < CONTEXT) {
    const next = tf.tidy(() => {
      const logits = model(tf.tensor2d([ids], [1, ids.length], "int32"));
      const last = tf.slice(logits, [0, ids.length - 1, 0], [1, 1, 27]);
      return tf.argMax(tf.reshape(last, [27])).dataSync()[0]!;
    });
    if (next === 0) break;
    ids.push(next);
  }
  return ids
    .slice(1)
    .map((id) => String.fromCharCode(96 + id))
    .join("");
}
