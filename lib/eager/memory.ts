/**
 * Where kernels find the data of tfjs' tensors: in a heap of our own for the cpu backend, or in
 * tfjs-wasm's heap.
 */
import type * as tf from "@tensorflow/tfjs-core";
import { createHeap, type Heap, type Kernel } from "../kernels/cpu/index.js";
import { product } from "./arguments.js";

/** An input of a kernel: a tensor, an address of data in the heap, or nothing. */
type Input = tf.TensorInfo | number | null;

/**
 * The dtype of an output. Booleans are floats 1 and 0 here, which only tfjs' cpu backend accepts as
 * bools.
 */
export type Dtype = "float32" | "bool";

/** Runs a kernel on addresses: of the inputs (0 if absent), of the output, of scratch memory. */
export type Work = (inputs: number[], out: number, scratch: number) => void;

/** Kernels may read this many bytes past the end of their inputs. */
const SLACK = 128;
/** The room for so many bytes and what kernels read past them. */
export const align = (bytes: number): number => Math.ceil((bytes + SLACK) / 64) * 64;

/** The kernels' memory for one backend: runs kernels, and keeps packed weights. */
export abstract class Memory {
  abstract readonly heap: Heap;
  /**
   * What was packed from a tensor, by the tensor's data, which never changes; freed when that is
   * disposed.
   */
  readonly packed = new Map<object, Map<string, number>>();
  private scratch = 0;
  private scratchBytes = 0;

  constructor(readonly backend: tf.KernelBackend) {
    const dispose = backend.disposeData.bind(backend);
    backend.disposeData = (dataId, force) => {
      const isGone = dispose(dataId, force);
      if (isGone) this.forget(dataId);
      return isGone;
    };
  }

  abstract alloc(bytes: number): number;
  abstract free(address: number): void;
  /** The values of a float32 tensor; read them at once, since the array may be invalid later. */
  abstract values(tensor: tf.TensorInfo): Float32Array;
  /** Runs a kernel and returns its output; `null` if an input cannot be reached. */
  abstract call(
    inputs: readonly Input[],
    shape: readonly number[],
    scratchBytes: number,
    work: Work,
    dtype?: Dtype,
  ): tf.TensorInfo | null;

  /** Likewise, with the inputs by the names of the kernel's pointers. */
  run<Pointers>(
    kernel: Kernel<Pointers>,
    reads: { readonly [Name in keyof Pointers]?: Input },
    shape: readonly number[],
  ): tf.TensorInfo | null {
    const inputs = reads as Readonly<Record<string, Input>>;
    const work: Work = (at, out, workspace) => {
      const addresses = Object.keys(inputs).map((name, i) => [name, at[i]]);
      kernel.run({ ...Object.fromEntries(addresses), out, workspace } as Pointers);
    };
    return this.call(Object.values(inputs), shape, kernel.workspaceBytes, work);
  }

  /** What `fill` makes from a tensor's values; made once, and kept as long as the tensor's data. */
  pack(
    tensor: tf.TensorInfo,
    kind: string,
    bytes: number,
    fill: (from: number, to: number) => void,
  ): number {
    const { dataId } = tensor;
    let forms = this.packed.get(dataId);
    if (forms === undefined) this.packed.set(dataId, (forms = new Map<string, number>()));
    const known = forms.get(kind);
    if (known !== undefined) return known;
    const to = this.alloc(bytes);
    const from = this.reserve(align(product(tensor.shape) * 4));
    const values = this.values(tensor); // only now, because allocating may replace the heap's buffer
    this.heap.f32.set(values, from >>> 2);
    fill(from, to);
    forms.set(kind, to);
    return to;
  }

  protected reserve(bytes: number): number {
    if (bytes <= this.scratchBytes) return this.scratch;
    if (this.scratchBytes > 0) this.free(this.scratch);
    this.scratchBytes = 0; // in case the allocation below fails
    this.scratch = this.alloc(bytes);
    this.scratchBytes = bytes;
    return this.scratch;
  }

  protected forget(dataId: object): void {
    const forms = this.packed.get(dataId);
    if (forms === undefined) return;
    this.packed.delete(dataId);
    for (const address of forms.values()) this.free(address);
  }
}

const isTensor = (input: Input): input is tf.TensorInfo =>
  typeof input === "object" && input !== null;

interface CpuBackend extends tf.KernelBackend {
  data: { set(dataId: object, data: Output): void };
}

/**
 * The data of a tensor in tfjs' cpu backend, whose values are in the heap until somebody reads
 * them.
 */
class Output {
  refCount = 1;
  private array?: Float32Array;

  constructor(
    readonly dtype: Dtype,
    readonly address: number,
    readonly length: number,
    private readonly moveOut: () => Float32Array,
  ) {}

  /** The array is kept from then on, since its reader may write to it. */
  get values(): Float32Array {
    return (this.array ??= this.moveOut());
  }
}

/**
 * The limit for outputs in the heap: it never shrinks, and on cpu nobody has to dispose tensors.
 */
const MOST_BYTES = 64 * 1024 * 1024;
/**
 * The cost of an output counted against that limit: small ones count more, so that there are at
 * most a thousand.
 */
const costOf = (length: number): number => length * 4 + 64 * 1024;

/**
 * tfjs' cpu backend has its data in arrays, which are copied into the heap. Outputs stay in the
 * heap, where the next kernel reads them; they become arrays when something else reads them, and
 * the oldest ones also when the limit is reached.
 */
export class CpuMemory extends Memory {
  readonly heap = createHeap();
  /** Outputs that are only in the heap, by their data; the oldest first. */
  private readonly outputs = new Map<object, Output>();
  private outputCost = 0;

