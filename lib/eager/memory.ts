/** Where kernels find the numbers of tfjs' tensors: in a heap beside the cpu backend, or in tfjs-wasm's own. */
import type * as tf from "@tensorflow/tfjs-core";
import { createHeap, type Heap, type Kernel } from "../kernels/cpu/index.js";
import { product } from "./arguments.js";

/** What a kernel reads: a tensor, what lies at an address already, or nothing. */
type Input = tf.TensorInfo | number | null;

/** What an output is of; truths are floats here, 1 and 0, which only tfjs' cpu backend takes for bools. */
export type Dtype = "float32" | "bool";

/** The work of a kernel on addresses: of the inputs (0: absent), of the output, of scratch memory. */
export type Work = (inputs: number[], out: number, scratch: number) => void;

/** Kernels may read so many bytes past the end of what they are given. */
const SLACK = 128;
/** Room for so many bytes and what kernels read past them. */
export const align = (bytes: number): number => Math.ceil((bytes + SLACK) / 64) * 64;

/** The memory of one backend: runs kernels there and keeps weights in the form that they want. */
export abstract class Memory {
  abstract readonly heap: Heap;
  /** By the data of a tensor, which never changes: what was made of it, until it is disposed. */
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
  /** The values of a float32 tensor, to be read at once. */
  abstract values(tensor: tf.TensorInfo): Float32Array;
  /** Runs a kernel and gives its output; `null` if an input is out of reach. */
  abstract call(
    inputs: readonly Input[],
    shape: readonly number[],
    scratchBytes: number,
    work: Work,
    dtype?: Dtype,
  ): tf.TensorInfo | null;

  /** The same, with what a kernel reads by the names of its pointers. */
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

  /** What `fill` makes of a tensor: once, for as long as the tensor's data live. */
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
    const values = this.values(tensor); // not before: what is allocated may make the heap anew
    this.heap.f32.set(values, from >>> 2);
    fill(from, to);
    forms.set(kind, to);
    return to;
  }

  protected reserve(bytes: number): number {
    if (bytes <= this.scratchBytes) return this.scratch;
    if (this.scratchBytes > 0) this.free(this.scratch);
    this.scratchBytes = 0; // there may be no memory for more
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

/** What tfjs' cpu backend keeps of a tensor, with numbers that are in the heap at first. */
class Output {
  refCount = 1;
  private array?: Float32Array;

  constructor(
    readonly dtype: Dtype,
    readonly address: number,
    readonly length: number,
    private readonly moveOut: () => Float32Array,
  ) {}

  /** The array is for good: whoever sees it may write to it. */
  get values(): Float32Array {
    return (this.array ??= this.moveOut());
  }
}

/** Outputs of so many bytes stay in the heap, which never shrinks: nobody has to dispose of tensors on cpu. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What counts for one: small ones are not more than a thousand either. */
const costOf = (length: number): number => length * 4 + 64 * 1024;

/**
 * tfjs' cpu backend holds arrays, which are copied into the heap. Outputs stay there, where the next kernel
 * reads them; they become arrays when somebody else asks for their numbers, and the oldest to make room.
 */
export class CpuMemory extends Memory {
  readonly heap = createHeap();
  /** Those that are in the heap alone, by their data; the oldest is the first. */
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
    if (!output) return this.backend.readSync(dataId) as Float32Array; // of another backend, it is moved here
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
    // Not their bytes: floats that tfjs made of truths are still bytes.
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

  /** The oldest go, a quarter of them at once: a map finds its first slowly where others have been. */
  private makeRoom(length: number): void {
    for (const oldest of this.outputs.values()) {
      if (this.outputCost + costOf(length) <= MOST_BYTES * 0.75) break;
      void oldest.values;
    }
  }

  /** An output's numbers need the heap no longer; what was packed of them stays, a kernel may be about to read it. */
  private drop(dataId: object, { address, length }: Output): void {
    this.outputs.delete(dataId);
    this.outputCost -= costOf(length);
    this.free(address);
  }

  /** A tensor whose numbers are at an address. */
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

/** tfjs' wasm backend has its tensors in a heap that kernels can work in: nothing is copied. */
export class WasmMemory extends Memory {
  readonly heap: Heap;

  private constructor(
    private readonly owner: WasmBackend,
    memory: WebAssembly.Memory,
  ) {
    super(owner);
    this.heap = createHeap({ memory });
  }

  /** `null` where the backend does not show its memory: the field is not documented. */
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

  /** 0 where it has none. */
  private addressOf({ dataId }: tf.TensorInfo): number {
    return this.owner.dataIdMap.get(dataId)?.memoryOffset ?? 0;
  }
}
