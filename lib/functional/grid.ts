import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloating } from "./broadcast.js";
import { checkTensor, dtypeName, listText } from "./check.js";
import { op } from "./op.js";

export interface GridSampleOptions {
  /** Default: `"bilinear"`; in 5-D the trilinear and tricubic forms. */
  mode?: "bilinear" | "nearest" | "bicubic";
  /** What is outside the input. Default: `"zeros"`. */
  paddingMode?: "zeros" | "border" | "reflection";
  /** Whether -1 and 1 are the centres of the corner elements, instead of their outer edges. */
  alignCorners?: boolean | null;
}

type Options = Required<GridSampleOptions>;

const GRID_SAMPLE: Options = { mode: "bilinear", paddingMode: "zeros", alignCorners: null };

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  const expected = choices.map((choice) => `'${choice}'`).join(", ");
  throw new RangeError(
    `grid_sample(): expected ${name} to be one of ${expected}, but got: '${value}'`,
  );
}

function checkGridSample(input: tf.Tensor, grid: tf.Tensor, { mode, paddingMode }: Options): void {
  checkTensor("grid_sample", input);
  checkTensor("grid_sample", grid, "grid", 2);
  checkChoice("mode", mode, ["bilinear", "nearest", "bicubic"]);
  checkChoice("padding_mode", paddingMode, ["zeros", "border", "reflection"]);
  const sizes = `input with sizes ${listText(input.shape)} and grid with sizes ${listText(grid.shape)}`;
  const rule =
    (input.rank !== 4 && input.rank !== 5) || grid.rank !== input.rank
      ? `4D or 5D input and grid with same number of dimensions, but got ${sizes}`
      : input.shape[0] !== grid.shape[0]
        ? `grid and input to have same batch size, but got ${sizes}`
        : grid.shape.at(-1) !== input.rank - 2
          ? `grid to have size ${input.rank - 2} in last dimension, but got ${sizes}`
          : input.shape.slice(2).includes(0)
            ? `input to have non-empty spatial dimensions, but got ${sizes}`
            : input.dtype !== "float32" || grid.dtype !== "float32"
              ? `input and grid of dtype Float, but got ${dtypeName(input)} and ${dtypeName(grid)}`
              : null;
  if (rule !== null) throw new RangeError(`grid_sampler(): expected ${rule}`);
}

/** Reflects positions at `low` and `high` until they are between them. */
function reflect(x: tf.Tensor, low: number, high: number): tf.Tensor {
  const span = high - low;
  if (span === 0) return tf.zerosLike(x);
  const distance = tf.abs(tf.sub(x, low));
  const flips = tf.floor(tf.div(distance, span));
  const rest = tf.sub(distance, tf.mul(flips, span));
  const isOdd = tf.greater(tf.sub(flips, tf.mul(tf.floor(tf.div(flips, 2)), 2)), 0);
  return tf.add(tf.where(isOdd, tf.sub(span, rest), rest), low);
}

/** Moves positions inside, if the padding mode does so. NaN becomes 0, as in PyTorch. */
function bringInside(
  x: tf.Tensor,
  size: number,
  { paddingMode, alignCorners }: Options,
): tf.Tensor {
  if (paddingMode === "zeros") return x;
  const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5];
  const inside = paddingMode === "border" ? x : reflect(x, low, high);
  const positive = tf.where(tf.greater(inside, 0), inside, tf.zerosLike(inside));
  return tf.minimum(positive, size - 1);
}

/**
 * For each output the position of one input element along a dimension (an integer, perhaps outside)
 * and its weight.
 */
interface Tap {
  position: tf.Tensor;
  weight: tf.Tensor | null;
}

/** Keys' cubic convolution at distances below 1, and from 1 to 2. */
const A = -0.75;
const nearCubic = (d: tf.Tensor): tf.Tensor =>
  tf.add(tf.mul(tf.mul(tf.sub(tf.mul(d, A + 2), A + 3), d), d), 1);
const farCubic = (d: tf.Tensor): tf.Tensor =>
  tf.sub(tf.mul(tf.add(tf.mul(tf.sub(tf.mul(d, A), 5 * A), d), 8 * A), d), 4 * A);

/** The elements along a dimension that grid positions in [-1, 1] refer to, with their weights. */
function tapsAlong(grid: tf.Tensor, size: number, options: Options): Tap[] {
  const x = options.alignCorners
    ? tf.mul(tf.add(grid, 1), (size - 1) / 2)
    : tf.sub(tf.mul(tf.add(grid, 1), size / 2), 0.5);
  if (options.mode === "nearest") {
    return [{ position: tf.round(bringInside(x, size, options)), weight: null }];
  }
  if (options.mode === "bilinear") {
    const inside = bringInside(x, size, options);
    const left = tf.floor(inside);
    const t = tf.sub(inside, left);
    return [
      { position: left, weight: tf.sub(1, t) },
      { position: tf.add(left, 1), weight: t },
    ];
  }
  const left = tf.floor(x);
  const t = tf.sub(x, left);
  const s = tf.sub(1, t);
  const weights = [farCubic(tf.add(t, 1)), nearCubic(t), nearCubic(s), farCubic(tf.add(s, 1))];
  return weights.map((weight, k) => ({
    position: tf.floor(bringInside(tf.add(left, k - 1), size, options)),
    weight,
  }));
}

