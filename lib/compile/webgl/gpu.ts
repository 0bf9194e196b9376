import type { Device } from "../../kernels/webgl/device.js";
import { type Layout, textureSize, unpack } from "../../kernels/webgl/layout.js";
import {
  makeTensorTexture,
  makeWeightTexture,
  readTensor,
  readTensorLater,
  type TensorTexture,
  type WeightTexture,
  writeWeights,
} from "../../kernels/webgl/textures.js";
import type { ProgramCache } from "../../kernels/webgl/program.js";
import { atOnce, type Parts } from "../parts.js";
import type { Precision } from "../precision.js";
import type { Kept } from "../target.js";
import type { Weight } from "./builder.js";

/** What the plans of one model share on the GPU: weights, and textures that are free. */
export class GpuMemory {
  private readonly weights = new Map<string, WeightTexture & { kept: Kept[] }>();
  private readonly free = new Map<string, TensorTexture[]>();
  private raw: Float32Array<ArrayBuffer> = new Float32Array(0);
  /** The generation of the device in which its textures were made. */
  private generation: number;
  /** The bytes of all weights uploaded so far. */
  uploadedBytes = 0;

  constructor(
    readonly device: Device,
    /** Shared by all models of the device: models of one kind need the same programs. */
    readonly programs: ProgramCache,
    private readonly precision: Precision,
  ) {
    this.generation = device.generation;
  }

  /** Forgets what was lost with the context. */
  renew(): void {
    const { generation } = this.device;
    if (this.generation === generation) return;
    this.generation = generation;
    this.weights.clear();
    this.free.clear();
  }

  /** The texture of a weight; uploaded once, however many plans read it. */
  weight(weight: Weight): WeightTexture {
    return atOnce(this.uploading(weight));
  }

  *uploading({ key, make, node }: Weight): Parts<WeightTexture> {
    const known = this.weights.get(key);
    if (known !== undefined) return known;
    const values = yield* make();
    yield;
    const kept: Kept[] = [];
    let precision: "float32" | "float16" = "float32";
    if (node && this.precision === "float16") {
      // Half floats have infinities, and NaN.
      if (values.some((one) => Number.isFinite(one) && Math.abs(one) > 65504))
        kept.push({ node, reason: "it holds numbers beyond ±65504" });
      else precision = "float16";
    }
    const texture = { ...makeWeightTexture(this.device, values.length, precision), kept };
    yield* writeWeights(this.device, texture, values);
    this.uploadedBytes += values.byteLength;
    this.weights.set(key, texture);
    return texture;
  }

  /** What all weights take. */
  get weightBytes(): number {
    return [...this.weights.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The weights that stay float32 because their numbers do not fit. */
  get kept(): Kept[] {
    return [...this.weights.values()].flatMap(({ kept }) => kept);
  }

  /** A texture for that many texels: a free one of that size, or a new one. */
  take(texels: number): TensorTexture {
    const { width, height } = textureSize(texels);
    return this.free.get(`${width} ${height}`)?.pop() ?? makeTensorTexture(this.device, texels);
  }

  /** Takes a texture back, to be reused for the same size. */
  give(texture: TensorTexture): void {
    const { width, height } = texture.size;
    const key = `${width} ${height}`;
    const list = this.free.get(key) ?? [];
    list.push(texture);
    this.free.set(key, list);
  }

  /** Deletes free textures: other input shapes need other sizes. */
  dropFree(): void {
    const { gl } = this.device;
    for (const { texture, framebuffer } of [...this.free.values()].flat()) {
      gl.deleteFramebuffer(framebuffer);
      gl.deleteTexture(texture);
    }
    this.free.clear();
  }

  /** Like `read`, without blocking until the GPU has finished. */
  readLater(place: TensorTexture, layout: Layout): Promise<Float32Array> {
    return readTensorLater(this.device, place, (data) => unpack(data, layout, place.size));
  }

  /** Row-major values; blocks until the GPU has finished. */
  read(place: TensorTexture, layout: Layout): Float32Array {
    const { width, height } = place.size;
    if (this.raw.length < 16 * width * height) this.raw = new Float32Array(16 * width * height);
    return unpack(readTensor(this.device, place, this.raw), layout, place.size);
  }

  /** Deletes all weights but those with these keys; the next plan uploads them again. */
  dropWeights(used: ReadonlySet<string> = new Set()): void {
    this.renew(); // forgets what was lost with a context, which another context could not delete
    for (const [key, { texture }] of this.weights) {
      if (used.has(key)) continue;
      this.device.gl.deleteTexture(texture);
      this.weights.delete(key);
    }
  }

  /** Call it when all plans have given back their textures. */
  dispose(): void {
    this.dropWeights();
    this.dropFree();
  }
}
