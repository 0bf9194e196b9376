import type { Device } from "./device.js";
import type { Layout } from "./layout.js";
import { numberNames, type Program } from "./program.js";
import type { TensorTexture, WeightTexture } from "./textures.js";

/** A tensor that a launch reads or writes. */
export interface Operand {
  readonly place: TensorTexture;
  readonly layout: Layout;
}

export interface LaunchNumbers {
  readonly ints?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
}

/**
 * One draw call: a program, what it reads and writes, and its uniforms. All of it is decided in
 * advance.
 */
export class Launch {
  constructor(
    readonly program: Program,
    readonly inputs: readonly Operand[],
    readonly weights: readonly WeightTexture[],
    readonly output: Operand,
    readonly numbers: LaunchNumbers = {},
  ) {}

  /** The uniforms in the layout of the uniform block. */
  pack(): Int32Array {
    const { source } = this.program;
    const { ints, floats } = numberNames(source);
    const { layout, place } = this.output;
    const known: Record<string, number> = {
      out_shift: place.size.shift,
      outWidth: layout.groups,
      outRows: layout.rows,
      outChannels: layout.channels,
      ...this.numbers.ints,
    };
    source.tensors.forEach((name, i) => {
      known[`${name}_shift`] = this.inputs[i]!.place.size.shift;
      known[`${name}_width`] = this.inputs[i]!.layout.groups;
    });
    source.weights?.forEach((name, i) => (known[`${name}_shift`] = this.weights[i]!.size.shift));
    const packed = new Int32Array(4 * Math.ceil((ints.length + floats.length) / 4));
    ints.forEach((name, i) => (packed[i] = known[name]!));
    const asFloats = new Float32Array(packed.buffer);
    floats.forEach((name, i) => (asFloats[ints.length + i] = this.numbers.floats![name]!));
    return packed;
  }
}

/** A list of launches with all uniforms in one buffer: running it allocates nothing. */
export class Sequence {
  private readonly buffer: WebGLBuffer;
  private readonly generation: number;
  private readonly offsets: number[] = [];
  private readonly sizes: number[] = [];

  constructor(
    private readonly device: Device,
    readonly launches: readonly Launch[],
  ) {
    const { gl, generation } = device;
    this.generation = generation;
    const alignment = gl.getParameter(gl.UNIFORM_BUFFER_OFFSET_ALIGNMENT) as number;
    let size = 0;
    const packed = launches.map((launch) => launch.pack());
    for (const numbers of packed) {
      this.offsets.push(size);
      this.sizes.push(numbers.byteLength);
      size += Math.ceil(numbers.byteLength / alignment) * alignment;
    }
    const bytes = new Uint8Array(size);
    packed.forEach((numbers, i) => bytes.set(new Uint8Array(numbers.buffer), this.offsets[i]));
    this.buffer = gl.createBuffer();
    gl.bindBuffer(gl.UNIFORM_BUFFER, this.buffer);
    gl.bufferData(gl.UNIFORM_BUFFER, bytes, gl.STATIC_DRAW);
  }

  /** Draws all launches, or those from index `from` to before `to`. */
  run(from = 0, to = this.launches.length): void {
    const { launches, buffer, offsets, sizes } = this;
    const { gl } = this.device;
    for (let i = from; i < to; i += 1) {
      const { program, inputs, weights, output } = launches[i]!;
      gl.useProgram(program.get());
      // By index, because an iterator would be garbage.
      for (let unit = 0; unit < inputs.length; unit += 1) {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(gl.TEXTURE_2D_ARRAY, inputs[unit]!.place.texture);
      }
      for (let w = 0; w < weights.length; w += 1) {
        gl.activeTexture(gl.TEXTURE0 + inputs.length + w);
        gl.bindTexture(gl.TEXTURE_2D, weights[w]!.texture);
      }
      gl.bindBufferRange(gl.UNIFORM_BUFFER, 0, buffer, offsets[i]!, sizes[i]!);
      const { framebuffer, size } = output.place;
      gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
      gl.viewport(0, 0, size.width, size.height);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
  }

  dispose(): void {
    // A buffer of a lost context is gone, and the new context could not delete it.
    if (this.generation === this.device.generation) this.device.gl.deleteBuffer(this.buffer);
  }
}
