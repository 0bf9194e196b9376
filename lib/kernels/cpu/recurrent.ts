/** LSTM, GRU and RNN over a whole sequence: one layer, one direction. */
import { gemmLibrary, MAX_ROWS, multiply, panelBytes, productBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { inJs, narrowing } from "./on-demand.js";
import { type Kernel, share } from "./kernel.js";
import type { WeightType } from "./linear.js";
import { narrowPanelBytes } from "./narrow.js";
import { emitRecurrent } from "./wasm/recurrent.js";

/**
 * Steps of `n` units, out of the `width` units of a layer; addresses point to the first of them.
 */
export interface RecurrentLibrary {
  lstm: (
    gates: number, gatesRow: number, batch: number, n: number, width: number, c: number,
    out: number, outRow: number,
  ) => void; // prettier-ignore
  gru: (
    gates: number, gatesRow: number, hidden: number, batch: number, n: number, width: number,
    last: number, lastRow: number, out: number, outRow: number,
  ) => void; // prettier-ignore
  tanh: (
    gates: number, gatesRow: number, batch: number, n: number, out: number, outRow: number,
  ) => void; // prettier-ignore
  /** Copies rows of bytes; if `from` is 0, writes zeros. */
  move: (
    from: number, fromRow: number, rows: number, bytes: number, to: number, toRow: number,
  ) => void; // prettier-ignore
}

const GATES = { lstm: 4, gru: 3, tanh: 1, relu: 1 } as const;

export interface RecurrentSpec {
  /** `tanh` and `relu` are RNN's nonlinearities. */
  kind: keyof typeof GATES;
  time: number;
  batch: number;
  inputSize: number;
  hiddenSize: number;
  /** The output size of an LSTM with a projection. */
  projSize?: number;
  /** Read the sequence backwards. */
  reverse?: boolean;
  /**
   * The distance between rows of the output, in elements: larger if two directions are written side
   * by side.
   */
  outRow?: number;
  /** The type of the packed weights, `f32` by default. */
  weightType?: WeightType;
}

export interface RecurrentPointers {
  x: number;
  /** `weight_ih` and `weight_hh` as packed by `packLinear`: `gates · hidden` columns. */
  weightIh: number;
  weightHh: number;
  /** The weight of the projection, `[projSize, hidden]`, packed likewise. */
  weightHr?: number;
  biasIh?: number;
  biasHh?: number;
  /** `[batch, hidden]`; h0 has the projected size. Zeros if absent. */
  h0?: number;
  c0?: number;
  out: number;
  /** Where to write the last states, `[batch, hidden]`; optional. */
  hN?: number;
  cN?: number;
  workspace: number;
}

/** For more stages, the memory in which threads record them is not worth it. */
const MOST_STAGES = 4096;

/**
 * One thread computes a time step with one product. Several threads share the units of the layer
 * and wait for each other after each step: then each has its part of the weight in its own cache.
 */
export function recurrent(
  heap: Heap,
  spec: RecurrentSpec,
): Kernel<RecurrentPointers> & Required<Pick<Kernel<RecurrentPointers>, "stages">> {
  const { kind, time, batch, inputSize, hiddenSize, reverse = false } = spec;
  const { weightType = "f32", projSize } = spec;
  const outSize = projSize ?? hiddenSize;
  const library = gemmLibrary(heap);
  const cells = recurrentLibrary(heap);
  const { move } = cells;
  const gateCount = GATES[kind];
  const width = gateCount * hiddenSize;
  const outRow = (spec.outRow ?? outSize) * 4;
  const [row, hRow, gatesRow] = [hiddenSize * 4, outSize * 4, width * 4];
  const stateBytes = batch * row + 64;
  // The input part of the gates is computed for several time steps at once.
  const stretch = Math.max(1, Math.min(time, Math.floor(MAX_ROWS / batch)));
  const gateBytes = stretch * batch * width * 4 + 64;
  // Room for what is computed from the last output, or is to be projected.
  const hiddenWidth = kind === "gru" ? width : projSize === undefined ? 0 : hiddenSize;
  const hiddenBytes = batch * hiddenWidth * 4 + 64;
  const strips = Math.max(
    productBytes(stretch * batch, inputSize),
    productBytes(batch, hiddenSize),
  );
  // Every step reads both weights completely, so they are widened once per run.
  const [ihBytes, hhBytes] = [panelBytes(width, inputSize), panelBytes(width, outSize)];
  const hrBytes = projSize === undefined ? 0 : panelBytes(projSize, hiddenSize);
  const wideBytes = weightType === "f32" ? 0 : ihBytes + hhBytes + hrBytes;
  const workspaceBytes = 2 * stateBytes + gateBytes + hiddenBytes + wideBytes + strips;
  const stretches = Array.from({ length: Math.ceil(time / stretch) }, (_, i) => {
    const count = Math.min(stretch, time - i * stretch);
    return { count, first: reverse ? time - i * stretch - count : i * stretch };
  });

  /** The addresses in the workspace, which threads share; only the strips are separate for each. */
  const places = (p: RecurrentPointers) => {
    const start = p.workspace;
    const c = start + stateBytes;
    const gates = c + stateBytes;
    const hidden = gates + gateBytes;
    const wide = hidden + hiddenBytes;
    const {
      weightIh,
      weightHh,
      weightHr = 0,
    } = wideBytes
      ? { weightIh: wide, weightHh: wide + ihBytes, weightHr: wide + ihBytes + hhBytes }
      : p;
    return { start, c, gates, hidden, weightIh, weightHh, weightHr, strips: wide + wideBytes };
  };
  type Places = ReturnType<typeof places>;

  const begin = (p: RecurrentPointers, { start, c, ...wide }: Places): void => {
    if (weightType !== "f32") {
      const widen = (from: number, n: number, k: number, to: number): void =>
        narrowing().panelWidener(heap, weightType, k, narrowPanelBytes(weightType, k))(from, Math.ceil(n / 8), to); // prettier-ignore
      widen(p.weightIh, width, inputSize, wide.weightIh);
      widen(p.weightHh, width, outSize, wide.weightHh);
      if (projSize !== undefined) widen(p.weightHr!, projSize, hiddenSize, wide.weightHr);
    }
    move(p.h0 ?? 0, hRow, batch, hRow, start, hRow);
    if (kind === "lstm") move(p.c0 ?? 0, row, batch, row, c, row);
  };

  /** The input part of the gates, for `count` time steps beginning with `first`. */
  const inputGates = (
    p: RecurrentPointers,
    at: Places,
    { first, count }: Stretch,
    part: number,
    parts: number,
  ): void => {
    const rows = count * batch;
    const byRows = rows >= 8 * parts;
    const [m0, m1] = byRows ? share(rows, part, parts, 4) : [0, rows];
    const [n0, n1] = byRows ? [0, width] : share(width, part, parts, 8);
    for (let from = m0; from < m1 && n0 < n1; from += MAX_ROWS) {
      multiply(library, {
        n: n1 - n0,
        strips: at.strips + part * workspaceBytes,
        m: Math.min(MAX_ROWS, m1 - from),
        k: inputSize,
        a: p.x + (first * batch + from) * inputSize * 4,
        aRow: inputSize * 4,
        b: at.weightIh + n0 * inputSize * 4,
        c: at.gates + from * gatesRow + n0 * 4,
        cRow: gatesRow,
        bias: p.biasIh ? p.biasIh + n0 * 4 : 0,
      });
    }
  };

  const project = (at: Places, out: number): void => {
    for (let from = 0; from < batch; from += MAX_ROWS) {
      multiply(library, {
        n: outSize,
        strips: at.strips,
        m: Math.min(MAX_ROWS, batch - from),
        k: hiddenSize,
        a: at.hidden + from * row,
        aRow: row,
        b: at.weightHr,
        c: out + from * outRow,
        cRow: outRow,
      });
    }
  };

  /** One time step for the units `[u0, u1)`. */
  const step = (
    p: RecurrentPointers,
    at: Places,
    t: number,
    { first }: Stretch,
    part: number,
    parts: number,
  ): void => {
    const [u0, u1] = share(hiddenSize, part, parts, 8);
    if (u0 >= u1) return;
    const [n, skip] = [u1 - u0, u0 * 4];
    const gates = at.gates + (t - first) * batch * gatesRow;
    const out = p.out + t * batch * outRow;
    const isFirst = t === (reverse ? time - 1 : 0);
    const last = isFirst ? at.start : out + (reverse ? 1 : -1) * batch * outRow;
    const lastRow = isFirst ? hRow : outRow;
    const isGru = kind === "gru";
    // On one thread all gates in one product; else, for each gate, the units of this part.
    const [products, columns] = parts === 1 ? [1, width] : [gateCount, n];
    for (let gate = 0; gate < products; gate += 1) {
      const column = gate * hiddenSize + u0;
      for (let from = 0; from < batch; from += MAX_ROWS) {
        const c = gates + from * gatesRow + column * 4;
        multiply(library, {
          n: columns,
          strips: at.strips + part * workspaceBytes,
          low: kind === "relu" ? 0 : -Infinity,
          m: Math.min(MAX_ROWS, batch - from),
          k: outSize,
          a: last + from * lastRow,
          aRow: lastRow,
          b: at.weightHh + column * outSize * 4,
          c: isGru ? at.hidden + from * gatesRow + column * 4 : c,
          cRow: gatesRow,
          bias: p.biasHh ? p.biasHh + column * 4 : 0,
          residual: isGru ? 0 : c,
        });
      }
    }
    const [from, to] = [gates + skip, out + skip];
    if (projSize !== undefined) {
      cells.lstm(from, gatesRow, batch, n, hiddenSize, at.c, at.hidden, row);
      project(at, out);
    } else if (kind === "lstm")
      cells.lstm(from, gatesRow, batch, n, hiddenSize, at.c + skip, to, outRow);
    else if (isGru) {
      const inner = at.hidden + skip;
      cells.gru(from, gatesRow, inner, batch, n, hiddenSize, last + skip, lastRow, to, outRow);
    } else if (kind === "tanh") cells.tanh(from, gatesRow, batch, n, to, outRow);
    else move(from, gatesRow, batch, n * 4, to, outRow);
  };

  const end = (p: RecurrentPointers, { c }: Places): void => {
    const last = p.out + (reverse ? 0 : time - 1) * batch * outRow;
    if (p.hN) move(last, outRow, batch, hRow, p.hN, hRow);
    if (p.cN && kind === "lstm") move(c, row, batch, row, p.cN, row);
  };
  const timeOf = ({ first, count }: Stretch, i: number): number =>
    first + (reverse ? count - 1 - i : i);

  return {
    onOneThread: projSize !== undefined || hiddenSize % 8 !== 0 || time > MOST_STAGES,
    workspaceBytes,
    run: (p, part = 0) => {
      if (part > 0) return;
      const at = places(p);
      begin(p, at);
      for (const one of stretches) {
        inputGates(p, at, one, 0, 1);
        for (let i = 0; i < one.count; i += 1) step(p, at, timeOf(one, i), one, 0, 1);
      }
      end(p, at);
    },
    stages: (p) => {
      const at = places(p);
      const alone =
        (run: (p: RecurrentPointers, at: Places) => void) =>
        (part: number): void => {
          if (part === 0) run(p, at);
        };
      const middle = stretches.flatMap((one) => [
        (part: number, parts: number) => inputGates(p, at, one, part, parts),
        ...Array.from({ length: one.count }, (_, i) => (part: number, parts: number): void => {
          step(p, at, timeOf(one, i), one, part, parts);
        }),
      ]);
      return [alone(begin), ...middle, alone(end)];
    },
  };
}

interface Stretch {
  first: number;
  count: number;
}

const recurrentLibrary = (heap: Heap): RecurrentLibrary =>
  heap.library("recurrent", emitRecurrent, (own: Heap) => inJs().recurrentInJs(own));
