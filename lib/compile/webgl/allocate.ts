import { textureSize } from "../../kernels/webgl/layout.js";
import type { TensorTexture } from "../../kernels/webgl/textures.js";
import type { Step } from "./builder.js";
import type { GpuMemory } from "./gpu.js";
import type { VirtualTensor } from "./value.js";

const readsOf = (step: Step): VirtualTensor[] =>
  step.kind === "draw" ? step.inputs.map(({ tensor }) => tensor) : step.reads;

const writesOf = (step: Step): readonly VirtualTensor[] =>
  step.kind === "draw" ? [step.output] : step.outputs;

/** Textures with equal keys can stand in for each other. */
function sizeKey({ texels }: VirtualTensor): string {
  const { width, height } = textureSize(texels);
  return `${width} ${height}`;
}

/** Which texture each tensor of a plan has, and the list of all textures. */
export interface Allocation {
  places: Map<VirtualTensor, TensorTexture>;
  textures: TensorTexture[];
}

/** Assigns textures to tensors: a texture is free again after the last step that reads it. */
export function allocate(
  steps: readonly Step[],
  stays: ReadonlySet<VirtualTensor>,
  memory: GpuMemory,
): Allocation {
  const places = new Map<VirtualTensor, TensorTexture>();
  const textures: TensorTexture[] = [];
  const free = new Map<string, TensorTexture[]>();
  const place = (tensor: VirtualTensor): void => {
    if (places.has(tensor)) return;
    const isFixed = tensor.constant !== null || stays.has(tensor);
    const unused = isFixed ? undefined : free.get(sizeKey(tensor))?.pop();
    const texture = unused ?? memory.take(tensor.texels);
    if (unused === undefined) textures.push(texture);
    places.set(tensor, texture);
  };
  const last = new Map<VirtualTensor, number>();
  steps.forEach((step, i) => {
    for (const tensor of [...readsOf(step), ...writesOf(step)]) last.set(tensor, i);
  });
  for (const tensor of stays) place(tensor);
  steps.forEach((step, i) => {
    const touched = new Set([...readsOf(step), ...writesOf(step)]);
    for (const tensor of touched) place(tensor);
    for (const tensor of touched) {
      if (last.get(tensor) !== i || stays.has(tensor) || tensor.constant) continue;
      const key = sizeKey(tensor);
      free.set(key, [...(free.get(key) ?? []), places.get(tensor)!]);
    }
  });
  return { places, textures };
}
