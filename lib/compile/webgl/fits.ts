import type { Node } from "../../graph/index.js";
import { type Limits, WebGLUnsupportedError } from "../../kernels/webgl/device.js";
import { checkedSize } from "../../kernels/webgl/textures.js";
import type { Step } from "./builder.js";
import type { VirtualTensor } from "./value.js";

const hasIntegers = ({ node: { meta } }: { node: Node }): boolean =>
  [meta.value].flat().some((one) => (one as { dtype?: string } | null)?.dtype === "int32");

/**
 * Checks that the tensors of a plan fit into textures of the GPU.
 *
 * @throws WebGLUnsupportedError if one is too large, or needs more bits than textures have.
 */
export function checkTextures(
  limits: Limits,
  inputs: readonly { node: Node; tensor: VirtualTensor }[],
  steps: readonly Step[],
): void {
  if (limits.precision === "float16" && [...inputs, ...steps].some(hasIntegers)) {
    throw new WebGLUnsupportedError(
      "this GPU draws to 16-bit floats only, too narrow for the model's integers",
    );
  }
  for (const step of steps) {
    const tensors = step.kind === "draw" ? [step.output] : step.outputs;
    for (const { texels } of tensors) checkedSize(limits, texels);
  }
  for (const { tensor } of inputs) checkedSize(limits, tensor.texels);
}
