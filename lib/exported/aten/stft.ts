import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { c2c, c2r, fit, r2c } from "./fft.js";
import { both, type Complex, isComplex, pairToComplex } from "./support/complex.js";
import { defineOps } from "./support/define.js";
import { takeAxis } from "./support/shape.js";

type Given = tf.Tensor | Complex;

/** Fourier transforms of windowed frames of a signal: `(…, L)` → `(…, frequencies, frames)`. */
function stft(
  self: tf.Tensor,
  nFft: number,
  hopLength: number | null,
  winLength: number | null,
  window: tf.Tensor | null,
  normalized: boolean,
  onesided: boolean | null,
  returnComplex: boolean | null,
): Given {
  const hop = hopLength ?? Math.floor(nFft / 4);
  const length = self.shape.at(-1)!;
  const frames = 1 + Math.floor((length - nFft) / hop);
  const places = Int32Array.from(
    { length: frames * nFft },
    (_, i) => Math.floor(i / nFft) * hop + (i % nFft),
  );
  const batched = tf.reshape(self, [-1, length]);
  const cut = tf.reshape(takeAxis(batched, 1, places), [-1, frames, nFft]);
  const shaped = tf.mul(cut, frameWindow(nFft, winLength, window));
  const { re, im } = r2c(shaped, 2, onesided ?? true, normalized ? 1 / Math.sqrt(nFft) : 1);
  const give = (x: tf.Tensor): tf.Tensor => {
    const turned = tf.transpose(x, [0, 2, 1]);
    return tf.reshape(turned, [...self.shape.slice(0, -1), ...turned.shape.slice(1)]);
  };
  const result = { re: give(re), im: give(im) };
  return returnComplex ? result : tf.stack([result.re, result.im], -1);
}

/** The window, centred in a frame. */
function frameWindow(nFft: number, winLength: number | null, window: tf.Tensor | null): tf.Tensor {
  const size = winLength ?? nFft;
  const left = Math.floor((nFft - size) / 2);
  const given = window ?? tf.ones([size]);
  return tf.reshape(tf.pad(given as tf.Tensor1D, [[left, nFft - size - left]]), [1, 1, nFft]);
}

function centredStft(
  self: tf.Tensor, nFft: number, hop: number | null = null, win: number | null = null, window: tf.Tensor | null = null,
  center = true, padMode: string = "reflect", normalized = false, onesided: boolean | null = null, returnComplex: boolean | null = null,
): Given {
  if (!center) return stft(self, nFft, hop, win, window, normalized, onesided, returnComplex);
  const half = Math.floor(nFft / 2);
  const lead = tf.reshape(self, [1, -1, self.shape.at(-1)!]);
  const padded = F.pad(lead, [half, half], { mode: padMode as F.PadMode });
  const x = tf.reshape(padded, [...self.shape.slice(0, -1), padded.shape[2]!]);
  return stft(x, nFft, hop, win, window, normalized, onesided, returnComplex);
} // prettier-ignore

/** The inverse: adds overlapping frames, and divides by the sum of the squared windows. */
function istft(
  self: Given, nFft: number, hopLength: number | null = null, winLength: number | null = null, window: tf.Tensor | null = null,
  center = true, normalized = false, _onesided: boolean | null = null, length: number | null = null,
  returnComplex = false,
): Given {
  const z = isComplex(self) ? self : pairToComplex(self);
  const hop = hopLength ?? Math.floor(nFft / 4);
  const { shape } = z.re;
  const frames = shape.at(-1)!;
  const turned = both(z, (x) => tf.transpose(tf.reshape(x, [-1, ...shape.slice(-2)]), [0, 2, 1]));
  const factor = normalized ? 1 / Math.sqrt(nFft) : 1 / nFft;
  const w = frameWindow(nFft, winLength, window);
  const columns = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, 2, 1]);
  const total = nFft + hop * (frames - 1);
  const fold = (x: tf.Tensor): tf.Tensor => tf.reshape(F.fold(columns(x), [1, total], [1, nFft], { stride: [1, hop] }), [-1, total]);
  const weight = fold(tf.tile(tf.square(w), [1, frames, 1]));
  const start = center ? Math.floor(nFft / 2) : 0;
  const end = length === null ? total - (center ? Math.floor(nFft / 2) : 0) : start + length;
  const cut = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, start], [x.shape[0], Math.min(end, total) - start]);
  const join = (frame: tf.Tensor): tf.Tensor => {
    const y = tf.div(cut(fold(tf.mul(frame, w))), cut(weight));
    return tf.reshape(fit(y, 1, end - start), [...shape.slice(0, -2), end - start]);
  };
  // For a real signal, the first half of a two-sided spectrum suffices.
  return returnComplex ? both(c2c(turned, 2, false, factor), join) : join(c2r(turned, 2, nFft, factor));
} // prettier-ignore

export const stftOps = defineOps({
  "stft(self, n_fft, hop_length, win_length, window, normalized, onesided, return_complex, align_to_window)": (
    self: tf.Tensor, nFft: number, hop: number | null = null, win: number | null = null, window: tf.Tensor | null = null,
    normalized = false, onesided: boolean | null = null, returnComplex: boolean | null = null,
  ) => stft(self, nFft, hop, win, window, normalized, onesided, returnComplex), // prettier-ignore
  "stft.center(self, n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided, return_complex, align_to_window)":
    centredStft,
  "istft(self, n_fft, hop_length, win_length, window, center, normalized, onesided, length, return_complex)":
    istft,
});
