import type { Device } from "./device.js";
import type { Program } from "./program.js";
import {
  makeTensorTexture,
  makeWeightTexture,
  type TensorTexture,
  type WeightTexture,
} from "./textures.js";

/** As many uniforms as any program has. */
const MOST_NUMBERS = 1024;

/** Placeholders for what programs read and write. */
interface Props {
  generation: number;
  input: TensorTexture;
  output: TensorTexture;
  weight: WeightTexture;
  numbers: WebGLBuffer;
}

/** Draws one pixel with each program, because drivers finish compiling only at the first draw. */
export class Rehearsal {
  private props: Props | null = null;

  constructor(private readonly device: Device) {}

  run(program: Program): void {
    const { gl } = this.device;
    const { input, output, weight, numbers } = this.prepare();
    const { tensors, weights = [] } = program.source;
    gl.useProgram(program.get());
    [...tensors, ...weights].forEach((_, unit) => {
      const isTensor = unit < tensors.length;
      gl.activeTexture(gl.TEXTURE0 + unit);
      if (isTensor) gl.bindTexture(gl.TEXTURE_2D_ARRAY, input.texture);
      else gl.bindTexture(gl.TEXTURE_2D, weight.texture);
    });
    gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, numbers);
    gl.bindFramebuffer(gl.FRAMEBUFFER, output.framebuffer);
    gl.viewport(0, 0, 1, 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private prepare(): Props {
    const { device } = this;
    const { gl, generation } = device;
    if (this.props?.generation === generation) return this.props;
    const numbers = gl.createBuffer();
    gl.bindBuffer(gl.UNIFORM_BUFFER, numbers);
    // All sizes are 1, so that every loop ends and nothing is divided by zero.
    gl.bufferData(gl.UNIFORM_BUFFER, new Int32Array(MOST_NUMBERS).fill(1), gl.STATIC_DRAW);
    this.props = {
      ...{ generation, numbers },
      input: makeTensorTexture(device, 1),
      output: makeTensorTexture(device, 1),
      weight: makeWeightTexture(device, 4),
    };
    return this.props;
  }
}
