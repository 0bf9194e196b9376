/** LayerNorm, RMSNorm, GroupNorm and InstanceNorm. */
import type { Heap } from "./heap.js";
import { inJs } from "./on-demand.js";
import { type Kernel, share } from "./kernel.js";
import { emitNorm } from "./wasm/norm.js";

type Norm = (
  x: number, rows: number, n: number, weight: number, bias: number, out: number, eps: number,
) => void; // prettier-ignore

export interface NormLibrary {
  layerNorm: Norm;
  rmsNorm: Norm;
  moments: (x: number, n: number, out: number, eps: number) => void;
  groupPairs: (
    stats: number, channels: number, weight: number, bias: number, pairs: number,
  ) => void; // prettier-ignore
  scaleRows: (x: number, rows: number, n: number, pairs: number, out: number) => void;
}

const libraryOf = (heap: Heap): NormLibrary =>
  heap.library("norm", emitNorm, (own: Heap) => inJs().normInJs(own));

export interface LayerNormSpec {
  /** `layer` subtracts the mean, `rms` does not. */
  kind: "layer" | "rms";
  rows: number;
  /** The length of a row, over which is normalised. */
  n: number;
  eps: number;
}

export interface LayerNormPointers {
  x: number;
  weight?: number;
  /** Used only if there is a weight. */
  bias?: number;
  /** May be x. */
  out: number;
}

/** `out = (x - mean) / √(variance + eps) · weight + bias`, row by row. */
export function layerNorm(heap: Heap, spec: LayerNormSpec): Kernel<LayerNormPointers> {
  const { kind, rows, n, eps } = spec;
  const name = kind === "layer" ? "layerNorm" : "rmsNorm";
  const run = libraryOf(heap)[name];
  return {
    workspaceBytes: 0,
    run: (p, part = 0, parts = 1) => {
      const [from, to] = share(rows, part, parts);
      const skip = from * n * 4;
      const { weight = 0, bias = 0 } = p;
      run(p.x + skip, to - from, n, weight, bias, p.out + skip, eps);
    },
  };
}

export interface GroupNormSpec {
  batch: number;
  channels: number;
  /** The number of groups; as many as channels for InstanceNorm. */
  groups: number;
  /** The number of elements of a channel. */
  n: number;
  eps: number;
}

export interface GroupNormPointers {
  x: number;
  /** One number for each channel. */
  weight?: number;
  bias?: number;
  /** May be x. */
  out: number;
  workspace: number;
}

export function groupNorm(heap: Heap, spec: GroupNormSpec): Kernel<GroupNormPointers> {
  const { batch, channels, groups, n, eps } = spec;
  const { moments, groupPairs, scaleRows } = libraryOf(heap);
  const perGroup = channels / groups;
  const workspaceBytes = (4 + 4 * perGroup) * 4;
  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const [from, to] = share(batch * groups, part, parts);
      const stats = p.workspace + part * workspaceBytes;
      const pairs = stats + 16;
      for (let i = from; i < to; i += 1) {
        const skip = i * perGroup * n * 4;
        moments(p.x + skip, perGroup * n, stats, eps);
        const first = (i % groups) * perGroup * 4;
        const [weight, bias] = [p.weight && p.weight + first, p.bias && p.bias + first];
        groupPairs(stats, perGroup, weight || 0, bias || 0, pairs);
        scaleRows(p.x + skip, perGroup, n, pairs, p.out + skip);
      }
    },
  };
}
