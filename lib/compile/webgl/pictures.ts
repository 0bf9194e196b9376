/**
 * What `nn.image` returns while a model is compiled for WebGL: a tensor whose data is a picture on
 * the GPU, not yet resized. A plan draws it directly into its input. For tfjs it is a tensor of
 * another backend, so whatever else reads it makes tfjs have it drawn and read back.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { TakePicture } from "../../image/gpu.js";
import { draw, type Picture } from "../../image/source.js";
import { type Device, WebGLContextLostError } from "../../kernels/webgl/device.js";
import { Launch, Sequence } from "../../kernels/webgl/launch.js";
import { type Layout, makeLayout, texelsOf, unpack } from "../../kernels/webgl/layout.js";
import type { ProgramCache } from "../../kernels/webgl/program.js";
import { PICTURE } from "../../kernels/webgl/programs/picture.js";
import {
  makeTensorTexture,
  readTensor,
  readTensorLater,
  type TensorTexture,
  useNearest,
} from "../../kernels/webgl/textures.js";

type Taken = Parameters<TakePicture>;

/** A texture with the picture in it and the way to draw it; it is reused for the next frame. */
interface Sheet {
  readonly texture: WebGLTexture;
  readonly drawn: WeakMap<TensorTexture, { key: string; sequence: Sequence }>;
  readonly generation: number;
}

/** A picture on the GPU. */
export interface OnGpu {
  /** Draws the picture, resized and normalised, into a texture of a plan. */
  draw(place: TensorTexture, layout: Layout): void;
}

/** How many free textures to keep: two sizes of frames, each with one under way. */
const MOST_FREE = 4;

/** The layout of a picture `(1, 3, H, W)`: channels last. */
export const pictureLayout = (shape: readonly number[]): Layout => makeLayout(shape, [0, 2, 3, 1]);

class Uploaded implements OnGpu {
  references = 1;

  constructor(
    private readonly pictures: Pictures,
    private readonly sheet: Sheet,
    readonly shape: readonly number[],
    private readonly numbers: Launch["numbers"],
    private readonly key: string,
  ) {}

  dispose(): void {
    this.pictures.giveBack(this.sheet);
  }

  draw(place: TensorTexture, layout: Layout): void {
    const { device, programs } = this.pictures;
    const { texture, drawn, generation } = this.sheet;
    if (device.isLost || generation !== device.generation) {
      throw new WebGLContextLostError(
        "a picture that nn.image had uploaded is gone, take it again",
      );
    }
    let known = drawn.get(place);
    if (known?.key !== this.key) {
      known?.sequence.dispose();
      const weights = [{ texture, size: { shift: 0, width: 0, height: 0 }, bytes: 0 }];
      const launch = new Launch(programs.get(PICTURE), [], weights, { place, layout }, this.numbers); // prettier-ignore
      known = { key: this.key, sequence: new Sequence(device, [launch]) };
      drawn.set(place, known);
    }
    known.sequence.run();
  }
}

/** All pictures of a device, as a tfjs backend that can only read values. */
export class Pictures extends tf.KernelBackend {
  private readonly known = new Map<object, Uploaded>();
  private free: Sheet[] = [];

  constructor(
    readonly device: Device,
    readonly programs: ProgramCache,
  ) {
    super();
  }

  /** The picture behind a tensor; `null` if there is none. */
  of({ dataId }: tf.Tensor): OnGpu | null {
    return this.known.get(dataId) ?? null;
  }

  /** A second handle of a picture, `null` for other tensors. (tfjs' `clone` would read it back.) */
  handleOf({ dataId, shape, dtype }: tf.Tensor): tf.Tensor | null {
    if (!this.known.has(dataId)) return null;
    this.incRef(dataId);
    return tf.engine().makeTensorFromDataId(dataId, [...shape], dtype, this);
  }

  readonly take: TakePicture = (...taken) => {
    const [{ width, height }, { kept }] = taken;
    const { device } = this;
    const most = device.limits.maxTextureSize;
    // On other backends, tfjs handles pictures.
    if (tf.getBackend() !== "webgl" || device.isLost || Math.max(width, height) > most) return null;
    const { generation } = device;
    this.free = this.free.filter((one) => one.generation === generation);
    const sheet = this.free.pop() ?? {
      ...{ texture: device.gl.createTexture(), drawn: new WeakMap() },
      generation,
    };
    this.free.push(sheet); // it is free unless the upload succeeds
    if (!upload(device, sheet.texture, taken[0])) return null;
    this.free.pop();
    const dataId = {};
    const shape = [1, 3, ...kept];
    const numbers = numbersOf(taken);
    this.known.set(dataId, new Uploaded(this, sheet, shape, numbers, JSON.stringify(numbers)));
    return tf.engine().makeTensorFromDataId(dataId, shape, "float32", this) as tf.Tensor4D;
  };

