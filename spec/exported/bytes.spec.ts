import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { onEveryBackend } from "../support/backends.js";

const run = (target: string, ...args: unknown[]): tf.Tensor[] =>
  [
    lookUpOp(`aten.${target}`)!(args, {}, { outputs: [], inputs: [] } as never),
  ].flat() as tf.Tensor[];

const numbersOf = (results: tf.Tensor[]): number[][] =>
  results.map((one) => Array.from(one.dataSync()));

/** What torch 2.15 gave. */
onEveryBackend("Ops of bytes, of rounded and of few numbers", () => {
  const picture = (): tf.Tensor =>
    tf.tensor(Array.from({ length: 20 }, (_, i) => (i * 97) % 256), [1, 1, 4, 5], "int32"); // prettier-ignore

  const WHOLE = {
    _upsample_bilinear2d_aa: [69, 80, 117, 186, 72, 69, 124, 216, 125, 85, 154, 131, 110, 92, 183, 92, 52, 121, 190, 150, 59],
    upsample_bilinear2d: [38, 69, 121, 190, 76, 73, 128, 216, 125, 85, 154, 131, 110, 92, 179, 88, 48, 117, 186, 146, 55],
    _upsample_bicubic2d_aa: [60, 71, 123, 189, 52, 53, 134, 234, 124, 69, 154, 135, 107, 90, 189, 85, 30, 118, 218, 160, 46],
    upsample_bicubic2d: [35, 58, 133, 191, 64, 53, 137, 254, 124, 63, 154, 139, 106, 89, 191, 76, 23, 116, 213, 159, 41],
  }; // prettier-ignore
  for (const [name, want] of Object.entries(WHOLE)) {
    it(`${name} makes whole bytes along the width, and then along the height`, () => {
      const resized = run(`${name}.vec`, picture(), [3, 7], false, null);
      expect(numbersOf(resized)).to.deep.equal([want]);
    });
  }

  it("bytes are resized by scales, and from corner to corner", () => {
    const scaled = run("_upsample_bilinear2d_aa.vec", picture(), null, false, [0.6, 1.5]);
    const corners = run("upsample_bilinear2d.default", picture(), [3, 7], true);
    expect(numbersOf([...scaled, ...corners])).to.deep.equal([
        [98, 92, 101, 166, 103, 39, 104, 202, 123, 59, 124, 161, 163, 95],
        [0, 65, 129, 194, 88, 67, 132, 216, 110, 89, 154, 133, 112, 92, 175, 69, 48, 113, 178, 157, 51],
      ]); // prettier-ignore
  });

  it("fake_quantize rounds halves to the even one, and tells what was in the range", () => {
    const x = tf.tensor2d([[-9, -0.25, 0.25, 0.75], [1.1, 2, 7.9, 0.1]]); // prettier-ignore
    const [scale, zero] = [tf.tensor1d([0.5]), tf.tensor1d([3], "int32")];
    const [scales, zeros] = [tf.tensor1d([0.5, 0.25]), tf.tensor1d([3, 0], "int32")];
    const [whole, mask] = [[-1.5, 0, 0, 1, 1, 2, 6, 0], [0, 1, 1, 1, 1, 1, 0, 1]]; // prettier-ignore
    const rows = [-1.5, 0, 0, 1, 1, 2, 3.75, 0];
    const [tensor, channel] = ["fake_quantize_per_tensor_affine", "fake_quantize_per_channel_affine"]; // prettier-ignore
    expect(
      numbersOf([
        ...run(`${tensor}.default`, x, 0.5, 3, 0, 15),
        ...run(`${tensor}.tensor_qparams`, x, scale, zero, 0, 15),
        ...run(`${tensor}_cachemask.default`, x, 0.5, 3, 0, 15),
        ...run(
          `_${tensor}_cachemask_tensor_qparams.default`,
          x,
          scale,
          zero,
          tf.tensor1d([1], "int32"),
          0,
          15,
        ),
        ...run(`${channel}.default`, x, scales, zeros, 0, 0, 15),
        ...run(`${channel}_cachemask.default`, x, scales, zeros, 0, 0, 15),
      ]),
    ).to.deep.equal([whole, whole, whole, mask, whole, mask, rows, rows, mask]);
  });

  it("fake_quantize adds zeros that are floats before it rounds, but those of a whole tensor as integers", () => {
    const x = tf.tensor2d([[1.2, -0.3, 20, 2.5], [0.1, 3.3, -9, 0.6]]); // prettier-ignore
    const [scales, zeros] = [tf.tensor1d([1, 0.5]), tf.tensor1d([0.5, 0.25])];
    const channels = run("fake_quantize_per_channel_affine_cachemask.default", x, scales, zeros, 0, 0, 15); // prettier-ignore
    const whole = run("fake_quantize_per_tensor_affine.tensor_qparams", tf.tensor1d([1.2, 1.7, -0.3, 20]), tf.tensor1d([1]), tf.tensor1d([1.5]), 0, 15); // prettier-ignore
    expect(numbersOf([...channels, ...whole])).to.deep.equal([
      [1.5, -0.5, 14.5, 2.5, -0.125, 3.375, -0.125, 0.375],
      [1, 1, 0, 1, 1, 1, 0, 1],
      [1, 2, 0, 14],
    ]);
  });

  it("fake_quantize that is not enabled gives back what it got", () => {
    const [x, scale] = [tf.tensor1d([1.25, -0.5, 20]), tf.tensor1d([0.5])];
    const [zero, off] = [tf.tensor1d([2], "int32"), tf.tensor1d([0], "int32")];
    const target = "_fake_quantize_per_tensor_affine_cachemask_tensor_qparams.default";
    expect(numbersOf(run(target, x, scale, zero, off, 0, 15))).to.deep.equal([[1.25, -0.5, 20], [1, 1, 1]]); // prettier-ignore
  });

  it("only bytes are resized, in pictures that are not empty", () => {
    const resize = (name: string, shape: number[], size: number[], dtype: string) => () =>
      lookUpOp(`aten.${name}.vec`)!([tf.zeros(shape, "int32"), size, false, null], {}, {
        ...{ inputs: [{ dtype, shape }], outputs: [] },
      } as never);
    const [cube, linear] = [[1, 1, 2, 2, 2], "compute_indices_weights_linear"];
    for (const [call, message] of [
      [resize("upsample_trilinear3d", cube, [4, 4, 4], "int32"), `"${linear}" not implemented for 'Int'`],
      [resize("upsample_linear1d", [1, 1, 4], [8], "uint8"), `"${linear}" not implemented for 'Byte'`],
      [resize("upsample_bicubic2d", [1, 1, 4, 4], [8, 8], "int64"), `"compute_indices_weights_cubic" not implemented for 'Long'`],
      [resize("_upsample_bilinear2d_aa", [1, 1, 4, 4], [8, 8], "int16"), `"compute_index_ranges_weights" not implemented for 'Short'`],
      [resize("upsample_bilinear2d", [1, 1, 4, 4], [0, 8], "uint8"), "Input and output sizes should be greater than 0"],
      [resize("upsample_bilinear2d", [1, 1, 0, 4], [2, 8], "uint8"), "Input and output sizes should be greater than 0"],
    ] as const) expect(call).to.throw(message); // prettier-ignore
  });

  it("a cast takes what is there of a device, a tensor and the memory format by their places", () => {
    const x = tf.tensor1d([1, 2], "int32");
    const cast = [
      ...run("to.dtype", x, "float32", false, false, "channels_last"),
      ...run("to.device", x, "cpu", "float32", false, false, "channels_last"),
      ...run("to.other", x, x, false, false, "channels_last"),
    ];
    expect(numbersOf(cast)).to.deep.equal([[1, 2], [1, 2], [1, 2]]); // prettier-ignore
  });

  it("sparse tensors have no values beyond their size", () => {
    const put = (row: number, column: number) => () =>
      run("sparse_coo_tensor.indices_size", tf.tensor2d([[row], [column]], undefined, "int32"), tf.tensor1d([7]), [3, 2]); // prettier-ignore
    expect(put(0, 2)).to.throw("size is inconsistent with indices: for dim 1, size is 2 but found index 2"); // prettier-ignore
    expect(put(0, -1)).to.throw("found negative index -1 for dim 1");
  });

  it("sparse tensors are dense ones, where a place is named twice the sum", () => {
    const places = tf.tensor2d([[0, 2, 0], [1, 0, 1]], undefined, "int32"); // prettier-ignore
    const values = tf.tensor1d([1, 2, 4]);
    const [sparse] = run("sparse_coo_tensor.indices_size", places, values, [3, 2]);
    const same = run("_sparse_coo_tensor_with_dims_and_tensors.default", 2, 0, [3, 2], places, values); // prettier-ignore
    const product = run("_sparse_mm.default", sparse, tf.tensor2d([[1, 2], [3, 4]])); // prettier-ignore
    const dense = run("to_dense.default", run("coalesce.default", sparse)[0]);
    const whole = [0, 5, 0, 0, 2, 0];
    expect(numbersOf([sparse!, ...same, ...dense, ...product])).to.deep.equal([
      ...[whole, whole, whole, [15, 20, 0, 0, 2, 4]],
    ]);
  });

  it("the imaginary part of a conjugate that was decomposed is negative", () => {
    expect(numbersOf(run("_neg_view.default", tf.tensor1d([1, -2])))).to.deep.equal([[-1, 2]]);
  });
});
