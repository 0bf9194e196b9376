/** `torch.nn.utils.rnn`: batches of sequences that differ in length. */
export {
  PackedSequence,
  type PackOptions,
  packPaddedSequence,
  packSequence,
  type PadPackedOptions,
  padPackedSequence,
  padSequence,
  type PadSequenceOptions,
  unpackSequence,
  unpadSequence,
} from "../functional/packed-sequence.js";
