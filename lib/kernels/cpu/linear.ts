/** `out = activation(x Wᵀ + bias + residual)` with a packed weight and any number of rows. */
import { type Activation, finishOf } from "./activation.js";
import { gemmLibrary, MAX_ROWS, multiply, panelBytes, productBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { type Kernel, share } from "./kernel.js";
import {
  narrowBytes,
  narrowPanelBytes,
  narrowRunBytes,
  type NarrowType,
  withRoom,
} from "./narrow.js";
import { narrowing } from "./on-demand.js";
import { storePanel } from "./wasm/gemm.js";

export interface LinearSpec {
  /** Rows of x, columns of the output, columns of x. */
  m: number;
  n: number;
  k: number;
  /** The distance between rows of x, in elements; `k` by default. */
  xRow?: number;
  /** The type of the packed weight, `f32` by default. */
  weightType?: WeightType;
  activation?: Activation;
}

export type WeightType = "f32" | NarrowType;

export interface LinearPointers {
  x: number;
  /** As `packLinear` left it. */
  weight: number;
  bias?: number;
  /** Added before the activation; laid out as the output, and may be the output. */
  residual?: number;
  out: number;
  workspace: number;
}

/** The bytes of a packed weight `[n, k]`. */
export const packedLinearBytes = (n: number, k: number, type: WeightType = "f32"): number =>
  type === "f32" ? panelBytes(n, k) : narrowBytes(type, n, k);

/** Packs a weight for `linear`. */
export function packLinear(heap: Heap, weight: PackLinear): void {
  const { n, k, to, layout = "nk", weightType = "f32" } = weight;
  if (weightType !== "f32") {
    withRoom(heap, panelBytes(n, k), (panels) => {
      packLinear(heap, { ...weight, to: panels, weightType: "f32" });
      const runs = { from: panels, count: Math.ceil(n / 8), length: 8 * k, lanes: 8, to } as const;
      const bytes = narrowRunBytes(weightType, runs.length);
      narrowing().narrowRuns(heap, { type: weightType, ...runs, bytes });
    });
    return;
  }
  const library = gemmLibrary(heap);
  if (layout === "nk") library.packPanels(weight.weight, k * 4, n, k, to);
  else library.packPanelsAcross(weight.weight, n * 4, n, k, to);
}

export interface PackLinear {
  weight: number;
  n: number;
  k: number;
  to: number;
  /** `nk` (the default): as nn.Linear stores it. `kn`: as the right-hand matrix of a product. */
  layout?: "nk" | "kn";
  weightType?: WeightType;
}

/** Weights that are widened together fit into the second-level cache. */
const WIDE_BYTES = 256 * 1024;

export function linear(heap: Heap, spec: LinearSpec): Kernel<LinearPointers> {
  const { m, n, k, weightType = "f32" } = spec;
  const library = gemmLibrary(heap);
  const finish = finishOf(heap, spec.activation);
  const xRow = (spec.xRow ?? k) * 4;
  const outRow = n * 4;
  const panel = weightType === "f32" ? 0 : narrowPanelBytes(weightType, k);
  const widen = weightType !== "f32" && narrowing().panelWidener(heap, weightType, k, panel);
  const byRow = panel > 0 && narrowing().rowByRow(heap, spec, finish, panel, storePanel);
  const widePanels = Math.min(Math.ceil(n / 8), Math.max(1, Math.floor(WIDE_BYTES / (32 * k))));
  const wideBytes = widen ? panelBytes(widePanels * 8, k) : 0;
  const workspaceBytes = productBytes(m, k) + wideBytes;

  interface Part {
    /** Rows and columns. */
    m0: number;
    m1: number;
    n0: number;
    n1: number;
    /** The panels of the columns, in floats. */
    weight: number;
    strips: number;
  }
  const run = (p: LinearPointers, { m0, m1, n0, n1, weight, strips }: Part): void => {
    const bias = p.bias ? p.bias + n0 * 4 : 0;
    for (let row = m0; row < m1; row += MAX_ROWS) {
      const rows = Math.min(MAX_ROWS, m1 - row);
      const out = p.out + row * outRow + n0 * 4;
      multiply(library, {
        m: rows,
        n: n1 - n0,
        k,
        a: p.x + row * xRow,
        aRow: xRow,
        b: weight,
        c: out,
        cRow: outRow,
        bias,
        residual: p.residual ? p.residual + row * outRow + n0 * 4 : 0,
        low: finish.low,
        high: finish.high,
        strips,
      });
      if (!finish.apply) continue;
      if (n0 === 0 && n1 === n) finish.apply(out, out, rows * n);
      else {
        for (let i = 0; i < rows; i += 1) {
          finish.apply(out + i * outRow, out + i * outRow, n1 - n0);
        }
      }
    }
  };

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      // Threads share the rows if there are enough of them: then the weight is widened only once.
      const byRows = m >= 8 * parts;
      const [m0, m1] = byRows ? share(m, part, parts, 4) : [0, m];
      const [n0, n1] = byRows ? [0, n] : share(n, part, parts, 8);
      const wide = p.workspace + part * workspaceBytes;
      const strips = wide + wideBytes;
      if (n0 >= n1) return;
      if (!widen) {
        run(p, { m0, m1, n0, n1, weight: p.weight + (n0 >> 3) * 32 * k, strips });
        return;
      }
      if (byRow) {
        byRow(p, n0, n1);
        return;
      }
      for (let first = n0; first < n1; first += widePanels * 8) {
        const end = Math.min(n1, first + widePanels * 8);
        const from = p.weight + (first >> 3) * panel;
        widen(from, Math.ceil((end - first) / 8), wide);
        run(p, { m0, m1, n0: first, n1: end, weight: wide, strips });
      }
    },
  };
}
