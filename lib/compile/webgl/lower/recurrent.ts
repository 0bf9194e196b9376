/** LSTM and GRU: the inputs' part of all steps in one product, then one draw a step. */
import { concatProgram, MOST_PARTS } from "../../../kernels/webgl/programs/copy.js";
import { matmulProgram, packMatrix } from "../../../kernels/webgl/programs/matmul.js";
import { gruProgram, lstmProgram } from "../../../kernels/webgl/programs/recurrent.js";
import type { Node } from "../../../graph/index.js";
import type { Builder, Read, Weight } from "../builder.js";
import { makeLayout } from "../../../kernels/webgl/layout.js";
import { reshaped, sliced, type Value, wholeOf } from "../value.js";
import { type ListLowering, shapeOf } from "./common.js";

interface Weights {
  weightIh: Node;
  weightHh: Node;
  biasIh?: Node | null;
  biasHh?: Node | null;
  weightHr?: Node | null;
}

type Kind = "lstm" | "gru";

const GATES: Readonly<Record<Kind, number>> = { lstm: 4, gru: 3 };

const asRead = ({ tensor }: Value): Read => ({ tensor, layout: tensor.layout });

/** `x W_ihᵀ + b_ih`, for the LSTM with `b_hh` too: `(rows, gates · H)`. */
function inputPart(b: Builder, kind: Kind, x: Read, weights: Weights): Value | null {
  const [outputs, inputs] = shapeOf(weights.weightIh) as [number, number];
  const w = b.packed(weights.weightIh, "matrix", (one) => packMatrix(one, { outputs, inputs }));
  const { biasIh, biasHh } = weights;
  const biases: Weight[] = [];
  if (biasIh && kind === "lstm" && biasHh) {
    const sum = b.combined([biasIh, biasHh], "sum", ([one, two]) => one!.map((v, i) => v + two![i]!)); // prettier-ignore
    if (sum === null) return null;
    biases.push(sum);
  } else if (biasIh) {
    const bias = b.vector(biasIh);
    if (bias === null) return null;
    biases.push(bias);
  }
  if (w === null) return null;
  const options = { bias: biases.length > 0, residual: false, activation: "", masked: false };
  return b.draw(matmulProgram(options), [x.layout.rows, outputs], {
    inputs: [x],
    weights: [w, ...biases],
  });
}

/** Steps of one layer in one direction; `null` if there is no program for them. */
class Layer {
  private readonly w: Weight | null;
  private readonly bias: Weight | null = null;

  constructor(
    private readonly b: Builder,
    private readonly kind: Kind,
    private readonly units: number,
    weights: Weights,
  ) {
    const outputs = GATES[kind] * units;
    this.w = b.packed(weights.weightHh, "matrix", (one) => packMatrix(one, { outputs, inputs: units })); // prettier-ignore
    if (kind === "lstm") return;
    const { biasHh } = weights;
    this.bias = biasHh ? b.vector(biasHh) : { key: `zeros ${outputs}`, make: () => new Float32Array(outputs) }; // prettier-ignore
  }

  get isThere(): boolean {
    return this.w !== null && (this.kind === "lstm" || this.bias !== null);
  }

  /** The state `(N, H)`, of the LSTM `(N, 2H)`: h and c side by side. */
  step(x: Value, xFirst: number, batch: number, h: Read, c: Read, cFirst: number): Value {
    const units = this.units / 4;
    if (this.kind === "gru") {
      return this.b.draw(gruProgram, [batch, this.units], {
        inputs: [asRead(x), h],
        weights: [this.w!, this.bias!],
        ints: { x_first: xFirst, w_units: units },
      });
    }
    return this.b.draw(lstmProgram, [batch, 2 * this.units], {
      inputs: [asRead(x), h, c],
      weights: [this.w!],
      ints: { x_first: xFirst, c_first: cFirst, w_units: units },
    });
  }
}

/** The h of a state, the c of an LSTM's. */
function partOf(state: Value, kind: Kind, units: number, part: number): Value {
  if (kind === "gru") return state;
  return sliced(state, [0, part * units], [state.shape[0]!, units]);
}