  alloc(bytes: number): number {
    return this.heap.alloc(bytes);
  }

  free(address: number): void {
    this.heap.free(address);
  }

  values({ dataId }: tf.TensorInfo): Float32Array {
    const output = this.outputs.get(dataId);
    if (!output) return this.backend.readSync(dataId) as Float32Array; // another backend's tensor is moved here by this
    return this.heap.f32.subarray(output.address >>> 2, (output.address >>> 2) + output.length);
  }

  call(
    inputs: readonly Input[],
    shape: readonly number[],
    scratchBytes: number,
    work: Work,
    dtype: Dtype = "float32",
  ): tf.TensorInfo {
    const length = product(shape);
    if (this.outputCost + costOf(length) > MOST_BYTES) this.makeRoom(length);
    const arrays = inputs.map((one) =>
      isTensor(one) && !this.outputs.has(one.dataId) ? this.values(one) : [],
    );
    // Four bytes for each, whatever the array: booleans converted to float by tfjs are still in a
    // byte array.
    const bytes = arrays.reduce((sum, { length }) => sum + align(length * 4), scratchBytes);
    let scratch = this.reserve(bytes);
    const out = this.alloc(length * 4);
    const addresses = inputs.map((one, i) => {
      if (!isTensor(one)) return one ?? 0;
      const output = this.outputs.get(one.dataId);
      if (output) return output.address;
      const place = scratch;
      this.heap.f32.set(arrays[i]!, place >>> 2);
      scratch += align(arrays[i]!.length * 4);
      return place;
    });
    work(addresses, out, scratch);
    return this.output(shape, out, length, dtype);
  }

  protected override forget(dataId: object): void {
    super.forget(dataId);
    const output = this.outputs.get(dataId);
    if (output) this.drop(dataId, output);
  }

  /**
   * Moves out the oldest ones, a quarter at once: after deletions, finding the first entry of a Map
   * is slow.
   */
  private makeRoom(length: number): void {
    for (const oldest of this.outputs.values()) {
      if (this.outputCost + costOf(length) <= MOST_BYTES * 0.75) break;
      void oldest.values;
    }
  }

  /**
   * Frees an output's place in the heap. What was packed from it stays, since a kernel may be about
   * to read it.
   */
  private drop(dataId: object, { address, length }: Output): void {
    this.outputs.delete(dataId);
    this.outputCost -= costOf(length);
    this.free(address);
  }

  /** Makes a tensor whose values are at an address. */
  private output(
    shape: readonly number[],
    address: number,
    length: number,
    dtype: Dtype,
  ): tf.TensorInfo {
    const dataId = {};
    const data = new Output(dtype, address, length, () => {
      const values = this.values({ dataId } as tf.TensorInfo).slice();
      this.drop(dataId, data);
      return values;
    });
    (this.backend as CpuBackend).data.set(dataId, data);
    this.outputs.set(dataId, data);
    this.outputCost += costOf(length);
    return { dataId, shape: [...shape], dtype };
  }
}

interface WasmBackend extends tf.KernelBackend {
  wasm: {
    asm?: { memory?: unknown };
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  dataIdMap: { get(dataId: object): { memoryOffset: number | null } | undefined };
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
}

/** tfjs' wasm backend has its tensors in a heap, in which our kernels work directly. */
export class WasmMemory extends Memory {
  readonly heap: Heap;

  private constructor(
    private readonly owner: WasmBackend,
    memory: WebAssembly.Memory,
  ) {
    super(owner);
    this.heap = createHeap({ memory });
  }

  /** `null` if the backend does not give access to its memory: the field is not documented. */
  static of(backend: tf.KernelBackend): WasmMemory | null {
    const owner = backend as WasmBackend;
    const memory = owner.wasm?.asm?.memory;
    const isKnown =
      memory instanceof WebAssembly.Memory &&
      memory.buffer instanceof ArrayBuffer &&
      typeof owner.wasm._malloc === "function" &&
      typeof owner.dataIdMap?.get === "function" &&
      typeof owner.makeOutput === "function";
    return isKnown ? new WasmMemory(owner, memory) : null;
  }

  alloc(bytes: number): number {
    const address = this.owner.wasm._malloc(bytes + SLACK) >>> 0;
    if (address === 0) throw new RangeError(`tfjs-wasm cannot allocate ${bytes} bytes`);
    return address;
  }

  free(address: number): void {
    this.owner.wasm._free(address);
  }

  values(tensor: tf.TensorInfo): Float32Array {
    const from = this.addressOf(tensor) >>> 2;
    return this.heap.f32.subarray(from, from + product(tensor.shape));
  }

  call(
    inputs: readonly Input[],
    shape: readonly number[],
    scratchBytes: number,
    work: Work,
  ): tf.TensorInfo | null {
    const tensors = inputs.filter(isTensor);
    if (tensors.some((one) => this.addressOf(one) === 0)) return null;
    const scratch = this.reserve(align(scratchBytes));
    const out = this.owner.makeOutput([...shape], "float32");
    const end = this.heap.bytes - SLACK;
    if (tensors.some((one) => this.addressOf(one) + product(one.shape) * 4 > end)) {
      this.owner.disposeData(out.dataId);
      return null;
    }
    const addresses = inputs.map((one) => (isTensor(one) ? this.addressOf(one) : (one ?? 0)));
    work(addresses, this.addressOf(out), scratch);
    return out;
  }

  /** The address of a tensor; 0 if it has none. */
  private addressOf({ dataId }: tf.TensorInfo): number {
    return this.owner.dataIdMap.get(dataId)?.memoryOffset ?? 0;
  }
}
