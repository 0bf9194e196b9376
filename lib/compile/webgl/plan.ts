import { clone } from "@tensorflow/tfjs-core";
import type * as tf from "@tensorflow/tfjs-core";
import { type Graph, type Node, nodesIn } from "../../graph/index.js";
import { Launch, type Operand, Sequence } from "../../kernels/webgl/launch.js";
import { gather, type Layout, makeLayout } from "../../kernels/webgl/layout.js";
import { PICTURE } from "../../kernels/webgl/programs/picture.js";
import { DECLINED } from "../declined.js";
import { atOnce, type Parts } from "../parts.js";
import type { CompiledPlan, Fallback, Results, StepInfo } from "../target.js";
import { isAbsorbed, tensorMeta } from "../passes/facts.js";
import { type Allocation, allocate } from "./allocate.js";
import { Builder, type Constant, type Host, type Step, type Test } from "./builder.js";
import { checkTextures } from "./fits.js";
import type { GpuMemory } from "./gpu.js";
import { runNode, numbersFor, toTensor } from "./host.js";
import { LIST_LOWERINGS, lower } from "./lower/index.js";
import type { OnGpu, Pictures } from "./pictures.js";
import { layoutIn, type Value, VirtualTensor, wholeOf } from "./value.js";

/** What a plan asks of the graph's constants. */
export interface Constants {
  /** What a node is that depends on no input; `null` for any other. */
  of(node: Node): Constant | null;
  /** The same text for the same numbers, in every plan of a model. */
  keyOf(node: Node): string;
}

/** An input of a run: numbers, or a picture that is on the GPU already. */
type Given = { values: tf.TypedArray } | OnGpu;

/** A graph as a list of draws: programs, textures and numbers all chosen, nothing left to decide. */
export class WebglPlan implements CompiledPlan {
  readonly fallbacks: Fallback[] = [];
  readonly steps: Step[];
  private readonly inputs: { node: Node; tensor: VirtualTensor; checks: readonly Test[] }[] = [];
  private readonly outputs = new Map<Node, Value>();
  private readonly values = new Map<Node, Value>();
  private readonly parts = new Map<Node, Value[]>();
  private allocation: Allocation = { places: new Map(), textures: [] };
  private sequences: (Sequence | Host)[] = [];
  private generation = -1;
  private waiting = 0;
  private readonly whenIdle: (() => void)[] = [];

  constructor(
    readonly graph: Graph,
    private readonly memory: GpuMemory,
    private readonly pictures: Pictures,
    private readonly constants: Constants,
  ) {
    const builder = new Builder(constants);
    const users = graph.users();
    for (const node of graph.nodes) {
      if (isAbsorbed(node, users.get(node)!)) builder.absorbed.add(node);
    }
    for (const node of graph.nodes) {
      if (node.kind === "placeholder") this.addInput(node);
      else if (node.kind === "call_function" && constants.of(node) === null) {
        if (!builder.absorbed.has(node)) this.addCall(node, builder);
      }
    }
    for (const node of new Set(nodesIn(graph.output!.args))) {
      if (node.kind === "placeholder" || constants.of(node) !== null) continue;
      const { tensor, layout } = builder.readAsIs(this.read(node, builder));
      this.outputs.set(node, { ...wholeOf(new VirtualTensor(layout)), tensor });
    }
    for (const input of this.inputs) input.checks = builder.checks.get(input.node) ?? [];
    this.steps = builder.steps;
  }

  /** @throws WebGLUnsupportedError if a tensor does not fit into the textures of this GPU. */
  checkTextures(): void {
    checkTextures(this.memory.device.limits, this.inputs, this.steps);
  }

  /** Draws of one run. */
  get draws(): number {
    return this.steps.filter(({ kind }) => kind === "draw").length;
  }

  private addInput(node: Node): void {
    const tensor = new VirtualTensor(inputLayout(tensorMeta(node)!.shape as number[]));
    this.inputs.push({ node, tensor, checks: [] });
    this.values.set(node, wholeOf(tensor));
  }

  private read(node: Node, builder: Builder): Value {
    const known = this.values.get(node);
    if (known !== undefined) return known;
    if (builder.absorbed.delete(node)) {
      this.addCall(node, builder); // a convolution that cannot do without the border after all
      return this.values.get(node)!;
    }
    const constant = this.constants.of(node);
    if (constant === null) throw new Error(`${node.name} is read before it is computed`);
    const value = wholeOf(
      new VirtualTensor(makeLayout(constant.shape), () => this.constants.of(node)!.values),
    );
    this.values.set(node, value);
    return value;
  }

  private addCall(node: Node, builder: Builder): void {
    if (node.target === "getitem") {
      const [list, index] = node.args as [Node, number];
      this.values.set(node, this.parts.get(list)![index]!);
      return;
    }
    builder.node = node;
    const before = builder.steps.length;
    const read = (one: Node): Value => this.read(one, builder);
    if (Array.isArray(node.meta.value)) {
      const parts = LIST_LOWERINGS[node.target]?.(builder, node, read) ?? null;
      if (parts !== null) return void this.parts.set(node, parts);
    } else {
      const made = lower(builder, node, read);
      if (made !== null) return void this.values.set(node, made);
    }
    builder.steps.length = before;
    this.leaveToTfjs(node, builder);
  }

