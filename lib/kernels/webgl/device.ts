/**
 * A WebGL2 context of our own, for compiled models. Not tfjs': a plan draws with textures and
 * layouts of its own choice, and after a lost context it restores itself, which tfjs cannot.
 */
import { soon } from "./soon.js";

/** Why this browser or GPU cannot run compiled models on WebGL. */
export class WebGLUnsupportedError extends Error {
  override readonly name = "WebGLUnsupportedError";
}

/** The GPU was taken away while a model ran; after its return the model goes on by itself. */
export class WebGLContextLostError extends Error {
  override readonly name = "WebGLContextLostError";

  constructor(
    message = "the WebGL context was lost while the model ran (the GPU was reset, or another page took " +
      "it); call again: the model uploads its weights anew once the browser gives it back",
  ) {
    super(message);
  }
}

export interface ParallelCompile {
  readonly COMPLETION_STATUS_KHR: number;
}

/** What a plan needs to know of the GPU. */
export interface Limits {
  maxTextureSize: number;
  /** Programs can be asked whether they are ready without waiting for them. */
  parallelCompile: ParallelCompile | null;
  /** What may be drawn to: floats of 32 bits, or only of 16. */
  precision: "float32" | "float16";
}

/** Where numbers are read to on the GPU, and then here. */
export interface Readback {
  readonly buffer: WebGLBuffer;
  readonly data: Float32Array<ArrayBuffer>;
  readonly generation: number;
}

/** Readbacks that are kept for later calls, whatever models those are of. */
const MOST_READBACKS = 4;

/** Powers of two between which a texture's width is chosen. */
const MIN_TEXTURE_SIZE = 1024;

export class Device {
  readonly gl: WebGL2RenderingContext;
  readonly limits: Limits;
  /** Rises with every lost context: what belongs to an older one is gone. */
  generation = 0;
  private readonly canvas: OffscreenCanvas | HTMLCanvasElement;
  private readonly readbacks: Readback[] = [];
  private staging: { buffer: WebGLBuffer; bytes: number; generation: number } | null = null;

  constructor() {
    this.canvas = makeCanvas();
    // Nothing is drawn to the canvas itself.
    const attributes = { alpha: false, antialias: false, depth: false };
    const gl = this.canvas.getContext("webgl2", attributes) as WebGL2RenderingContext | null;
    if (gl === null) throw new WebGLUnsupportedError("this browser gives no WebGL2 context");
    this.gl = gl;
    this.limits = readLimits(gl);
    this.prepare();
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // asks for it back
      this.generation += 1;
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.generation += 1; // what was made meanwhile is no good either
      this.prepare();
    });
  }

  get isLost(): boolean {
    return this.gl.isContextLost();
  }

  throwIfLost(): void {
    if (this.isLost) throw new WebGLContextLostError();
  }

  /** A buffer into which at least so many bytes can be read, bound; the same one each time. */
  bindStaging(bytes: number): void {
    const { gl } = this;
    if (this.staging?.generation !== this.generation || this.staging.bytes < bytes) {
      if (this.staging) this.deleteBuffer(this.staging);
      this.staging = { buffer: gl.createBuffer(), bytes, generation: this.generation };
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.staging.buffer);
      gl.bufferData(gl.PIXEL_PACK_BUFFER, bytes, gl.STREAM_READ);
    } else gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.staging.buffer);
  }

  /** A buffer for so many numbers that no other call reads to. */
  takeReadback(count: number): Readback {
    const { gl, generation, readbacks } = this;
    for (let i = 0; i < readbacks.length; i += 1) {
      const known = readbacks[i]!;
      if (known.data.length !== count || known.generation !== generation) continue;
      readbacks.copyWithin(i, i + 1);
      readbacks.pop();
      return known;
    }
    const made = { buffer: gl.createBuffer(), data: new Float32Array(count), generation };
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, made.buffer);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, 4 * count, gl.STREAM_READ);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    return made;
  }

  /** For later calls; the one that lay unused for longest goes, and what was lost with the context. */
  giveReadback(readback: Readback): void {
    const { readbacks } = this;
    if (this.isLost || readback.generation !== this.generation) return;
    readbacks.unshift(readback);
    if (readbacks.length > MOST_READBACKS) this.deleteBuffer(readbacks.pop()!);
  }

  /** What a lost context took along is not there any more, and its heir refuses to delete it. */
  private deleteBuffer({ buffer, generation }: { buffer: WebGLBuffer; generation: number }): void {
    if (generation === this.generation) this.gl.deleteBuffer(buffer);
  }

  /** Returns when the GPU has done all that it was told. */
  wait(): void {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.FLOAT, new Float32Array(4));
  }

  /** Resolves when the GPU has done all that it was told; rejects if the context is lost. */
  finished(): Promise<void> {
    const { gl, generation } = this;
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const began = performance.now();
    // One promise, however often it is looked.
    return new Promise((resolve, reject) => {
      const look = (): void => {
        // It may be back already, without what was under way.
        const isLost = this.isLost || this.generation !== generation;
        if (!isLost && gl.clientWaitSync(fence!, 0, 0) === gl.TIMEOUT_EXPIRED) {
          // What takes long is noticed late by a tenth, and leaves the processor to others.
          soon(look, Math.min(Math.max((performance.now() - began) / 10, 1), 4));
          return;
        }
        if (isLost) {
          reject(new WebGLContextLostError());
          return;
        }
        gl.deleteSync(fence);
        resolve();
      };
      look();
    });
  }

  /** State that every launch relies on. */
  private prepare(): void {
    const { gl } = this;
    readLimits(gl); // enables the extensions anew
    gl.disable(gl.DITHER); // the one of its kind that is on by itself
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.bindVertexArray(gl.createVertexArray());
  }

  dispose(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function makeCanvas(): OffscreenCanvas | HTMLCanvasElement {
  if (typeof OffscreenCanvas === "function") return new OffscreenCanvas(1, 1);
  if (typeof document === "object") return document.createElement("canvas");
  throw new WebGLUnsupportedError("there is neither an OffscreenCanvas nor a document here");
}

/** What a GPU can do. @throws WebGLUnsupportedError if that is not enough. */
export function readLimits(gl: WebGL2RenderingContext): Limits {
  const maxTextureSize = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
  if (maxTextureSize < MIN_TEXTURE_SIZE) {
    throw new WebGLUnsupportedError(
      `textures here have at most ${maxTextureSize} texels a side; ${MIN_TEXTURE_SIZE} are needed`,
    );
  }
  const format = gl.getShaderPrecisionFormat(gl.FRAGMENT_SHADER, gl.HIGH_FLOAT);
  if (format === null || format.precision < 23) {
    throw new WebGLUnsupportedError(
      "this GPU computes with less than 32-bit floats in fragment shaders (mediump only)",
    );
  }
  const hasFloat = gl.getExtension("EXT_color_buffer_float") !== null;
  const hasHalf = hasFloat || gl.getExtension("EXT_color_buffer_half_float") !== null;
  if (!hasHalf) throw new WebGLUnsupportedError("this GPU cannot draw to textures of floats");
  return {
    maxTextureSize,
    parallelCompile: gl.getExtension("KHR_parallel_shader_compile"),
    precision: hasFloat ? "float32" : "float16",
  };
}
