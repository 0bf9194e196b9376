import { Launch, type Operand, Sequence } from "../../kernels/webgl/launch.js";
import { gather, type Layout, makeLayout, Packer } from "../../kernels/webgl/layout.js";
import { writeTensor } from "../../kernels/webgl/textures.js";
import { tensorMeta } from "../passes/facts.js";
import { type Allocation, allocate } from "./allocate.js";
import type { Host, Step } from "./builder.js";
import type { Input, Output } from "./draft.js";
import type { GpuMemory } from "./gpu.js";
import { runNode } from "./host.js";
import type { Value, VirtualTensor } from "./value.js";

/** The steps of a plan with textures assigned: uploads of inputs, then draws and tfjs ops. */
export interface Ready {
  readonly allocation: Allocation;
  readonly packers: readonly Packer[];
  readonly sequences: readonly (Sequence | Host)[];
}

/** A plan that is not prepared, or released. */
export const NOTHING: Ready = {
  allocation: { places: new Map(), textures: [] },
  packers: [],
  sequences: [],
};

/** Assigns textures, writes constants into theirs, and prepares the draw calls. */
export function makeReady(
  memory: GpuMemory,
  steps: readonly Step[],
  inputs: readonly Input[],
  outputs: readonly Output[],
): Ready {
  const results = outputs.map(({ value }) => value.tensor);
  const stays = new Set([...inputs.map(({ tensor }) => tensor), ...results]);
  const allocation = allocate(steps, stays, memory);
  memory.dropFree();
  const { places } = allocation;
  const operand = (tensor: VirtualTensor, layout: Layout = tensor.layout): Operand => ({
    place: places.get(tensor)!,
    layout,
  });
  // Constants are not kept in memory: after a lost context they are computed again.
  for (const [tensor, place] of places) {
    if (tensor.constant) write(memory, tensor, place, tensor.constant());
  }
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
  return { allocation, packers, sequences };
}

/** The texture of a tensor. */
export const placeOf = ({ allocation }: Ready, tensor: VirtualTensor): Operand["place"] =>
  allocation.places.get(tensor)!;

function write(
  { device }: GpuMemory,
  { layout }: VirtualTensor,
  place: Operand["place"],
  values: ArrayLike<number>,
): void {
  writeTensor(device, place, new Packer(layout, place.size).pack(values));
}

/** Runs a step as a tfjs op: reads its inputs back, and uploads its results. */
export function runHost(memory: GpuMemory, ready: Ready, { node, inputs, outputs }: Host): void {
  const valueOf = (value: Value): Float32Array => {
    const { rows, channels } = value.tensor.layout;
    const raw = memory.read(placeOf(ready, value.tensor), makeLayout([rows, channels]));
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
  outputs.forEach((output, i) => write(memory, output, placeOf(ready, output), results[i]!));
}