  private leaveToTfjs(node: Node, builder: Builder): void {
    const inputs = new Map<Node, Value | readonly Value[]>();
    for (const one of node.inputs()) {
      inputs.set(one, this.parts.get(one) ?? this.read(one, builder));
    }
    const metas = [node.meta.value].flat() as ({ shape: number[] } | null)[];
    const outputs = metas.map((meta) => new VirtualTensor(makeLayout(meta?.shape ?? [0])));
    const reads = [...inputs.values()].flatMap((one) =>
      ("tensor" in one ? [one] : one).map(({ tensor }) => tensor),
    );
    const reason = `no WebGL program for ${node.target} with these arguments`;
    builder.steps.push({ kind: "host", node, inputs, reads, outputs });
    this.fallbacks.push({ node, reason });
    if (Array.isArray(node.meta.value))
      this.parts.set(
        node,
        outputs.map((one) => wholeOf(one)),
      );
    else this.values.set(node, wholeOf(outputs[0]!));
  }

  get isPrepared(): boolean {
    return this.generation === this.memory.device.generation;
  }

  /** Textures, programs and numbers; anew after a lost context. */
  prepare(): void {
    atOnce(this.preparing());
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
    const { memory, steps } = this;
    if (this.isPrepared) return;
    memory.renew();
    const { device } = memory;
    const { generation } = device;
    for (const weight of steps.flatMap((step) => (step.kind === "draw" ? step.weights : []))) {
      if (device.isLost || device.generation !== generation) return; // the next call prepares it
      yield* memory.uploading(weight);
      yield;
    }
    this.place();
    this.generation = generation;
  }

  /** Gives out textures, and writes down the launches. */
  private place(): void {
    const { memory, steps } = this;
    const stays = new Set<VirtualTensor>([
      ...this.inputs.map(({ tensor }) => tensor),
      ...[...this.outputs.values()].map(({ tensor }) => tensor),
    ]);
    this.allocation = allocate(steps, stays, memory);
    this.sequences = [];
    this.writeConstants();
    let launches: Launch[] = [];
    const flush = (): void => {
      if (launches.length) this.sequences.push(new Sequence(memory.device, launches));
      launches = [];
    };
    for (const step of steps) {
      if (step.kind === "host") {
        flush();
        this.sequences.push(step);
        continue;
      }
      launches.push(
        new Launch(
          memory.programs.get(step.source),
          step.inputs.map(({ tensor, layout }) => this.operand(tensor, layout)),
          step.weights.map((weight) => memory.weight(weight)),
          this.operand(step.output),
          step.numbers,
        ),
      );
    }
    flush();
  }

  private operand(tensor: VirtualTensor, layout: Layout = tensor.layout): Operand {
    return { place: this.allocation.places.get(tensor)!, layout };
  }

  private writeConstants(): void {
    for (const [tensor, place] of this.allocation.places) {
      if (tensor.constant) this.memory.write(place, tensor.layout, tensor.constant());
    }
  }

  /** Weights have new values: uploads them again before the next run. */
  invalidate(): void {
    this.release();
    this.generation = -1;
  }

  /** Uploads the inputs and draws; the results stay on the GPU until they are read. */
  private start(inputs: readonly Given[], around?: (run: () => void) => void): void {
    const { device } = this.memory;
    device.throwIfLost();
    this.inputs.forEach(({ checks }, i) => {
      const input = inputs[i]!;
      // What eager refuses, it refuses in its own words.
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- a sign, caught by the caller
      if ("values" in input && !checks.every((test) => test(input.values))) throw DECLINED;
    });
    this.prepare();
    this.inputs.forEach(({ tensor }, i) => {
      const input = inputs[i]!;
      const place = this.allocation.places.get(tensor)!;
      if ("values" in input) this.memory.write(place, tensor.layout, input.values);
      else input.draw(place, tensor.layout);
    });
    for (const step of this.sequences) {
      if (!(step instanceof Sequence)) {
        const run = (): void => this.runHost(step);
        if (around) around(run);
        else run();
      } else if (around === undefined) step.run();
      else step.launches.forEach((_, i) => around(() => step.run(i, i + 1)));
    }
  }

  /** Runs on inputs in the order of the placeholders; gives the tensor of each output node. */
  execute(inputs: readonly tf.Tensor[]): Results {
    this.start(this.given(inputs));
    return this.finish(inputs, (value) => this.readValue(value));
  }