/** `lstm_cell(x, [h, c], weights…)` → `[h, c]`, and `gru_cell(x, [h], weights…)` → `[h]`. */
export const cell: ListLowering = (b, node, read) => {
  const kind = node.target.split("_")[0] as Kind;
  const [x, state, weightIh, weightHh, biasIh, biasHh] = node.args as [Node, Node[], ...Node[]];
  const batch = shapeOf(x)[0]!;
  const units = shapeOf(weightHh!)[1]!;
  if (units % 4 !== 0 || shapeOf(x).length !== 2 || !Array.isArray(state)) return null;
  const weights = { weightIh: weightIh!, weightHh: weightHh!, biasIh: biasIh!, biasHh: biasHh! };
  const part = inputPart(b, kind, b.read(read(x)), weights);
  const layer = new Layer(b, kind, units, weights);
  if (part === null || !layer.isThere) return null;
  const states = state.map((one) => b.read(read(one)));
  const next = layer.step(part, 0, batch, states[0]!, states.at(-1)!, 0);
  return state.map((_, i) => partOf(next, kind, units, i));
};

/** Whole sequences `(T, N, I)`: `[output, ...last states]`. */
export const sequence: ListLowering = (b, node, read) => {
  const kind = node.target as Kind;
  const [input, initial, sets, options] = node.args as unknown as [
    Node,
    Node[],
    Weights[],
    { bidirectional: boolean; lengths: unknown },
  ];
  const [time, batch] = shapeOf(input) as [number, number];
  const units = shapeOf(sets[0]!.weightHh)[1]!;
  const plain = sets.every(({ weightHr }) => !weightHr) && !options.lengths;
  if (!plain || units % 4 !== 0 || time === 0) return null;
  const directions = options.bidirectional ? 2 : 1;
  const starts = initial.map((one) => read(one));
  const startOf = (state: Value, i: number): Read =>
    b.read(reshaped(sliced(state, [i, 0, 0], [1, batch, units]), [batch, units])!);
  const ends: Value[] = [];
  let x = read(input);
  for (let first = 0; first < sets.length; first += directions) {
    const outputs: Value[] = [];
    for (let direction = 0; direction < directions; direction += 1) {
      const i = first + direction;
      const layer = new Layer(b, kind, units, sets[i]!);
      const part = inputPart(b, kind, b.read(x), sets[i]!);
      if (part === null || !layer.isThere) return null;
      let h = startOf(starts[0]!, i);
      let c = startOf(starts.at(-1)!, i);
      let cFirst = 0;
      const states: Value[] = [];
      for (let step = 0; step < time; step += 1) {
        const t = direction === 0 ? step : time - 1 - step;
        const state = layer.step(part, t * batch, batch, h, c, cFirst);
        states[t] = state;
        h = c = asRead(state);
        cFirst = units / 4;
      }
      ends.push(states[direction === 0 ? time - 1 : 0]!);
      outputs.push(stack(b, states, units));
    }
    x = outputs.length === 1 ? outputs[0]! : besideEachOther(b, outputs);
  }
  const last = initial.map((_, part) => {
    const all = stack(
      b,
      ends.map((end) => wholeOf(b.read(partOf(end, kind, units, part)).tensor)),
      units,
    );
    return reshaped(all, [sets.length, batch, units])!;
  });
  return [reshaped(x, [time, batch, directions * units])!, ...last] satisfies Value[];
};

/** Matrices of the same size one below the other, of each its first `width` channels. */
function stack(b: Builder, parts: readonly Value[], width: number): Value {
  if (parts.length === 1 && parts[0]!.tensor.layout.channels === width) return parts[0]!;
  const made: Value[] = [];
  for (let i = 0; i < parts.length; i += MOST_PARTS) {
    const some = parts.slice(i, i + MOST_PARTS);
    const rows = some.map(({ tensor }) => tensor.layout.rows);
    const total = rows.reduce((a, c) => a + c, 0);
    const ints: Record<string, number> = { size: total, inner: 1 };
    let begin = 0;
    rows.forEach((count, k) => {
      Object.assign(ints, { [`begin_${k}`]: begin, [`length_${k}`]: count });
      begin += count;
    });
    made.push(b.draw(concatProgram(some.length, "rows"), [total, width], { inputs: some.map(asRead), ints })); // prettier-ignore
  }
  return made.length === 1 ? made[0]! : stack(b, made, width);
}

function besideEachOther(b: Builder, parts: readonly Value[]): Value {
  const { rows, channels } = parts[0]!.tensor.layout;
  const ints: Record<string, number> = { size: rows, inner: 1 };
  parts.forEach((_, i) => Object.assign(ints, { [`begin_${i}`]: (i * channels) / 4, [`length_${i}`]: channels / 4 })); // prettier-ignore
  const inputs = parts.map(({ tensor }) => ({ tensor, layout: makeLayout([rows, channels]) }));
  return b.draw(concatProgram(parts.length, "channels"), [rows, parts.length * channels], { inputs, ints }); // prettier-ignore
}
