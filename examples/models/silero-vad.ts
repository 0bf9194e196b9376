import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import * as F from "sconce/functional";

/** Numbers of new samples and of samples kept from before, at 16 kHz. */
export const CHUNK = 512;
export const CONTEXT = 64;

export type VadState = [h: tf.Tensor, c: tf.Tensor];

/**
 * Silero VAD: is there speech in the next 32 ms of sound at 16 kHz?
 *
 * The first convolution is a short-time Fourier transform, its weight the basis.
 */
export class SileroVAD extends nn.Module {
  readonly stft_conv = new nn.Conv1d(1, 258, 256, { stride: 128, bias: false });
  readonly conv1 = new nn.Conv1d(129, 128, 3, { padding: 1 });
  readonly conv2 = new nn.Conv1d(128, 64, 3, { stride: 2, padding: 1 });
  readonly conv3 = new nn.Conv1d(64, 64, 3, { stride: 2, padding: 1 });
  readonly conv4 = new nn.Conv1d(64, 128, 3, { padding: 1 });
  readonly lstm_cell = new nn.LSTMCell(128, 128);
  readonly final_conv = new nn.Conv1d(128, 1, 1);

  /** `(B, 576)`, 64 old and 512 new samples in -1 to 1 → the probability `(B, 1)`, and the state. */
  override forward(x: tf.Tensor, state: VadState | null = null): [tf.Tensor, VadState] {
    x = F.pad(tf.expandDims(x, 1), [0, 64], { mode: "reflect" }); // (B, 1, 640)
    const [real, imaginary] = tf.split(this.stft_conv(x), 2, 1) as [tf.Tensor, tf.Tensor];
    x = tf.sqrt(tf.add(tf.square(real), tf.square(imaginary))); // (B, 129, 4)
    for (const conv of [this.conv1, this.conv2, this.conv3, this.conv4]) x = F.relu(conv(x));
    const [h, c] = this.lstm_cell(tf.squeeze(x, [2]), state) as VadState;
    const y = F.sigmoid(this.final_conv(F.relu(tf.expandDims(h, 2)))); // (B, 1, 1)
    return [tf.mean(tf.squeeze(y, [1]), 1, true), [h, c]];
  }
}

/**
 * Runs the model (or its compiled form) over a recording chunk by chunk. Returns the probability of
 * speech in each chunk.
 */
export function detectSpeech(model: SileroVAD["forward"], samples: Float32Array): Float32Array {
  const padded = new Float32Array(CONTEXT + samples.length);
  padded.set(samples, CONTEXT);
  const probabilities: number[] = [];
  let state: VadState | null = null;
  for (let i = CONTEXT; i + CHUNK <= padded.length; i += CHUNK) {
    const x = tf.tensor2d(padded.slice(i - CONTEXT, i + CHUNK), [1, CONTEXT + CHUNK]);
    const [probability, next] = model(x, state);
    probabilities.push(probability.dataSync()[0]!);
    tf.dispose([x, probability, state ?? []]);
    state = next;
  }
  tf.dispose(state ?? []);
  return Float32Array.from(probabilities);
}