/** The index in the flattened input; for elements outside, that of the added row of zeros. */
function flatPosition(corner: readonly Tap[], spatial: readonly number[]): tf.Tensor {
  let flat: tf.Tensor = tf.scalar(0);
  let inside: tf.Tensor | null = null;
  corner.forEach(({ position }, d) => {
    const size = spatial[d]!;
    flat = tf.add(tf.mul(flat, size), position);
    const here = tf.logicalAnd(tf.greaterEqual(position, 0), tf.less(position, size));
    inside = inside === null ? here : tf.logicalAnd(inside, here);
  });
  const behind = tf.util.sizeFromShape([...spatial]);
  return tf.where(inside!, flat, tf.fill(flat.shape, behind));
}

/** All combinations of one element from each of the lists. */
const combinations = <T>(options: readonly T[][]): T[][] =>
  options.reduce<T[][]>((all, some) => all.flatMap((one) => some.map((x) => [...one, x])), [[]]);

/**
 * Samples the input at the places that `grid` says, -1 … 1 in each dimension, x first.
 *
 * Shapes: input `(N, C, H, W)`, grid `(N, H', W', 2)` → `(N, C, H', W')`; or input
 * `(N, C, D, H, W)`, grid `(N, D', H', W', 3)` → `(N, C, D', H', W')`.
 *
 * @throws if the shapes don't fit.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
 */
export const gridSample = /* @__PURE__ */ op(
  "grid_sampler",
  (input: tf.Tensor, grid: tf.Tensor, given?: GridSampleOptions): tf.Tensor => {
    const options = readOptions<Options>("grid_sample", GRID_SAMPLE, given);
    checkGridSample(input, grid, options);
    const [n, c, ...spatial] = input.shape as [number, number, ...number[]];
    const output = grid.shape.slice(1, -1);
    if (n * c * tf.util.sizeFromShape(output) === 0) return tf.zeros([n, c, ...output]);

    // Rows of channels; a row of zeros after each image stands for everything outside.
    const size = tf.util.sizeFromShape(spatial);
    const rows = tf.transpose(tf.reshape(input, [n, c, size]), [0, 2, 1]);
    const table = tf.reshape(
      tf.pad(rows, [
        [0, 0],
        [0, 1],
        [0, 0],
      ]),
      [n * (size + 1), c],
    );
    const firstRow = tf.reshape(tf.range(0, n * (size + 1), size + 1), [n, 1]);

    const places = tf.unstack(tf.reshape(grid, [n, -1, spatial.length]), 2).reverse();
    const taps = spatial.map((along, d) => tapsAlong(places[d]!, along, options));
    const parts = combinations(taps).map((corner) => {
      const row = tf.add(flatPosition(corner, spatial), firstRow);
      const values = tf.gather(table, tf.cast(row, "int32"));
      const weights = corner.flatMap(({ weight }) => weight ?? []);
      if (weights.length === 0) return values;
      return tf.mul(values, tf.expandDims(weights.reduce(tf.mul), 2));
    });
    const sampled = parts.reduce((a, b) => tf.add(a, b));
    return tf.reshape(tf.transpose(sampled, [0, 2, 1]), [n, c, ...output]);
  },
);

export interface AffineGridOptions {
  /** Whether -1 and 1 are the centres of the corner elements, instead of their outer edges. */
  alignCorners?: boolean | null;
}

/** `steps` positions between -1 and 1. */
function positions(steps: number, alignCorners: boolean): number[] {
  const reach = alignCorners ? 1 : (steps - 1) / steps;
  return Array.from({ length: steps }, (_, i) =>
    steps === 1 ? 0 : ((2 * i) / (steps - 1) - 1) * reach,
  );
}

/**
 * The grid for {@link gridSample} that an affine map makes: `theta · (x, y, 1)`.
 *
 * Shapes: theta `(N, 2, 3)`, size `[N, C, H, W]` → `(N, H, W, 2)`; or theta `(N, 3, 4)`, size
 * `[N, C, D, H, W]` → `(N, D, H, W, 3)`.
 *
 * @throws if theta does not fit the size.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html
 */
export const affineGrid = /* @__PURE__ */ op(
  "affine_grid_generator",
  (theta: tf.Tensor, size: readonly number[], given?: AffineGridOptions): tf.Tensor => {
    const options = readOptions<AffineGridOptions>("affine_grid", { alignCorners: null }, given);
    checkTensor("affine_grid", theta, "theta");
    checkFloating("affine_grid()", theta, "theta");
    const n = size.length - 2;
    if (n !== 2 && n !== 3) {
      throw new RangeError(
        "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, " +
          `respectively. Got size ${listText(size)}.`,
      );
    }
    if (theta.rank !== 3 || theta.shape[1] !== n || theta.shape[2] !== n + 1) {
      throw new RangeError(
        `Expected a batch of ${n}D affine matrices of shape Nx${n}x${n + 1} for size ` +
          `${listText(size)}. Got ${listText(theta.shape)}.`,
      );
    }
    if (Math.min(...size) <= 0) {
      throw new RangeError(`Expected non-zero, positive output size. Got ${listText(size)}`);
    }
    if (theta.shape[0] !== size[0]) {
      throw new RangeError(
        `Expected a batch of ${size[0]} matrices for size ${listText(size)}. Got ${listText(theta.shape)}.`,
      );
    }
    const spatial = size.slice(2);
    const along = spatial.map((steps) => positions(steps, options.alignCorners ?? false));
    const base = combinations(along).map((place) => [...place.reverse(), 1]);
    const places = tf.tile(tf.expandDims(tf.tensor2d(base), 0), [size[0], 1, 1]);
    return tf.reshape(tf.matMul(places, tf.transpose(theta, [0, 2, 1])), [size[0], ...spatial, n]);
  },
);
