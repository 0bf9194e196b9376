/**
 * How a tensor is stored in a texture. Its axes are ordered so that the channels come last (axis 1
 * of images, else the last axis); so it is a matrix of rows × channels. Four channels are one
 * texel, and four rows are the four layers of a texture array: one fragment writes 4 × 4 numbers,
 * and a matrix product reads 8 texels for 64 multiplications.
 */

export interface Layout {
  /** The shape as in PyTorch. */
  readonly shape: readonly number[];
  /** The order of the axes in memory; the last one is the channels. */
  readonly order: readonly number[];
  readonly rows: number;
  readonly channels: number;
  /** The number of texels for a row's channels. */
  readonly groups: number;
}

export function makeLayout(shape: readonly number[], order?: readonly number[]): Layout {
  const axes = order ?? shape.map((_, axis) => axis);
  const channels = axes.length === 0 ? 1 : shape[axes.at(-1)!]!;
  const rows = axes.slice(0, -1).reduce((product, axis) => product * shape[axis]!, 1);
  return { shape, order: axes, rows, channels, groups: Math.ceil(channels / 4) };
}

/** The stride of each axis of the shape, in elements, padding not counted. */
export function stridesOf({ shape, order }: Layout): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  let stride = 1;
  for (const axis of order.toReversed()) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** The number of texels in one layer. */
export const texelsOf = ({ rows, groups }: Layout): number =>
  Math.max(1, Math.ceil(rows / 4) * groups);

/** The size of a texture; the width is a power of two. */
export interface TextureSize {
  shift: number;
  width: number;
  height: number;
}

export function textureSize(texels: number): TextureSize {
  // At least 4 wide, so that the four texels of a block are in one line.
  const shift = Math.max(2, Math.ceil(Math.log2(Math.sqrt(texels))));
  const width = 1 << shift; // an integer for V8; the result of `**` would be boxed at each read
  return { shift, width, height: Math.max(1, Math.ceil(texels / width)) };
}

/** Walks over the elements of a strided tensor in row-major order, without allocating. */
class Walk {
  /** The offset of the current element. */
  at = 0;
  private readonly index: number[];

  constructor(
    private readonly sizes: readonly number[],
    private readonly steps: readonly number[],
  ) {
    this.index = sizes.map(() => 0);
  }

  start(offset: number): void {
    this.index.fill(0);
    this.at = offset;
  }

  /** Advances to the next element; after the last it returns to the first. */
  next(): void {
    const { sizes, steps, index } = this;
    for (let axis = sizes.length - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      this.at += steps[axis]!;
      if (index[axis]! < sizes[axis]!) return;
      this.at -= steps[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
}

/**
 * Brings row-major values into the order of a texture, all four layers in turn. The result is the
 * same array each time, and nothing else is allocated.
 */
export class Packer {
  /** Lanes that belong to no channel stay 0. */
  private readonly out: Float32Array<ArrayBuffer>;
  private readonly layer: number;
  /** The distance of neighbouring channels in the values. */
  private readonly byChannel: number;
  /** Walks over all axes but the channels. */
  private readonly walk: Walk;

  constructor(
    private readonly layout: Layout,
    { width, height }: TextureSize,
  ) {
    const { shape, order } = layout;
    const strides = stridesOf(makeLayout(shape));
    const rows = order.slice(0, -1);
    this.layer = 4 * width * height;
    this.out = new Float32Array(4 * this.layer);
    this.byChannel = order.length === 0 ? 1 : strides[order.at(-1)!]!;
    this.walk = new Walk(
      rows.map((axis) => shape[axis]!),
      rows.map((axis) => strides[axis]!),
    );
  }

  pack(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
    const { out, layer, byChannel, walk } = this;
    const { rows, channels, groups } = this.layout;
    walk.start(0);
    for (let row = 0; row < rows; row += 1) {
      const to = (row & 3) * layer + (row >> 2) * groups * 4;
      for (let c = 0; c < channels; c += 1) out[to + c] = values[walk.at + c * byChannel]!;
      walk.next();
    }
    return out;
  }
}

/** The inverse of a `Packer`: row-major values. */
export function unpack(packed: Float32Array, layout: Layout, size: TextureSize): Float32Array {
  const { rows, channels, groups, shape, order } = layout;
  const layer = 4 * size.width * size.height;
  const out = new Float32Array(rows * channels);
  for (let row = 0; row < rows; row += 1) {
    const from = (row & 3) * layer + (row >> 2) * groups * 4;
    for (let c = 0; c < channels; c += 1) out[row * channels + c] = packed[from + c]!;
  }
  if (isPlain(order)) return out;
  const inverse = shape.map((_, axis) => order.indexOf(axis));
  return permute(
    out,
    order.map((axis) => shape[axis]!),
    inverse,
  );
}

/** Whether the axes are in their natural order. Runs for every result, so it takes no callback. */
function isPlain(order: readonly number[]): boolean {
  for (let i = 0; i < order.length; i += 1) if (order[i] !== i) return false;
  return true;
}

function permute(
  values: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array {
  const strides = stridesOf(makeLayout(shape));
  return gather(
    values,
    order.map((axis) => shape[axis]!),
    order.map((axis) => strides[axis]!),
  );
}

/** The elements of a strided view in row-major order. */
export function gather(
  values: ArrayLike<number>,
  sizes: readonly number[],
  steps: readonly number[],
  offset = 0,
): Float32Array {
  const out = new Float32Array(sizes.reduce((n, size) => n * size, 1));
  const walk = new Walk(sizes, steps);
  walk.start(offset);
  for (let to = 0; to < out.length; to += 1) {
    out[to] = values[walk.at]!;
    walk.next();
  }
  return out;
}
