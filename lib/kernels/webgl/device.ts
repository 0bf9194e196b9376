/**
 * A WebGL2 context of our own, for compiled models. Not tfjs' context, because a plan uses textures
 * and layouts of its own choice, and because ours recovers after a lost context, which tfjs'
 * cannot.
 */
import { soon } from "./soon.js";

/** Thrown if this browser or GPU cannot run compiled models on WebGL; the message says why. */
export class WebGLUnsupportedError extends Error {
  override readonly name = "WebGLUnsupportedError";
}

/**
 * Thrown if the GPU was taken away while a model ran. When it is back, the next call works again.
 */
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

/** What a plan needs to know about the GPU. */
export interface Limits {
  maxTextureSize: number;
  /**
   * The extension that tells whether a program is compiled without waiting for it; `null` if there
   * is none.
   */
  parallelCompile: ParallelCompile | null;
  /** The precision of textures that can be drawn to. */
  precision: "float32" | "float16";
}

/**
 * A buffer on the GPU through which numbers are read back, and the array that they are read into.
 */
export interface Readback {
  readonly buffer: WebGLBuffer;
  readonly data: Float32Array<ArrayBuffer>;
  readonly generation: number;
}

/** How many readbacks are kept for later calls, of whatever models. */
const MOST_READBACKS = 4;

/** The smallest texture size that is accepted; widths are powers of two. */
const MIN_TEXTURE_SIZE = 1024;

export class Device {
  readonly gl: WebGL2RenderingContext;
  readonly limits: Limits;
  /** Rises with every lost context: resources of an older generation are gone. */
  generation = 0;
  private readonly canvas: OffscreenCanvas | HTMLCanvasElement;
  private readonly readbacks: Readback[] = [];
  private staging: { buffer: WebGLBuffer; bytes: number; generation: number } | null = null;

  constructor() {
    this.canvas = makeCanvas();
    // The canvas itself is not drawn to.
    const attributes = { alpha: false, antialias: false, depth: false };
    const gl = this.canvas.getContext("webgl2", attributes) as WebGL2RenderingContext | null;
    if (gl === null) throw new WebGLUnsupportedError("this browser gives no WebGL2 context");
    this.gl = gl;
    this.limits = readLimits(gl);
    this.prepare();
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // this asks for a new context later
      this.generation += 1;
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.generation += 1; // what was made in between belongs to no context
      this.prepare();
    });
  }

  get isLost(): boolean {
    return this.gl.isContextLost();
  }

  throwIfLost(): void {
    if (this.isLost) throw new WebGLContextLostError();
  }

  /** Binds a shared buffer into which at least this many bytes can be read. */
  bindStaging(bytes: number): void {
    const { gl } = this;
    if (this.staging?.generation !== this.generation || this.staging.bytes < bytes) {
      if (this.staging) this.deleteBuffer(this.staging);
      this.staging = { buffer: gl.createBuffer(), bytes, generation: this.generation };
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.staging.buffer);
      gl.bufferData(gl.PIXEL_PACK_BUFFER, bytes, gl.STREAM_READ);
    } else gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.staging.buffer);
  }

  /** A buffer for this many numbers that no other call uses until it is given back. */
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

  /**
   * Keeps a readback for later calls; drops the one that has been unused for longest, and any from
   * a lost context.
   */
  giveReadback(readback: Readback): void {
    const { readbacks } = this;
    if (this.isLost || readback.generation !== this.generation) return;
    readbacks.unshift(readback);
    if (readbacks.length > MOST_READBACKS) this.deleteBuffer(readbacks.pop()!);
  }

  /**
   * Deletes a buffer, unless it belonged to a lost context: then it is gone, and the new context
   * cannot delete it.
   */
  private deleteBuffer({ buffer, generation }: { buffer: WebGLBuffer; generation: number }): void {
    if (generation === this.generation) this.gl.deleteBuffer(buffer);
  }

  /** Blocks until the GPU has finished. */
  wait(): void {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.FLOAT, new Float32Array(4));
  }

  /** Resolves when the GPU has finished; rejects if the context is lost. */
  finished(): Promise<void> {
    const { gl, generation } = this;
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const began = performance.now();
    // One promise for all polls.
    return new Promise((resolve, reject) => {
      const look = (): void => {
        // The context may be back already, but without the work that was under way.
        const isLost = this.isLost || this.generation !== generation;
        if (!isLost && gl.clientWaitSync(fence!, 0, 0) === gl.TIMEOUT_EXPIRED) {
          // Poll less often the longer it takes: at most a tenth of the time is lost, and other
          // work can run.
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

  /** Sets the state that every launch relies on. */
  private prepare(): void {
    const { gl } = this;
    readLimits(gl); // enables the extensions again
    gl.disable(gl.DITHER); // the only capability of this kind that is on by default
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

/** The capabilities of a GPU. @throws WebGLUnsupportedError if they do not suffice. */
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
