import { type Device, type Limits, WebGLUnsupportedError } from "./device.js";
import { type TextureSize, textureSize } from "./layout.js";

/** A tensor on the GPU: a texture array with four layers, one for each of four consecutive rows. */
export interface TensorTexture {
  readonly texture: WebGLTexture;
  /** Draws to all four layers at once. */
  readonly framebuffer: WebGLFramebuffer;
  readonly size: TextureSize;
}

export interface WeightTexture {
  readonly texture: WebGLTexture;
  readonly size: TextureSize;
  readonly bytes: number;
}

export function makeTensorTexture({ gl, limits }: Device, texels: number): TensorTexture {
  const size = checkedSize(limits, texels);
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
  const format = limits.precision === "float32" ? gl.RGBA32F : gl.RGBA16F;
  gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, format, size.width, size.height, 4);
  useNearest(gl, gl.TEXTURE_2D_ARRAY);
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  const attachments = [0, 1, 2, 3].map((layer) => gl.COLOR_ATTACHMENT0 + layer);
  attachments.forEach((attachment, layer) => {
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, attachment, texture, 0, layer);
  });
  gl.drawBuffers(attachments);
  return { texture, framebuffer, size };
}

/** The size of a texture for that many texels, if this GPU supports it. */
export function checkedSize({ maxTextureSize }: Limits, texels: number): TextureSize {
  const size = textureSize(texels);
  if (size.width <= maxTextureSize && size.height <= maxTextureSize) return size;
  throw new WebGLUnsupportedError(
    `a tensor of the model needs a texture of ${size.width} × ${size.height} texels, but ` +
      `this GPU has at most ${maxTextureSize} a side`,
  );
}

/** Uploads what a `Packer` made. */
export function writeTensor(
  { gl }: Device,
  { texture, size: { width, height } }: TensorTexture,
  data: Float32Array,
): void {
  const { TEXTURE_2D_ARRAY, RGBA, FLOAT } = gl;
  gl.bindTexture(TEXTURE_2D_ARRAY, texture);
  gl.texSubImage3D(TEXTURE_2D_ARRAY, 0, 0, 0, 0, width, height, 4, RGBA, FLOAT, data);
}

/**
 * Calls `use` with numbers for `unpack` as soon as the GPU has them, without blocking the page. The
 * array is reused afterwards.
 */
export async function readTensorLater<T>(
  device: Device,
  { framebuffer, size }: TensorTexture,
  use: (data: Float32Array) => T,
): Promise<T> {
  const { gl } = device;
  const readback = device.takeReadback(16 * size.width * size.height);
  const { buffer, data } = readback;
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
  readLayers(gl, framebuffer, size);
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  try {
    await device.finished();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, data);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    device.throwIfLost();
    return use(data);
  } finally {
    device.giveReadback(readback);
  }
}

/** Reads all four layers, one after the other, into the bound buffer. */
function readLayers(
  gl: WebGL2RenderingContext,
  framebuffer: WebGLFramebuffer,
  { width, height }: TextureSize,
): void {
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  for (let i = 0; i < 4; i += 1) {
    gl.readBuffer(gl.COLOR_ATTACHMENT0 + i);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, 16 * i * width * height);
  }
}

/**
 * Reads numbers for `unpack` into `data`. Blocks until the GPU has finished, once for all layers.
 */
export function readTensor(
  device: Device,
  { framebuffer, size }: TensorTexture,
  data: Float32Array,
): Float32Array {
  const { gl } = device;
  const count = 16 * size.width * size.height;
  device.bindStaging(4 * count);
  readLayers(gl, framebuffer, size);
  gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, data, 0, count);
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  device.throwIfLost(); // a lost context would give zeros
  return data;
}

/** A texture for that many weights, four per texel, still without contents. */
export function makeWeightTexture(
  { gl, limits }: Device,
  count: number,
  precision: "float32" | "float16" = "float32",
): WeightTexture {
  const size = checkedSize(limits, Math.ceil(count / 4));
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  const [format, perTexel] = precision === "float32" ? [gl.RGBA32F, 16] : [gl.RGBA16F, 8];
  gl.texStorage2D(gl.TEXTURE_2D, 1, format, size.width, size.height);
  useNearest(gl, gl.TEXTURE_2D);
  return { texture, size, bytes: perTexel * size.width * size.height };
}

/** How many numbers are uploaded at once. */
const MOST_UPLOADED = 1 << 18;

/** Uploads weights, with pauses between the pieces of large ones. */
export function* writeWeights(
  { gl }: Device,
  { texture, size: { width, height } }: WeightTexture,
  values: Float32Array,
): Generator<void, void> {
  const upload = (line: number, lines: number, data: Float32Array, from: number): void => {
    const { TEXTURE_2D, RGBA, FLOAT } = gl;
    gl.bindTexture(TEXTURE_2D, texture);
    gl.texSubImage2D(TEXTURE_2D, 0, 0, line, width, lines, RGBA, FLOAT, data, from);
  };
  // Whole lines first, then a last line with the rest.
  const whole = Math.floor(values.length / (4 * width));
  const most = Math.max(1, Math.floor(MOST_UPLOADED / (4 * width)));
  for (let line = 0; line < whole; line += most) {
    upload(line, Math.min(most, whole - line), values, 4 * width * line);
    yield;
  }
  if (whole < height) {
    const rest = new Float32Array(4 * width);
    rest.set(values.subarray(4 * width * whole));
    upload(whole, 1, rest, 0);
  }
}

/** Textures of 32-bit floats cannot be filtered. */
export function useNearest(gl: WebGL2RenderingContext, target: GLenum): void {
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
}
