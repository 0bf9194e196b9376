import { clone } from "@tensorflow/tfjs-core";
import type * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../../graph/index.js";
import { Launch, type Operand, Sequence } from "../../kernels/webgl/launch.js";
import { gather, type Layout, makeLayout, Packer } from "../../kernels/webgl/layout.js";
import { PICTURE } from "../../kernels/webgl/programs/picture.js";
import { writeTensor } from "../../kernels/webgl/textures.js";
import { DECLINED } from "../declined.js";
import { atOnce, type Parts } from "../parts.js";
import { tensorMeta } from "../passes/facts.js";
import { areFinite } from "../passes/finite.js";
import type { CompiledPlan, Fallback, Results, StepInfo } from "../target.js";
import { type Allocation, allocate } from "./allocate.js";
import type { Constants, Host, Step, Weight } from "./builder.js";
import { Draft, type Input, type Output } from "./draft.js";
import { checkTextures } from "./fits.js";
import type { GpuMemory } from "./gpu.js";
import { isInMemory, numbersFor, runNode, toTensor } from "./host.js";
import type { Pictures } from "./pictures.js";
import { timesOf } from "./times.js";
import type { Value, VirtualTensor } from "./value.js";

/** What a draft does with textures given out: numbers in, draws and ops of tfjs, numbers out. */
interface Ready {
  readonly allocation: Allocation;
  readonly packers: readonly Packer[];
  readonly sequences: readonly (Sequence | Host)[];
}

type Numbers = ReadonlyMap<Node, ArrayLike<number>>;

const NO_NUMBERS: Numbers = new Map();

const NO_PLACES: Allocation = { places: new Map(), textures: [] };
const NOTHING: Ready = { allocation: NO_PLACES, packers: [], sequences: [] };

/** A graph as a list of draws: programs, textures and numbers all chosen, nothing left to decide. */
export class WebglPlan implements CompiledPlan {
  readonly fallbacks: readonly Fallback[];
  readonly steps: readonly Step[];
  private readonly inputs: readonly Input[];
  private readonly outputs: readonly Output[];
  private readonly spreadsNaN: boolean;
  /** The placeholders that are results as they are. */
  private readonly passed: readonly Node[];
  /** The results that depend on no input. */
  private readonly still: readonly Node[];
  private ready: Ready = NOTHING;
  private generation = -1;
  /** What begins each run that waits for its inputs. */
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

  /** The weights that it reads. */
  get weights(): Weight[] {
    return this.steps.flatMap((step) => (step.kind === "draw" ? step.weights : []));
  }

  /** Draws of one run. */
  get draws(): number {
    return this.steps.filter(({ kind }) => kind === "draw").length;
  }

  get isPrepared(): boolean {
    return this.generation === this.memory.device.generation;
  }

  /** Textures, programs and numbers; anew after a lost context. */
  prepare(): void {
    if (!this.isPrepared) atOnce(this.preparing());
  }

