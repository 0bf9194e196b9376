/** `torch.nn.utils.rnn`: batches of sequences that differ in length. */
export * from "../sequences.js";
