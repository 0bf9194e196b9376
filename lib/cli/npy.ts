/** Writes numpy's `.npy`: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import type * as tf from "@tensorflow/tfjs-core";

const MAGIC = "\x93NUMPY\x01\x00";

interface Kind {
  descr: string;
  bytes: (values: ArrayLike<number>) => ArrayBufferView;
}

const FLOAT: Kind = { descr: "<f4", bytes: (values) => Float32Array.from(values) };
const KINDS: Readonly<Record<string, Kind>> = {
  bool: { descr: "|b1", bytes: (values) => Uint8Array.from(values) },
  int32: { descr: "<i4", bytes: (values) => Int32Array.from(values) },
  int64: { descr: "<i8", bytes: (values) => BigInt64Array.from(Array.from(values, BigInt)) },
};

/**
 * The bytes of a `.npy` file with real values; `dtype` is PyTorch's name, and non-integers become
 * float32.
 */
export function toNpy(tensor: tf.Tensor, dtype: string = tensor.dtype): Uint8Array {
  const { descr, bytes } = (Object.hasOwn(KINDS, dtype) && KINDS[dtype]) || FLOAT;
  const { shape } = tensor;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The data begin at a multiple of 64.
  const length = Math.ceil((MAGIC.length + 2 + dict.length + 1) / 64) * 64 - MAGIC.length - 2;
  const text = `${MAGIC}\0\0${dict.padEnd(length - 1)}\n`;
  const { buffer, byteOffset, byteLength } = bytes(tensor.dataSync());
  const file = new Uint8Array(text.length + byteLength);
  for (let i = 0; i < text.length; i += 1) file[i] = text.charCodeAt(i);
  new DataView(file.buffer).setUint16(MAGIC.length, length, true);
  file.set(new Uint8Array(buffer, byteOffset, byteLength), text.length);
  return file;
}
