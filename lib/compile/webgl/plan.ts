import { clone } from "@tensorflow/tfjs-core";
import type * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../../graph/index.js";
import { Sequence } from "../../kernels/webgl/launch.js";
import { gather } from "../../kernels/webgl/layout.js";
import { PICTURE } from "../../kernels/webgl/programs/picture.js";
import { writeTensor } from "../../kernels/webgl/textures.js";
import { DECLINED } from "../declined.js";
import { atOnce, type Parts } from "../parts.js";
import { tensorMeta } from "../passes/facts.js";
import { areFinite } from "../passes/finite.js";
import type { CompiledPlan, Fallback, Kept, Results, StepInfo } from "../target.js";
import type { Constants, Step, Weight } from "./builder.js";
import { Draft, type Input, type Output } from "./draft.js";
import { checkTextures } from "./fits.js";
import type { GpuMemory } from "./gpu.js";
import { isInMemory, numbersFor, toTensor } from "./host.js";
import type { Pictures } from "./pictures.js";
import { makeReady, NOTHING, placeOf, type Ready, runHost } from "./ready.js";
import { timesOf } from "./times.js";
import type { VirtualTensor } from "./value.js";

type Numbers = ReadonlyMap<Node, ArrayLike<number>>;

const NO_NUMBERS: Numbers = new Map();

/**
 * A graph as a list of draw calls with all programs, textures and uniforms chosen: a run decides
 * nothing.
 */
export class WebglPlan implements CompiledPlan {
  readonly fallbacks: readonly Fallback[];
  readonly steps: readonly Step[];
  private readonly inputs: readonly Input[];
  private readonly outputs: readonly Output[];
  private readonly spreadsNaN: boolean;
  /** Placeholders that are results themselves. */
  private readonly passed: readonly Node[];
  /** Results that depend on no input. */
  private readonly still: readonly Node[];
  private ready: Ready = NOTHING;
  private generation = -1;
  /** Functions that start the runs waiting for their inputs. */
  private readonly waiting = new Set<() => void>();
  private readonly whenIdle: (() => void)[] = [];

  constructor(
    readonly graph: Graph,
    private readonly memory: GpuMemory,
    private readonly pictures: Pictures,
    private readonly constants: Constants,
  ) {
    const draft = new Draft(graph, constants, memory.device.limits.precision === "float32");
    this.fallbacks = draft.fallbacks;
    this.steps = draft.steps;
    this.inputs = draft.inputs;
    this.outputs = draft.outputs;
    this.spreadsNaN = draft.spreadsNaN;
    const results = graph.output!.inputs();
    this.passed = results.filter(({ kind }) => kind === "placeholder");
    this.still = results.filter((node) => !this.passed.includes(node) && this.outputs.every((one) => one.node !== node)); // prettier-ignore
  }

  /** @throws WebGLUnsupportedError if a tensor does not fit into the textures of this GPU. */
  checkTextures(): void {
    checkTextures(this.memory.device.limits, this.inputs, this.steps);
  }

  /** The weights that the plan reads. */
  get weights(): Weight[] {
    return this.steps.flatMap((step) => (step.kind === "draw" ? step.weights : []));
  }

  get isPrepared(): boolean {
    return this.generation === this.memory.device.generation;
  }

  /** Makes textures, programs and uniforms; again after a lost context. */
  prepare(): void {
    if (!this.isPrepared) atOnce(this.preparing());
  }

  /** Makes the GPU driver start compiling the programs. */
  *starting(): Parts<void> {
    for (const step of this.steps) {
      if (step.kind === "draw") this.memory.programs.get(step.source).start();
      yield;
    }
    const mayBePicture = ({ tensor }: { tensor: VirtualTensor }): boolean =>
      tensor.layout.shape.length === 4 && tensor.layout.shape[1] === 3;
    if (this.inputs.some(mayBePicture)) this.memory.programs.get(PICTURE).start();
  }

  *preparing(): Parts<void> {
    const { memory } = this;
    if (this.isPrepared) return;
    memory.renew();
    const { device } = memory;
    const { generation } = device;
    for (const weight of this.weights) {
      if (device.isLost || device.generation !== generation) return; // a lost context: the next call prepares it
      yield* memory.uploading(weight);
      yield;
    }
    this.ready = makeReady(memory, this.steps, this.inputs, this.outputs);
    this.generation = generation;
  }