  /** Deletes the free textures. */
  clear(): void {
    this.shorten(0);
  }

  giveBack(sheet: Sheet): void {
    this.free.push(sheet);
    this.shorten(MOST_FREE);
  }

  /** Deletes the textures that have been free for longest. */
  private shorten(most: number): void {
    const { gl, generation } = this.device;
    for (const sheet of this.free.splice(0, Math.max(0, this.free.length - most))) {
      // What belonged to a lost context is gone, and another context could not delete it.
      if (sheet.generation === generation) gl.deleteTexture(sheet.texture);
    }
  }

  /** Draws a picture for a reader of its numbers. */
  private drawn<T>(dataId: object, read: (place: TensorTexture, layout: Layout) => T): T {
    const picture = this.known.get(dataId)!;
    const layout = pictureLayout(picture.shape);
    const place = makeTensorTexture(this.device, texelsOf(layout));
    try {
      picture.draw(place, layout);
      return read(place, layout);
    } finally {
      const { gl } = this.device;
      gl.deleteFramebuffer(place.framebuffer);
      gl.deleteTexture(place.texture);
    }
  }

  override readSync(dataId: object): Float32Array {
    return this.drawn(dataId, (place, layout) => {
      const { width, height } = place.size;
      const raw = readTensor(this.device, place, new Float32Array(16 * width * height));
      return unpack(raw, layout, place.size);
    });
  }

  override read(dataId: object): Promise<Float32Array> {
    return this.drawn(dataId, (place, layout) =>
      readTensorLater(this.device, place, (raw) => unpack(raw, layout, place.size)),
    );
  }

  override refCount(dataId: object): number {
    return this.known.get(dataId)?.references ?? 0;
  }

  override incRef(dataId: object): void {
    this.known.get(dataId)!.references += 1;
  }

  override disposeData(dataId: object, force = false): boolean {
    const picture = this.known.get(dataId);
    if (picture === undefined) return true;
    picture.references -= 1;
    if (picture.references > 0 && !force) return false;
    this.known.delete(dataId);
    picture.dispose();
    return true;
  }

  override numDataIds(): number {
    return this.known.size;
  }
}

function numbersOf([picture, frame, { mean, std, antialias }]: Taken): Launch["numbers"] {
  const { resized, kept, begin } = frame;
  const scaleH = picture.height / resized[0];
  const scaleW = picture.width / resized[1];
  return {
    ints: {
      ...{ keptW: kept[1], beginH: begin[0], beginW: begin[1] },
      ...{ resizedH: resized[0], resizedW: resized[1] },
      ...{ inH: picture.height, inW: picture.width },
    },
    floats: {
      ...{ scaleH, scaleW },
      radiusH: antialias ? Math.max(1, scaleH) : 1,
      radiusW: antialias ? Math.max(1, scaleW) : 1,
      ...Object.fromEntries(std.map((one, c) => [`gain${c}`, 1 / one])),
      ...Object.fromEntries(std.map((one, c) => [`bias${c}`, -mean[c]! / one])),
    },
  };
}

/** Uploads a picture as bytes; `false` for numbers in memory that are not bytes. */
function upload({ gl }: Device, texture: WebGLTexture, picture: Picture): boolean {
  const { TEXTURE_2D, RGBA, RGBA8, RGB, RGB8, UNSIGNED_BYTE } = gl;
  gl.bindTexture(TEXTURE_2D, texture);
  useNearest(gl, TEXTURE_2D);
  if (picture.kind !== "memory") {
    // Else the GPU would multiply the colours of transparent pixels with their alpha.
    const source = picture.kind === "still" ? draw(picture) : picture.source;
    gl.texImage2D(TEXTURE_2D, 0, RGBA8, RGBA, UNSIGNED_BYTE, source);
    return true;
  }
  const { data, channels, width, height } = picture;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!isBytes || !(data.buffer instanceof ArrayBuffer)) return false;
  const [inside, outside] = channels === 4 ? [RGBA8, RGBA] : [RGB8, RGB];
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
  gl.texImage2D(TEXTURE_2D, 0, inside, width, height, 0, outside, UNSIGNED_BYTE, bytes);
  return true;
}
