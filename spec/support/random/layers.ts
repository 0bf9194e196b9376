import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";
import { type Chance, fitting, type Known, type Piece, sizeOf } from "./chance.js";

const F = nn.functional;

type Shape = readonly number[];
type Layer = nn.Module | null;

/** A layer of one tensor, of so many dimensions. */
const layer = (low: number, high: number, make: (shape: Shape, chance: Chance) => Layer): Piece =>
  fitting(low, high, (shape, chance) => {
    const module = make(shape, chance);
    return module && { module, run: (x) => module(x) as tf.Tensor };
  });

const call = (
  low: number,
  high: number,
  make: (shape: Shape, chance: Chance) => ((x: tf.Tensor) => tf.Tensor | tf.Tensor[]) | null,
): Piece =>
  // prettier-ignore
  fitting(low, high, (shape, chance) => {
    const run = make(shape, chance);
    return run && { run };
  });

/** A layer, and what it read added: in one step. */
const residual = (low: number, high: number, make: (shape: Shape) => nn.Module): Piece =>
  fitting(low, high, (shape, chance) => {
    const module = make(shape);
    const [isLast, follow] = [chance.yes(), chance.pick([F.relu, tf.clone])];
    const add = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => (isLast ? tf.add(a, b) : tf.add(b, a));
    return { module, run: (x) => follow(add(x, module(x) as tf.Tensor)) };
  });

/** Divisors that leave a group a channel. */
const divisor = (n: number, chance: Chance): number =>
  chance.pick([1, 2, 3, n].filter((one) => n % one === 0));

const CONVS = [nn.Conv1d, nn.Conv2d, nn.Conv3d];
const TRANSPOSED = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d];

function conv(dims: number): Piece {
  return layer(dims + 1, dims + 2, (shape, chance) => {
    const [channels, ...size] = shape.slice(-dims - 1) as [number, ...number[]];
    const groups = divisor(channels, chance);
    const kernel = size.map(() => chance.from(1, dims === 3 ? 2 : 4));
    const dilation = size.map(() => chance.pick([1, 1, 2]));
    const paddingMode = chance.pick(["zeros", "zeros", "reflect", "replicate", "circular"] as const); // prettier-ignore
    const reach = kernel.map((k, i) => (k - 1) * dilation[i]!);
    const isSame = chance.below(4) === 0;
    const padding = size.map((n, i) => Math.min(chance.from(0, 2), paddingMode === "zeros" ? 2 : n - 1, reach[i]!)); // prettier-ignore
    if (isSame && paddingMode !== "zeros" && size.some((n, i) => reach[i]! > n)) return null;
    if (size.some((n, i) => n + 2 * padding[i]! <= reach[i]!)) return null;
    return new CONVS[dims - 1]!(channels, groups * chance.from(1, 3), kernel, {
      ...{ groups, dilation, paddingMode, bias: chance.yes() },
      padding: isSame ? "same" : padding,
      stride: isSame ? 1 : size.map(() => chance.from(1, 3)),
    });
  });
}

function transposed(dims: number): Piece {
  return layer(dims + 1, dims + 2, (shape, chance) => {
    const [channels, ...size] = shape.slice(-dims - 1) as [number, ...number[]];
    const groups = divisor(channels, chance);
    const kernel = size.map(() => chance.from(1, dims === 3 ? 2 : 4));
    const stride = size.map(() => chance.from(1, 3));
    const dilation = size.map(() => chance.from(1, 2));
    const padding = kernel.map((k, i) => Math.min(chance.below(2), Math.floor(((k - 1) * dilation[i]!) / 2))); // prettier-ignore
    const outputPadding = stride.map((s, i) => Math.min(chance.below(2), Math.max(s, dilation[i]!) - 1)); // prettier-ignore
    const options = { groups, stride, dilation, padding, outputPadding, bias: chance.yes() };
    return new TRANSPOSED[dims - 1]!(channels, groups * chance.from(1, 2), kernel, options);
  });
}

const MAX_POOLS = [F.maxPool1d, F.maxPool2d, F.maxPool3d];
const AVG_POOLS = [F.avgPool1d, F.avgPool2d, F.avgPool3d];
const LP_POOLS = [F.lpPool1d, F.lpPool2d, F.lpPool3d];
const MAX_UNPOOLS = [F.maxUnpool1d, F.maxUnpool2d, F.maxUnpool3d];
const ADAPTIVE = [
  [F.adaptiveAvgPool1d, F.adaptiveAvgPool2d, F.adaptiveAvgPool3d],
  [F.adaptiveMaxPool1d, F.adaptiveMaxPool2d, F.adaptiveMaxPool3d],
];