  /** As `execute`, while the page goes on. */
  async executeLater(inputs: readonly tf.Tensor[]): Promise<Results> {
    const pictures = inputs.map((x) => this.pictures.of(x));
    const given = async (x: tf.Tensor, i: number): Promise<Given> =>
      pictures[i] ?? { values: await x.data() };
    const reading: Promise<readonly [Value, Float32Array]>[] = [];
    pictures.forEach((picture) => picture?.hold());
    this.waiting += 1;
    try {
      this.start(await Promise.all(inputs.map(given)));
      for (const value of this.outputs.values()) {
        const place = this.allocation.places.get(value.tensor)!;
        const later = this.memory.readLater(place, plainLayout(value.tensor));
        reading.push(later.then((read) => [value, read]));
      }
    } finally {
      pictures.forEach((picture) => picture?.letGo());
      this.waiting -= 1;
      if (this.waiting === 0) this.whenIdle.splice(0).forEach((then) => then());
    }
    const raw = new Map(await Promise.all(reading));
    return this.finish(inputs, (value) => viewOf(raw.get(value)!, value));
  }

  private finish(inputs: readonly tf.Tensor[], read: (value: Value) => Float32Array): Results {
    const done = new Map<Node, tf.Tensor>();
    const { placeholders } = this.graph;
    return (node) => {
      const known = done.get(node);
      // Each place in the result has a tensor of its own, which may be disposed.
      if (known !== undefined) return clone(known);
      let tensor: tf.Tensor;
      const value = this.outputs.get(node);
      const { dtype, shape } = tensorMeta(node)!;
      if (value !== undefined)
        tensor = toTensor({ shape: value.shape, dtype, values: read(value) });
      else if (node.kind === "placeholder") tensor = clone(inputs[placeholders.indexOf(node)]!);
      else {
        const values = numbersFor(dtype).from(this.constants.of(node)!.values);
        tensor = toTensor({ shape: shape as number[], dtype, values });
      }
      done.set(node, tensor);
      return tensor;
    };
  }

  describe(): StepInfo[] {
    return this.steps.map((step) => {
      const kernel = step.kind === "draw" ? "draw" : "tfjs";
      const reads = step.kind === "draw" ? step.inputs.map(({ tensor }) => tensor) : step.reads;
      const writes = step.kind === "draw" ? [step.output] : step.outputs;
      const bytes = [...reads, ...writes].reduce((sum, { texels }) => sum + 64 * texels, 0);
      return { node: step.node, kernel, flops: 0, bytes };
    });
  }

  /** Waits for the GPU after every step, so the sum is more than a run takes. */
  profile(inputs: readonly tf.Tensor[]): { times: number[] } {
    const times: number[] = [];
    this.start(this.given(inputs), (run) => {
      this.memory.device.wait();
      const began = performance.now();
      run();
      this.memory.device.wait();
      times.push(performance.now() - began);
    });
    return { times };
  }

  private given(inputs: readonly tf.Tensor[]): Given[] {
    return inputs.map((x) => this.pictures.of(x) ?? { values: x.dataSync() });
  }

  /** Bytes of the textures that it draws to. */
  get arenaBytes(): number {
    return this.allocation.textures.reduce(
      (sum, { size }) => sum + 64 * size.width * size.height,
      0,
    );
  }

  /** Of the model's other plans, too. */
  get weightBytes(): number {
    return this.memory.weightBytes;
  }

  private readValue(value: Value): Float32Array {
    const place = this.allocation.places.get(value.tensor)!;
    return viewOf(this.memory.read(place, plainLayout(value.tensor)), value);
  }

  private runHost({ node, inputs, outputs }: Host): void {
    const results = runNode(node, (input) => {
      const value = inputs.get(input)!;
      if ("tensor" in value) {
        const { shape, dtype } = tensorMeta(input)!;
        return { shape: shape as number[], dtype, values: this.readValue(value) };
      }
      const metas = input.meta.value as ({ dtype: string } | null)[];
      return value.map((one, i) => ({
        shape: one.shape,
        dtype: metas[i]?.dtype ?? "float32",
        values: this.readValue(one),
      }));
    });
    outputs.forEach((output, i) => {
      this.memory.write(this.allocation.places.get(output)!, output.layout, results[i]!);
    });
  }

  /** Calls back when no run waits for its inputs any more, which would still need the textures. */
  idle(then: () => void): void {
    if (this.waiting === 0) then();
    else this.whenIdle.push(then);
  }

  /** Gives the textures to other plans of the model. */
  release(): void {
    for (const step of this.sequences) if (step instanceof Sequence) step.dispose();
    for (const texture of this.allocation.textures) this.memory.give(texture);
    this.allocation = { places: new Map(), textures: [] };
    this.sequences = [];
  }
}

/** Pictures come in with their channels last, so that no copy stands before a convolution. */
function inputLayout(shape: readonly number[]): Layout {
  return makeLayout(shape, shape.length === 4 ? [0, 2, 3, 1] : undefined);
}

const plainLayout = ({ layout: { rows, channels } }: VirtualTensor): Layout =>
  makeLayout([rows, channels]);

/** The elements of a value; those of a whole tensor are at hand. */
function viewOf(raw: Float32Array, value: Value): Float32Array {
  const { shape, strides, offset } = value;
  const isWhole = layoutIn(value, [...shape.keys()]) !== null;
  return isWhole ? raw : gather(raw, shape, strides, offset);
}