  /** Uploads weights again before the next run, because they have new values. */
  invalidate(): void {
    this.release();
  }

  /**
   * Uploads the inputs and draws; the results stay on the GPU until they are read. Loops go by
   * index, because iterators would be garbage in every run.
   *
   * @param numbers the values of inputs that were read in advance. Default: all inputs are in
   *   memory.
   */
  private start(inputs: readonly tf.Tensor[], numbers?: readonly (tf.TypedArray | null)[]): void {
    this.memory.device.throwIfLost();
    this.prepare();
    for (let i = 0; i < inputs.length; i += 1) this.put(i, inputs[i]!, numbers?.[i] ?? null);
    for (let i = 0; i < this.ready.sequences.length; i += 1) {
      const step = this.ready.sequences[i]!;
      if (step instanceof Sequence) step.run();
      else runHost(this.memory, this.ready, step);
    }
  }

  private put(i: number, input: tf.Tensor, numbers: tf.TypedArray | null): void {
    const { tensor, checks } = this.inputs[i]!;
    const place = placeOf(this.ready, tensor);
    const picture = this.pictures.of(input);
    if (picture) {
      picture.draw(place, tensor.layout);
      return;
    }
    const values = numbers ?? input.dataSync();
    let isFine = !this.spreadsNaN || areFinite(values);
    for (let k = 0; k < checks.length; k += 1) isFine &&= checks[k]!(values);
    // Values for which the eager model throws: it shall do so itself.
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a sign, caught by the caller
    if (!isFine) throw DECLINED;
    writeTensor(this.memory.device, place, this.ready.packers[i]!.pack(values));
  }

  /** Runs on inputs in the order of the placeholders; gives the tensor of each output node. */
  execute(inputs: readonly tf.Tensor[]): Results {
    this.start(inputs);
    const read = ({ value, layout }: Output): Float32Array =>
      this.memory.read(placeOf(this.ready, value.tensor), layout);
    return this.results(inputs, read, this.numbersNow());
  }

  /** Like `execute`, without blocking the page. */
  executeLater(inputs: readonly tf.Tensor[]): Promise<Results> {
    const numbers = this.numbersNow();
    if (!this.isAtHand(inputs)) return this.executeWithData(inputs, numbers);
    this.start(inputs);
    return this.reading(inputs, numbers);
  }

  /**
   * The values of results that depend on no input, read now because weights may change while a run
   * is under way.
   */
  private numbersNow(): Numbers {
    if (this.still.length === 0) return NO_NUMBERS;
    return new Map(this.still.map((node) => [node, this.constants.of(node)!.values]));
  }

  hold(inputs: readonly tf.Tensor[]): tf.Tensor[] | null {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a sign, caught by the caller
    for (let i = 0; i < inputs.length; i += 1) if (inputs[i]!.isDisposed) throw DECLINED;
    return this.isAtHand(inputs) ? null : inputs.map((x) => this.pictures.handleOf(x) ?? clone(x));
  }

  /**
   * Whether all inputs are in memory, so that nothing is left to read after the call has returned.
   */
  private isAtHand(inputs: readonly tf.Tensor[]): boolean {
    if (this.passed.length > 0) return false;
    for (let i = 0; i < inputs.length; i += 1) {
      const input = inputs[i]!;
      if (this.pictures.of(input) === null && !isInMemory(input)) return false;
    }
    return true;
  }

  private async executeWithData(inputs: readonly tf.Tensor[], still: Numbers): Promise<Results> {
    this.memory.device.throwIfLost();
    this.prepare();
    let running: Promise<Results> | null = null;
    const begin = (numbers?: readonly (tf.TypedArray | null)[]): void => {
      this.waiting.delete(begin);
      running = this.running(inputs, still, numbers);
      // The caller may still be waiting for the inputs, and gets the error then.
      running.catch(() => null);
    };
    this.waiting.add(begin);
    try {
      const read = async (x: tf.Tensor): Promise<tf.TypedArray | null> =>
        this.pictures.of(x) ? null : x.data();
      const numbers = await Promise.all(inputs.map(read));
      if (this.waiting.has(begin)) begin(numbers);
    } finally {
      this.waiting.delete(begin);
      if (this.waiting.size === 0) this.whenIdle.splice(0).forEach((then) => then());
    }
    return running!;
  }

