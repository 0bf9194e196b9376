/** LSTM, GRU and RNN over a whole sequence: one layer, one direction. */
import { gemmLibrary, MAX_ROWS, multiply, panelBytes, productBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { recurrentInJs } from "./js/recurrent.js";
import type { Kernel } from "./kernel.js";
import type { WeightType } from "./linear.js";
import { panelWidener } from "./narrow.js";
import { emitRecurrent } from "./wasm/recurrent.js";

export interface RecurrentLibrary {
  lstm: (
    gates: number, gatesRow: number, batch: number, n: number, c: number, out: number,
    outRow: number,
  ) => void; // prettier-ignore
  gru: (
    gates: number, gatesRow: number, hidden: number, batch: number, n: number, last: number,
    lastRow: number, out: number, outRow: number,
  ) => void; // prettier-ignore
  tanh: (
    gates: number, gatesRow: number, batch: number, n: number, out: number, outRow: number,
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
  /** x is `[batch, time, input]` instead of `[time, batch, input]`, and the output likewise. */
  batchFirst?: boolean;
  /** From the last time to the first. */
  reverse?: boolean;
  /** From one row of the output to the next, in elements: two directions side by side. */
  outRow?: number;
  /** How both weights are kept, `f32` by default; they must be packed for the same. */
  weightType?: WeightType;
}

export interface RecurrentPointers {
  x: number;
  /** `weight_ih` and `weight_hh` as `packLinear` left them: `gates · hidden` columns. */
  weightIh: number;
  weightHh: number;
  biasIh?: number;
  biasHh?: number;
  /** `[batch, hidden]`; zeros if absent. */
  h0?: number;
  c0?: number;
  out: number;
  /** The last states, `[batch, hidden]`, if somebody needs them. */
  hN?: number;
  cN?: number;
  workspace: number;
}

/** Threads do not help: each step waits for the one before, so part 0 does it all. */
export function recurrent(heap: Heap, spec: RecurrentSpec): Kernel<RecurrentPointers> {
  const { kind, time, batch, inputSize, hiddenSize, batchFirst = false, reverse = false } = spec;
  const { weightType = "f32" } = spec;
  const library = gemmLibrary(heap);
  const cells = heap.library("recurrent", emitRecurrent, recurrentInJs);
  const width = GATES[kind] * hiddenSize;
  const outRow = (spec.outRow ?? hiddenSize) * 4;
  const stateBytes = batch * hiddenSize * 4 + 64;
  // Gates of the inputs are computed for a stretch of time at once.
  const stretch = Math.max(1, Math.min(time, Math.floor(MAX_ROWS / batch)));
  const gateBytes = stretch * batch * width * 4 + 64;
  const hiddenBytes = kind === "gru" ? batch * width * 4 + 64 : 0;
  const strips = Math.max(
    productBytes(batchFirst ? stretch : stretch * batch, inputSize),
    productBytes(batch, hiddenSize),
  );
  // Every step reads all of both weights: they are widened once a run.
  const [ihBytes, hhBytes] = [panelBytes(width, inputSize), panelBytes(width, hiddenSize)];
  const wideBytes = weightType === "f32" ? 0 : ihBytes + hhBytes;
  const widened = (p: RecurrentPointers): Pick<RecurrentPointers, "weightIh" | "weightHh"> => {
    if (weightType === "f32") return p;
    const panels = Math.ceil(width / 8);
    const weightIh = p.workspace + 2 * stateBytes + gateBytes + hiddenBytes + strips;
    const weightHh = weightIh + ihBytes;
    panelWidener(heap, weightType, inputSize)(p.weightIh, panels, weightIh);
    panelWidener(heap, weightType, hiddenSize)(p.weightHh, panels, weightHh);
    return { weightIh, weightHh };
  };
  /** From row to row of the batch, and from time to time, in rows of x or the output. */
  const [batchStep, timeStep] = batchFirst ? [time, 1] : [1, batch];

  return {
    onOneThread: true,
    workspaceBytes: 2 * stateBytes + gateBytes + hiddenBytes + strips + wideBytes,
    run: (p, part = 0) => {
      if (part > 0) return;
      const { weightIh, weightHh } = widened(p);
      const [start, c] = [p.workspace, p.workspace + stateBytes];
      const gates = c + stateBytes;
      const hidden = gates + gateBytes;
      const scratch = hidden + hiddenBytes;
      setState(heap, start, p.h0, batch * hiddenSize);
      if (kind === "lstm") setState(heap, c, p.c0, batch * hiddenSize);

      /** Gates of the inputs of `count` times from `first` on, laid out as x is. */
      const inputGates = (first: number, count: number): void => {
        const runs = batchFirst ? batch : 1;
        const rows = batchFirst ? count : count * batch;
        for (let run = 0; run < runs; run += 1) {
          for (let row = 0; row < rows; row += MAX_ROWS) {
            multiply(library, {
              n: width,
              strips: scratch,
              m: Math.min(MAX_ROWS, rows - row),
              k: inputSize,
              a: p.x + (run * batchStep + first * timeStep + row) * inputSize * 4,
              aRow: inputSize * 4,
              b: weightIh,
              c: gates + (run * count + row) * width * 4,
              cRow: width * 4,
              bias: p.biasIh ?? 0,
              residual: 0,
            });
          }
        }
      };

      let [last, lastRow] = [start, hiddenSize * 4];
      const step = (t: number, first: number, count: number): void => {
        const at = gates + (t - first) * (batchFirst ? 1 : batch) * width * 4;
        const gatesRow = (batchFirst ? count : 1) * width * 4;
        const isGru = kind === "gru";
        const out = p.out + t * timeStep * outRow;
        const outStep = batchStep * outRow;
        for (let row = 0; row < batch; row += MAX_ROWS) {
          multiply(library, {
            n: width,
            strips: scratch,
            low: kind === "relu" ? 0 : -Infinity,
            m: Math.min(MAX_ROWS, batch - row),
            k: hiddenSize,
            a: last + row * lastRow,
            aRow: lastRow,
            b: weightHh,
            c: isGru ? hidden + row * width * 4 : at + row * gatesRow,
            cRow: isGru ? width * 4 : gatesRow,
            bias: p.biasHh ?? 0,
            residual: isGru ? 0 : at + row * gatesRow,
          });
        }
        if (kind === "lstm") cells.lstm(at, gatesRow, batch, hiddenSize, c, out, outStep);
        else if (isGru) {
          cells.gru(at, gatesRow, hidden, batch, hiddenSize, last, lastRow, out, outStep);
        } else if (kind === "tanh") cells.tanh(at, gatesRow, batch, hiddenSize, out, outStep);
        else {
          for (let row = 0; row < batch; row += 1) {
            move(heap, out + row * outStep, at + row * gatesRow, hiddenSize);
          }
        }
        [last, lastRow] = [out, outStep];
      };

      for (let done = 0; done < time; done += stretch) {
        const count = Math.min(stretch, time - done);
        const first = reverse ? time - done - count : done;
        inputGates(first, count);
        for (let i = 0; i < count; i += 1)
          step(first + (reverse ? count - 1 - i : i), first, count);
      }
      for (let row = 0; p.hN && row < batch; row += 1) {
        move(heap, p.hN + row * hiddenSize * 4, last + row * lastRow, hiddenSize);
      }
      if (p.cN && kind === "lstm") move(heap, p.cN, c, batch * hiddenSize);
    },
  };
}

function move(heap: Heap, to: number, from: number, count: number): void {
  heap.f32.copyWithin(to >>> 2, from >>> 2, (from >>> 2) + count);
}

function setState(heap: Heap, to: number, from: number | undefined, count: number): void {
  if (from) move(heap, to, from, count);
  else heap.f32.fill(0, to >>> 2, (to >>> 2) + count);
}