  /** Has the GPU's compiler begin with the programs. */
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
      if (device.isLost || device.generation !== generation) return; // the next call prepares it
      yield* memory.uploading(weight);
      yield;
    }
    this.place();
    this.generation = generation;
  }

  /** Gives out textures, and writes down the launches. */
  private place(): void {
    const { memory, steps, inputs, outputs } = this;
    const results = outputs.map(({ value }) => value.tensor);
    const stays = new Set([...inputs.map(({ tensor }) => tensor), ...results]);
    const allocation = allocate(steps, stays, memory);
    memory.dropFree();
    const { places } = allocation;
    const operand = (tensor: VirtualTensor, layout: Layout = tensor.layout): Operand => ({
      place: places.get(tensor)!,
      layout,
    });
    // Of what never changes no copy stays here: a lost context has it computed again.
    for (const tensor of places.keys()) if (tensor.constant) this.write(tensor, tensor.constant(), allocation); // prettier-ignore
    const sequences: (Sequence | Host)[] = [];
    let launches: Launch[] = [];
    const flush = (): void => {
      if (launches.length) sequences.push(new Sequence(memory.device, launches));
      launches = [];
    };
    for (const step of steps) {
      if (step.kind === "host") {
        flush();
        sequences.push(step);
        continue;
      }
      launches.push(
        new Launch(
          memory.programs.get(step.source),
          step.inputs.map(({ tensor, layout }) => operand(tensor, layout)),
          step.weights.map((weight) => memory.weight(weight)),
          operand(step.output),
          step.numbers,
        ),
      );
    }
    flush();
    const packers = inputs.map(({ tensor }) => new Packer(tensor.layout, places.get(tensor)!.size));
    this.ready = { allocation, packers, sequences };
  }

  /** Weights have new values: uploads them again before the next run. */
  invalidate(): void {
    this.release();
  }

  /**
   * Uploads the inputs and draws; the results stay on the GPU until they are read. By index: on a run's
   * way there are no iterators, which would be garbage.
   *
   * @param numbers those of inputs that were read beforehand. Default: all are at hand.
   */
  private start(inputs: readonly tf.Tensor[], numbers?: readonly (tf.TypedArray | null)[]): void {
    this.memory.device.throwIfLost();
    this.prepare();
    for (let i = 0; i < inputs.length; i += 1) this.put(i, inputs[i]!, numbers?.[i] ?? null);
    for (let i = 0; i < this.ready.sequences.length; i += 1) {
      const step = this.ready.sequences[i]!;
      if (step instanceof Sequence) step.run();
      else this.runHost(step);
    }
  }

  private put(i: number, input: tf.Tensor, numbers: tf.TypedArray | null): void {
    const { tensor, checks } = this.inputs[i]!;
    const place = this.placeOf(tensor);
    const picture = this.pictures.of(input);
    if (picture) {
      picture.draw(place, tensor.layout);
      return;
    }
    const values = numbers ?? input.dataSync();
    let isFine = !this.spreadsNaN || areFinite(values);
    for (let k = 0; k < checks.length; k += 1) isFine &&= checks[k]!(values);
    // What eager refuses, it refuses in its own words.
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a sign, caught by the caller
    if (!isFine) throw DECLINED;
    writeTensor(this.memory.device, place, this.ready.packers[i]!.pack(values));
  }

  /** Runs on inputs in the order of the placeholders; gives the tensor of each output node. */
  execute(inputs: readonly tf.Tensor[]): Results {
    this.start(inputs);
    const read = ({ value, layout }: Output): Float32Array =>
      this.memory.read(this.placeOf(value.tensor), layout);
    return this.results(inputs, read, this.numbersNow());
  }

  /** As `execute`, while the page goes on. */
  executeLater(inputs: readonly tf.Tensor[]): Promise<Results> {
    const numbers = this.numbersNow();
    if (!this.isAtHand(inputs)) return this.executeWithData(inputs, numbers);
    this.start(inputs);
    return this.reading(inputs, numbers);
  }

  /** Those of results that depend on no input: weights may get others while a run is under way. */
  private numbersNow(): Numbers {
    if (this.still.length === 0) return NO_NUMBERS;
    return new Map(this.still.map((node) => [node, this.constants.of(node)!.values]));
  }

  hold(inputs: readonly tf.Tensor[]): tf.Tensor[] | null {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a sign, caught by the caller
    for (let i = 0; i < inputs.length; i += 1) if (inputs[i]!.isDisposed) throw DECLINED;
    return this.isAtHand(inputs) ? null : inputs.map((x) => this.pictures.handleOf(x) ?? clone(x));
  }

  /** Whether nothing is left to be read of the inputs after a call. */
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
      // Who asked may still wait for the inputs, and hears of a failure then.
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

  /** Begins the runs that wait for their inputs: weights that they were called with are about to go. */
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

  /** Begins to read all results. */
  private async reading(inputs: readonly tf.Tensor[], still: Numbers): Promise<Results> {
    const { outputs, memory } = this;
    const all = await Promise.all(
      outputs.map(({ value, layout }) => memory.readLater(this.placeOf(value.tensor), layout)),
    );
    return this.results(inputs, (output) => all[outputs.indexOf(output)]!, still);
  }

  /** The tensors of results, whose textures `read` reads whole. */
  private results(
    inputs: readonly tf.Tensor[],
    read: (output: Output) => Float32Array,
    still: Numbers,
  ): Results {
    const done = new Map<Node, tf.Tensor>();
    return (node) => {
      const known = done.get(node);
      // Each place in the result has a tensor of its own, which may be disposed.
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
    const { sequences } = this.ready;
    return { times: timesOf(this.memory.device, sequences, (step) => this.runHost(step)) };
  }

  /** Bytes of the textures that it draws to. */
  get arenaBytes(): number {
    return this.ready.allocation.textures.reduce(
      (sum, { size }) => sum + 64 * size.width * size.height,
      0,
    );
  }

  /** Of the model's other plans, too. */
  get weightBytes(): number {
    return this.memory.weightBytes;
  }

  private placeOf(tensor: VirtualTensor): Operand["place"] {
    return this.ready.allocation.places.get(tensor)!;
  }

  private write(
    tensor: VirtualTensor,
    values: ArrayLike<number>,
    { places } = this.ready.allocation,
  ): void {
    const place = places.get(tensor)!;
    writeTensor(this.memory.device, place, new Packer(tensor.layout, place.size).pack(values));
  }

  private runHost({ node, inputs, outputs }: Host): void {
    const valueOf = (value: Value): Float32Array => {
      const { rows, channels } = value.tensor.layout;
      const raw = this.memory.read(this.placeOf(value.tensor), makeLayout([rows, channels]));
      return gather(raw, value.shape, value.strides, value.offset);
    };
    const results = runNode(node, (input) => {
      const value = inputs.get(input)!;
      if ("tensor" in value) {
        const { shape, dtype } = tensorMeta(input)!;
        return { shape: shape as number[], dtype, values: valueOf(value) };
      }
      const metas = input.meta.value as ({ dtype: string } | null)[];
      return value.map((one, i) => ({
        shape: one.shape,
        dtype: metas[i]?.dtype ?? "float32",
        values: valueOf(one),
      }));
    });
    outputs.forEach((output, i) => this.write(output, results[i]!));
  }

  /** Calls back when no run waits for its inputs any more, which would still need the textures. */
  idle(then: () => void): void {
    if (this.waiting.size === 0) then();
    else this.whenIdle.push(then);
  }

  /** Gives the textures to other plans of the model, unless they went with a lost context. */
  release(): void {
    const { sequences, allocation } = this.ready;
    for (const step of sequences) if (step instanceof Sequence) step.dispose();
    if (this.isPrepared) for (const texture of allocation.textures) this.memory.give(texture);
    this.ready = NOTHING;
    this.generation = -1;
  }
}
