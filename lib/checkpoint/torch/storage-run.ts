/** Storages in files of torch before 1.6: a count, then so many elements. */
import type { ByteSource } from "../byte-source.js";
import { wordSize } from "../dtype.js";
import { CheckpointError } from "../errors.js";
import type { Storage } from "../tensor.js";
import { storageItemSize } from "./storages.js";
import { align, whileUsed } from "./while-used.js";

/** A storage whose position is known only after the pickle that refers to it. */
export class StorageRun implements Storage {
  readonly itemSize: number;
  /** The largest word size with which tensors may view it. */
  readonly word: number;
  readonly nbytes: number;
  readonly read = whileUsed(() => this.readOnce());
  private source: ByteSource | undefined;
  private at = 0;

  constructor(
    readonly dtype: Storage["dtype"],
    numel: number,
  ) {
    this.itemSize = storageItemSize(dtype);
    this.word = dtype === null ? 8 : wordSize(dtype);
    this.nbytes = numel * this.itemSize;
  }

  /** Sets where it begins; returns where it ends. */
  place(source: ByteSource, at: number): number {
    const end = at + 8 + this.nbytes;
    if (!(this.nbytes >= 0 && end <= source.size)) {
      const message = `a storage is cut off: it should end at byte ${end} of ${source.size}`;
      throw new CheckpointError(message, { file: source.name, offset: at });
    }
    this.source = source;
    this.at = at;
    return end;
  }

  private async readOnce(): Promise<Uint8Array> {
    const { source, at, nbytes, itemSize } = this;
    if (source === undefined) {
      throw new CheckpointError("a storage that its tensors name is not there");
    }
    const bytes = await source.read(at, at + 8 + nbytes);
    const count = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
    if (count * BigInt(itemSize) !== BigInt(nbytes)) {
      throw new CheckpointError(
        `a storage has ${count} elements, but should have ${nbytes / itemSize}`,
        { file: source.name, offset: at },
      );
    }
    return align(bytes.subarray(8), this.word);
  }
}

/** A part of another storage, as torch 0.x shared them. */
export class StorageView implements Storage {
  readonly dtype: Storage["dtype"];
  readonly nbytes: number;
  readonly read = whileUsed(() => this.readOnce());
  private readonly begin: number;

  constructor(
    private readonly root: StorageRun,
    offset: unknown,
    numel: unknown,
  ) {
    this.dtype = root.dtype;
    this.begin = Number(offset) * root.itemSize;
    this.nbytes = Number(numel) * root.itemSize;
    const isInside = this.begin >= 0 && this.nbytes >= 0 && this.begin + this.nbytes <= root.nbytes;
    if (!isInside) throw new CheckpointError("a part of a storage lies outside it");
  }

  private async readOnce(): Promise<Uint8Array> {
    const bytes = await this.root.read();
    return align(bytes.subarray(this.begin, this.begin + this.nbytes), this.root.word);
  }
}
