/** A tensor as a pickle describes it: a view of a storage, whose bytes are read when needed. */
import type { ByteSource } from "./byte-source.js";
import { type Dtype, DTYPES, type ForeignDtype, viewAs, wordSize } from "./dtype.js";
import { Entry, UnreadableEntry } from "./entry.js";
import { CheckpointError } from "./errors.js";
import type { Quantizer } from "./quantizer.js";
import { areSizes, isContiguous, numelOf } from "./sizes.js";
import { gather, PIECE, swapBytes } from "./strided.js";
import { inPieces, type LoadTask } from "./task.js";

/** A run of bytes that tensors share. */
export interface Storage {
  /** Null if the storage does not tell; then the tensor does. */
  readonly dtype: Dtype | null;
  readonly nbytes: number;
  readonly isBigEndian?: boolean;
  /** Whether the bytes may be unaligned, so that every tensor has to copy them. */
  readonly isCopied?: boolean;
  /** Reads all of it. If it is aligned for all dtypes, the same array is returned each time. */
  read(): Promise<Uint8Array>;
}

/** The format's own limit for dimensions. */
const MAX_DIMS = 64;

export interface TensorLayout {
  dtype: Dtype;
  shape: readonly number[];
  stride: readonly number[];
  offset: number;
  quantizer?: PendingQuantizer | undefined;
  /** PyTorch's lazy conjugation and negation, not yet applied to the bytes. */
  isConjugate?: boolean;
  isNegative?: boolean;
}

/** A quantizer whose numbers may be tensors. */
export interface PendingQuantizer {
  scale: LazyTensor | readonly number[];
  zeroPoint: LazyTensor | readonly number[];
  axis?: number;
}

/** Limits the memory for copies: with strides of 0, a few bytes can describe a huge tensor. */
export class Allowance {
  private left: number;

  constructor(
    /** The file of the tensors. */
    readonly file: ByteSource,
  ) {
    this.left = 64 * 2 ** 20 + 8 * file.size;
  }

  spend(bytes: number, key: string): void {
    this.left -= bytes;
    if (this.left >= 0) return;
    throw new CheckpointError(
      `'${key}' and those before it repeat their storages to ${bytes} bytes and more, ` +
        "far more than the file holds",
      { key },
    );
  }
}

/** A tensor without plain values: sparse, on the meta device … */
export class UnreadableTensor {
  constructor(
    readonly what: string,
    readonly dtype: Dtype | ForeignDtype,
    readonly shape: readonly number[] = [],
  ) {}

  toEntry(key: string, { file }: Allowance): Promise<Entry> {
    const { what, dtype, shape } = this;
    return Promise.resolve(new UnreadableEntry(what, dtype, shape, key, file.name));
  }
}

export class LazyTensor {
  constructor(
    readonly storage: Storage,
    readonly layout: TensorLayout,
  ) {
    checkLayout(storage, layout);
  }

  get dtype(): Dtype {
    return this.layout.dtype;
  }

  get shape(): readonly number[] {
    return this.layout.shape;
  }

  async toEntry(key: string, allowance: Allowance): Promise<Entry> {
    const { dtype, shape, quantizer } = this.layout;
    const bytes = await this.readBytes(key, allowance);
    const settled = quantizer && (await settle(quantizer, shape, key, allowance));
    return new Entry(dtype, shape, bytes, key, settled, allowance.file.name);
  }

  private async readBytes(key: string, allowance: Allowance): Promise<Uint8Array> {
    const { storage, layout } = this;
    const { task } = allowance.file;
    const { dtype, shape, stride, offset } = layout;
    const { bits } = DTYPES[dtype];
    const size = Math.ceil((numelOf(shape) * bits) / 8);
    if (size === 0) return new Uint8Array();
    const all = await storage.read();
    const begin = (offset * bits) / 8;
    let bytes = all.subarray(begin, begin + size);
    const isChanged = storage.isBigEndian || layout.isConjugate || layout.isNegative;
    if (isChanged || storage.isCopied || !isContiguous(shape, stride)) allowance.spend(size, key);
    if (!isContiguous(shape, stride)) {
      bytes = await gather(all, { shape, stride, offset, itemSize: bits / 8 }, task);
    }
    if (storage.isBigEndian) bytes = await swapBytes(bytes, wordSize(dtype), task);
    if (layout.isNegative) bytes = await negate(dtype, bytes, 0, 1, task);
    if (layout.isConjugate) bytes = await negate(dtype, bytes, 1, 2, task);
    return bytes;
  }
}

function checkLayout({ nbytes }: Storage, { dtype, shape, stride, offset }: TensorLayout): void {
  const text = `a tensor of shape [${shape.slice(0, 8).join(", ")}] and ${dtype}`;
  if (shape.length !== stride.length || shape.length > MAX_DIMS) {
    throw new CheckpointError(`${text} has ${shape.length} sizes and ${stride.length} strides`);
  }
  if (!areSizes([...shape, ...stride, offset])) {
    throw new CheckpointError(`${text} has a size, stride or offset that is none`);
  }
  if (shape.includes(0)) return;
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis]!, offset);
  const { bits } = DTYPES[dtype];
  const needed = Math.ceil(((last + 1) * bits) / 8);
  if (!(needed <= nbytes)) {
    throw new CheckpointError(`${text} needs ${needed} bytes of a storage of ${nbytes}`);
  }
  if (bits < 8 && (offset !== 0 || !isContiguous(shape, stride))) {
    throw new CheckpointError(`${text}, whose elements share bytes, does not lie row-major`);
  }
}

async function settle(
  { scale, zeroPoint, axis }: PendingQuantizer,
  shape: readonly number[],
  key: string,
  allowance: Allowance,
): Promise<Quantizer> {
  const channels = axis === undefined ? 1 : shape[axis];
  const numbers = async (values: LazyTensor | readonly number[]): Promise<readonly number[]> => {
    const count = values instanceof LazyTensor ? numelOf(values.layout.shape) : values.length;
    const isNested = values instanceof LazyTensor && values.layout.quantizer !== undefined;
    if (count !== channels || isNested) {
      throw new CheckpointError(`'${key}' is quantised with ${count} scales or zero points`, {
        key,
      });
    }
    if (!(values instanceof LazyTensor)) return values;
    allowance.spend(8 * count, key);
    return Array.from((await values.toEntry(key, allowance)).toFloat64());
  };
  const quantizer = { scale: await numbers(scale), zeroPoint: await numbers(zeroPoint) };
  return axis === undefined ? quantizer : { ...quantizer, axis };
}

/** A copy with the sign changed of every `step`-th number, beginning with `first`. */
async function negate(
  dtype: Dtype,
  bytes: Uint8Array,
  first: number,
  step: number,
  task: LoadTask | undefined,
): Promise<Uint8Array> {
  const copy = bytes.slice();
  const data = viewAs(dtype, copy);
  // Halves are raw bits, of which the highest is the sign.
  const isHalf = dtype === "float16" || dtype === "bfloat16" || /^b?complex32$/.test(dtype);
  await inPieces(task, data.length, PIECE, (begin, end) => {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      for (let i = begin + first; i < end; i += step) data[i] = -data[i]!;
      return;
    }
    for (let i = begin + first; i < end; i += step) {
      data[i] = isHalf ? data[i]! ^ 0x8000 : -data[i]!;
    }
  });
  return copy;
}