function pool(dims: number): Piece[] {
  const windows = (shape: Shape, chance: Chance) => {
    const size = shape.slice(-dims);
    const kernel = size.map((n) => Math.min(n, chance.from(1, 3)));
    const padding = kernel.map((k) => Math.min(chance.below(2), Math.floor(k / 2)));
    return { kernel, padding, stride: size.map(() => chance.from(1, 3)), ceilMode: chance.yes() };
  };
  return [
    call(dims + 1, dims + 2, (shape, chance) => {
      const { kernel, ...options } = windows(shape, chance);
      return (x) => MAX_POOLS[dims - 1]!(x, kernel, options as never);
    }),
    call(dims + 1, dims + 2, (shape, chance) => {
      const { kernel, ...options } = windows(shape, chance);
      const countIncludePad = chance.yes();
      return (x) => AVG_POOLS[dims - 1]!(x, kernel, { ...options, countIncludePad });
    }),
    call(dims + 1, dims + 2, (shape, chance) => {
      const { stride, ceilMode } = windows(shape, chance);
      const n = Math.min(2, ...shape.slice(-dims));
      // Of one size, and of positive numbers: a root has no slope at 0.
      return (x) => LP_POOLS[dims - 1]!(tf.add(tf.abs(x), 0.1), 2, stride.map(() => n), { stride: stride.map(() => stride[0]!) as never, ceilMode }); // prettier-ignore
    }),
    call(dims + 1, dims + 2, (shape, chance) => {
      const size = shape.slice(-dims).map(() => chance.from(1, 4));
      const kind = chance.pick(ADAPTIVE);
      return (x) => kind[dims - 1]!(x, size as never);
    }),
    // With indices, and back.
    (x, chance) => {
      const isFitting = x.isExact && x.dtype === "float32" && x.shape.length === dims + 2;
      if (!isFitting || sizeOf(x.shape) === 0 || x.shape.slice(-dims).some((n) => n < 2)) return null; // prettier-ignore
      const isBack = chance.yes();
      return {
        run: (y) => {
          const both = MAX_POOLS[dims - 1]!(y, 2, { returnIndices: true }) as unknown as tf.Tensor[]; // prettier-ignore
          if (!isBack) return both;
          return MAX_UNPOOLS[dims - 1]!(both[0]!, both[1]!, 2, { outputSize: y.shape.slice(-dims) }); // prettier-ignore
        },
      };
    },
  ];
}

const norms: Piece[] = [
  layer(1, 4, (shape, chance) => new nn.LayerNorm(shape.slice(chance.below(shape.length)), { bias: chance.yes(), eps: 0.1 })), // prettier-ignore
  layer(1, 4, (shape, chance) => new nn.RMSNorm(shape.slice(chance.below(shape.length)), { eps: 0.1 })), // prettier-ignore
  layer(2, 5, ([, c, ...rest], chance) => {
    const groups = divisor(c!, chance);
    return groups < c! || sizeOf(rest) > 1 ? new nn.GroupNorm(groups, c!, { eps: 0.1 }) : null;
  }),
  layer(2, 3, ([, c]) => withStatistics(new nn.BatchNorm1d(c!), c!)),
  layer(4, 4, ([, c]) => withStatistics(new nn.BatchNorm2d(c!), c!)),
  layer(5, 5, ([, c]) => withStatistics(new nn.BatchNorm3d(c!, { affine: false }), c!)),
  layer(3, 3, ([, c, t], chance) => (t! > 1 ? new nn.InstanceNorm1d(c!, { affine: chance.yes(), eps: 0.1 }) : null)), // prettier-ignore
  layer(4, 4, ([, c, h]) => (h! > 1 ? new nn.InstanceNorm2d(c!, { affine: true, eps: 0.1 }) : null)), // prettier-ignore
  layer(4, 4, ([, c]) => withStatistics(new nn.InstanceNorm2d(c!, { trackRunningStats: true }), c!)), // prettier-ignore
  layer(3, 5, () => new nn.LocalResponseNorm(3, { alpha: 0.1 })),
];

/** As after training: statistics, and scales where there are any. */
function withStatistics<M extends nn.Module>(module: M, channels: number): M {
  const state = new Map<string, tf.Tensor>([
    ["running_mean", nn.randn(channels)],
    ["running_var", tf.add(nn.rand(channels), 0.5)],
  ]);
  if (module.stateDict().has("weight")) {
    state.set("weight", nn.randn(channels)).set("bias", nn.randn(channels));
  }
  module.loadStateDict(state, { strict: false });
  return module;
}

