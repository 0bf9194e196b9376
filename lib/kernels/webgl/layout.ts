/**
 * How a tensor lies in a texture. Its axes are put in an order that ends with the channels (axis 1
 * of pictures, else the last), which makes it a matrix of rows × channels. Four channels are a
 * texel, and four rows the four layers of a texture array: one run of a shader writes 4 × 4 numbers,
 * and a product of matrices reads 8 texels for 64 multiplications.
 */

export interface Layout {
  /** The logical shape, as PyTorch says it. */
  readonly shape: readonly number[];
  /** The axes in the order in which they lie; the last is the channels. */
  readonly order: readonly number[];
  readonly rows: number;
  readonly channels: number;
  /** Texels that a row's channels take. */
  readonly groups: number;
}

export function makeLayout(shape: readonly number[], order?: readonly number[]): Layout {
  const axes = order ?? shape.map((_, axis) => axis);
  const channels = axes.length === 0 ? 1 : shape[axes.at(-1)!]!;
  const rows = axes.slice(0, -1).reduce((product, axis) => product * shape[axis]!, 1);
  return { shape, order: axes, rows, channels, groups: Math.ceil(channels / 4) };
}

/** For each logical axis, how far apart its elements lie when no padding is counted. */
export function stridesOf({ shape, order }: Layout): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  let stride = 1;
  for (const axis of order.toReversed()) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Texels in one layer. */
export const texelsOf = ({ rows, groups }: Layout): number =>
  Math.max(1, Math.ceil(rows / 4) * groups);

/** Width and height of a texture with that many texels; the width is a power of two. */
export interface TextureSize {
  shift: number;
  width: number;
  height: number;
}

export function textureSize(texels: number): TextureSize {
  // At least 4 wide, so that four texels that belong together stand side by side.
  const shift = Math.max(2, Math.ceil(Math.log2(Math.sqrt(texels))));
  const width = 1 << shift; // an integer to V8: what `**` gives is boxed, and each reading of it, too
  return { shift, width, height: Math.max(1, Math.ceil(texels / width)) };
}

/** Goes along the elements of a strided tensor in row-major order; nothing is made on the way. */
class Walk {
  /** Where the element is that it has come to. */
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

  /** To the next one; after the last it is at the first again. */
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
 * Puts row-major tensors of one layout where it wants them: the values of all four layers in turn. The
 * array is the same each time, and nothing else is made either.
 */
export class Packer {
  /** Zeros in the lanes that belong to no channel. */
  private readonly out: Float32Array<ArrayBuffer>;
  private readonly layer: number;
  /** Elements from one channel to the next. */
  private readonly byChannel: number;
  /** Along the axes but the channels. */
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

/** The row-major values of what a `Packer` would make. */
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

/** On the way of every result, so without a function of its own. */
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