  /**
   * Starts the runs that wait for their inputs, because the weights that they were called with are
   * about to change.
   */
  hurry(): void {
    for (const begin of this.waiting) begin();
  }

  private async running(
    inputs: readonly tf.Tensor[],
    still: Numbers,
    numbers?: readonly (tf.TypedArray | null)[],
  ): Promise<Results> {
    this.start(inputs, numbers);
    return this.reading(inputs, still);
  }

  /** Starts to read all results. */
  private async reading(inputs: readonly tf.Tensor[], still: Numbers): Promise<Results> {
    const { outputs, memory } = this;
    const all = await Promise.all(
      outputs.map(({ value, layout }) =>
        memory.readLater(placeOf(this.ready, value.tensor), layout),
      ),
    );
    return this.results(inputs, (output) => all[outputs.indexOf(output)]!, still);
  }

  /** The result tensors; `read` reads whole textures. */
  private results(
    inputs: readonly tf.Tensor[],
    read: (output: Output) => Float32Array,
    still: Numbers,
  ): Results {
    const done = new Map<Node, tf.Tensor>();
    return (node) => {
      const known = done.get(node);
      // The same tensor may be in the result twice; each place gets its own handle, to be disposed
      // by itself.
      if (known !== undefined) return clone(known);
      const tensor = this.resultOf(node, inputs, read, still);
      done.set(node, tensor);
      return tensor;
    };
  }

  private resultOf(
    node: Node,
    inputs: readonly tf.Tensor[],
    read: (output: Output) => Float32Array,
    still: Numbers,
  ): tf.Tensor {
    const { dtype, shape } = tensorMeta(node)! as { dtype: string; shape: number[] };
    for (let i = 0; i < this.outputs.length; i += 1) {
      const output = this.outputs[i]!;
      if (output.node !== node) continue;
      const raw = read(output);
      const { strides, offset } = output.value;
      const values = output.isWhole ? raw : gather(raw, shape, strides, offset);
      return toTensor({ shape, dtype, values });
    }
    if (node.kind === "placeholder") return clone(inputs[this.graph.placeholders.indexOf(node)]!);
    return toTensor({ shape, dtype, values: numbersFor(dtype).from(still.get(node)!) }); // prettier-ignore
  }

  describe(): StepInfo[] {
    return this.steps.map((step) => {
      const isDraw = step.kind === "draw";
      const reads = isDraw ? step.inputs.map(({ tensor }) => tensor) : step.reads;
      const writes = isDraw ? [step.output] : step.outputs;
      const bytes = [...reads, ...writes].reduce((sum, { texels }) => sum + 64 * texels, 0);
      const flops = isDraw ? step.flops : 0;
      return { node: step.node, kernel: isDraw ? "draw" : "tfjs", flops, bytes };
    });
  }

  profile(inputs: readonly tf.Tensor[]): { times: number[] } {
    this.start(inputs);
    return { times: timesOf(this.memory, this.ready) };
  }

  /** Bytes of the textures that it draws to. */
  get arenaBytes(): number {
    return this.ready.allocation.textures.reduce(
      (sum, { size }) => sum + 64 * size.width * size.height,
      0,
    );
  }

  /** Including those of the model's other plans. */
  get weightBytes(): number {
    return this.memory.weightBytes;
  }

  get kept(): Kept[] {
    return this.memory.kept;
  }

  /**
   * Calls back when no run is waiting for its inputs any more, for which the textures are needed.
   */
  idle(then: () => void): void {
    if (this.waiting.size === 0) then();
    else this.whenIdle.push(then);
  }

  /** Gives the textures to other plans of the model, unless they were lost with a context. */
  release(): void {
    const { sequences, allocation } = this.ready;
    for (const step of sequences) if (step instanceof Sequence) step.dispose();
    if (this.isPrepared) for (const texture of allocation.textures) this.memory.give(texture);
    this.ready = NOTHING;
    this.generation = -1;
  }
}