const images: Piece[] = [
  call(3, 5, (shape, chance) => {
    const dims = shape.length - 2;
    const modes = ["nearest", "nearest-exact", "area", (["linear", "bilinear", "trilinear"] as const)[dims - 1]!] as const; // prettier-ignore
    const mode = chance.pick(dims === 2 ? [...modes, "bicubic" as const] : modes);
    const alignCorners = /linear|bicubic/.test(mode) ? chance.yes() : null;
    const size = chance.yes() ? { size: shape.slice(2).map(() => chance.from(1, 5)) } : { scaleFactor: 2 }; // prettier-ignore
    return (x) => F.interpolate(x, { ...size, mode, alignCorners });
  }),
  call(3, 4, (shape) => (shape.at(-3)! % 4 === 0 ? (x) => F.pixelShuffle(x, 2) : null)),
  call(3, 4, (shape) => (shape.slice(-2).every((n) => n % 2 === 0) ? (x) => F.pixelUnshuffle(x, 2) : null)), // prettier-ignore
  call(4, 4, ([, c], chance) => {
    const groups = divisor(c!, chance);
    return (x) => F.channelShuffle(x, groups);
  }),
  call(3, 4, (shape, chance) => {
    const stride = chance.from(1, 2);
    return shape.slice(-2).every((n) => n > 1) ? (x) => F.unfold(x, 2, { stride }) : null;
  }),
  call(3, 3, ([, c, l]) => (c! % 4 === 0 && l === 4 ? (x) => F.fold(x, 3, 2) : null)),
  ...(["reflect", "replicate", "circular"] as const).map((mode) =>
    call(3, 4, (shape, chance) => {
      const sides = shape.slice(2).reverse().flatMap((n) => [n, n]).map((n) => Math.min(chance.below(3), n - 1)); // prettier-ignore
      return (x) => F.pad(x, sides, { mode });
    })),
  call(4, 4, ([n], chance) => {
    const grid = tf.randomUniform([n!, 2, 3, 2], -1.2, 1.2, "float32", chance.below(1000));
    const values = grid.arraySync() as number[][][][];
    return (x) => F.gridSample(x, tf.tensor4d(values), { alignCorners: false });
  }),
]; // prettier-ignore

const linears: Piece[] = [
  layer(1, 4, (shape, chance) => new nn.Linear(shape.at(-1)!, chance.from(1, 6), { bias: chance.yes() })), // prettier-ignore
  layer(1, 4, (shape) => new nn.Linear(shape.at(-1)!, shape.at(-1)!)),
  layer(2, 4, ([, c], chance) => new nn.PReLU({ numParameters: chance.pick([1, c!]) })),
  residual(1, 4, (shape) => new nn.Linear(shape.at(-1)!, shape.at(-1)!)),
  residual(4, 4, ([, c]) => new nn.Conv2d(c!, c!, 3, { padding: 1 })),
  residual(4, 4, ([, c]) => new nn.Conv2d(c!, c!, 1)),
  residual(4, 4, ([, c]) => new nn.Conv2d(c!, c!, 3, { padding: 1, groups: c! })),
  residual(3, 3, ([, c]) => new nn.Conv1d(c!, c!, 1)),
  fitting(1, 3, (shape, chance) => {
    const fits = (one: Known): boolean => one.dtype === "float32" && String(one.shape.slice(0, -1)) === String(shape.slice(0, -1)) && one.shape.length === shape.length && sizeOf(one.shape) > 0; // prettier-ignore
    const other = chance.other(fits)!;
    const module = new nn.Bilinear(shape.at(-1)!, chance.pool[other]!.shape.at(-1)!, 3);
    return { module, run: (x, y) => module(x, y), others: [other] };
  }),
  // Several projections of one tensor.
  fitting(2, 3, (shape, chance) => {
    const bias = chance.yes();
    const module = new nn.ModuleList([3, 2, chance.from(1, 4)].map((n) => new nn.Linear(shape.at(-1)!, n, { bias }))); // prettier-ignore
    return { module, run: (x) => [...module].map((one) => one(x)) };
  }),
  (x, chance) => {
    if (x.dtype !== "int32" || !x.isExact || x.shape.length > 3) return null;
    const module = new nn.Embedding(5, chance.from(1, 4), { paddingIdx: 1 });
    return { module, run: (y) => module(tf.clipByValue(y, 0, 4)) };
  },
  (x, chance) => {
    if (x.dtype !== "int32" || !x.isExact || x.shape.length !== 2 || sizeOf(x.shape) === 0) return null; // prettier-ignore
    const module = new nn.EmbeddingBag(5, 3, { mode: chance.pick(["sum", "mean", "max"]) });
    return { module, run: (y) => module(tf.clipByValue(y, 0, 4)) };
  },
];

export const LAYERS: readonly Piece[] = [
  ...[1, 2, 3].flatMap((dims) => [conv(dims), transposed(dims), ...pool(dims)]),
  ...[conv(1), conv(2), conv(2), conv(2)],
  ...norms,
  ...images,
  ...linears,
];
