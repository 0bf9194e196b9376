/** Recurrent layers: one product for the inputs of all steps, then one draw per step. */
import { concatProgram, MOST_PARTS } from "../../../kernels/webgl/programs/copy.js";
import { matmulProgram, packMatrix } from "../../../kernels/webgl/programs/matmul.js";
import {
  GATES,
  gruProgram,
  lstmProgram,
  type RecurrentKind,
} from "../../../kernels/webgl/programs/recurrent.js";
import type { ProgramSource } from "../../../kernels/webgl/program.js";
import type { Node } from "../../../graph/index.js";
import { type Builder, isMasked, type Read, ready, type Weight } from "../builder.js";
import { reshaped, type Value, wholeOf } from "../value.js";
import { type ListLowering, type Lowering, type Reader, shapeOf } from "./common.js";
import { joinChannels } from "./views.js";

interface Weights {
  weightIh: Node;
  weightHh: Node;
  biasIh?: Node | null;
  biasHh?: Node | null;
  weightHr?: Node | null;
}

/** Where a state is in a texture: batch entry `n` is row `first + n · step`, for `rows` entries. */
interface State {
  read: Read;
  first: number;
  step: number;
  rows: number;
}

const asRead = ({ tensor }: Value): Read => ({ tensor, layout: tensor.layout });

/** Pads the units of each gate with zeros to whole texels. */
function padGates(values: Float32Array, gates: number, units: number, width: number): Float32Array {
  const padded = Math.ceil(units / 4) * 4;
  if (padded === units) return values;
  const out = new Float32Array(gates * padded * width);
  for (let gate = 0; gate < gates; gate += 1) {
    const from = gate * units * width;
    out.set(values.subarray(from, from + units * width), gate * padded * width);
  }
  return out;
}

/** One layer in one direction. */
class Layer {
  readonly isThere: boolean;
  /** Number of columns of all gates together, each padded to whole texels. */
  private readonly width: number;
  /** The program of a step, made at the first step. */
  private source: ProgramSource | null = null;
  private readonly ih: Weight | null;
  private readonly hh: Weight | null;
  private readonly inputBias: Weight | null;
  private readonly stateBias: Weight | null;

  constructor(
    private readonly b: Builder,
    private readonly kind: RecurrentKind,
    private readonly units: number,
    { weightIh, weightHh, biasIh, biasHh }: Weights,
  ) {
    const gates = GATES[kind];
    const outputs = gates * Math.ceil(units / 4) * 4;
    this.width = outputs;
    const matrix = (node: Node): Weight | null => {
      const inputs = shapeOf(node)[1]!;
      return b.packed(node, "gates", (values) =>
        packMatrix(padGates(values, gates, units, inputs), { outputs, inputs }),
      );
    };
    this.ih = matrix(weightIh);
    this.hh = matrix(weightHh);
    const pad = (values: Float32Array): Float32Array => padGates(values, gates, units, 1);
    const vector = (node: Node | null | undefined): Weight | null =>
      node ? b.packed(node, "gates", pad) : { key: `zeros ${outputs}`, make: ready(new Float32Array(outputs)) }; // prettier-ignore
    // The LSTM adds its two biases beforehand. The other kinds need them apart.
    const isOne = kind === "lstm" && biasIh && biasHh;
    this.inputBias = isOne
      ? b.combined([biasIh, biasHh], "gates, sum", ([one, two]) => pad(one!.map((v, i) => v + two![i]!))) // prettier-ignore
      : vector(biasIh);
    this.stateBias = vector(kind === "lstm" ? null : biasHh);
    this.isThere = [this.ih, this.hh, this.inputBias, this.stateBias].every((one) => one !== null);
  }

  /** `x W_ihᵀ + b_ih`, for the LSTM also `+ b_hh`: `(rows, gates · H)`. */
  inputPart(x: Read): Value {
    const options = { bias: true, residual: false, activation: "", masked: false };
    const { rows } = x.layout;
    return this.b.draw(matmulProgram({ ...options, single: rows === 1 }), [rows, this.width], {
      inputs: [x],
      weights: [this.ih!, this.inputBias!],
      flops: 2 * rows * this.width * x.layout.channels,
    });
  }

  /** The next state: `(N, H)`, or `(2N, H)` for the LSTM, whose rows alternate between h and c. */
  step(x: Value, xFirst: number, batch: number, [h, c]: readonly State[]): Value {
    const flops = 2 * batch * this.width * this.units;
    const ints = { x_first: xFirst, h_first: h!.first, w_units: Math.ceil(this.units / 4) };
    const masked = isMasked(this.units);
    if (this.kind !== "lstm") {
      this.source ??= gruProgram(this.kind, batch === 1, masked);
      return this.b.draw(this.source, [batch, this.units], {
        inputs: [asRead(x), h!.read],
        weights: [this.hh!, this.stateBias!],
        ints,
        flops,
      });
    }
    this.source ??= lstmProgram(batch === 1, masked);
    return this.b.draw(this.source, [2 * batch, this.units], {
      inputs: [asRead(x), h!.read, c!.read],
      weights: [this.hh!],
      ints: { ...ints, h_step: h!.step, c_first: c!.first, c_step: c!.step },
      flops,
    });
  }

  /** Where h (and c, for the LSTM) are in a result of `step`. */
  statesOf(value: Value, batch: number): State[] {
    const count = this.kind === "lstm" ? 2 : 1;
    const one = { read: asRead(value), step: count, rows: batch };
    return Array.from({ length: count }, (_, first) => ({ ...one, first }));
  }
}

/** Copies states below each other into one tensor `(sum of rows, H)`. */
function stack(b: Builder, parts: readonly State[], units: number): Value {
  const [{ read, first, step, rows }] = parts as [State];
  const isWhole = first === 0 && step === 1 && rows === read.layout.rows;
  if (parts.length === 1 && isWhole) return wholeOf(read.tensor);
  const made: State[] = [];
  for (let i = 0; i < parts.length; i += MOST_PARTS) {
    const some = parts.slice(i, i + MOST_PARTS);
    const total = some.reduce((sum, one) => sum + one.rows, 0);
    const ints: Record<string, number> = { size: total, inner: 1 };
    let begin = 0;
    some.forEach((one, k) => {
      Object.assign(ints, { [`begin_${k}`]: begin, [`length_${k}`]: one.rows });
      Object.assign(ints, { [`first_${k}`]: one.first, [`step_${k}`]: one.step });
      begin += one.rows;
    });
    const inputs = some.map((one) => one.read);
    made.push(wholeState(b.draw(concatProgram(some.length, "rows"), [total, units], { inputs, ints }))); // prettier-ignore
  }
  return stack(b, made, units);
}

const wholeState = (value: Value): State => {
  const read = asRead(value);
  return { read, first: 0, step: 1, rows: read.layout.rows };
};

/** A single step of a recurrent cell. Returns its new states. */
function oneStep(b: Builder, node: Node, read: Reader, states: readonly Node[]): Value[] | null {
  const kind = node.target.replace("_cell", "") as RecurrentKind;
  const [x, , weightIh, weightHh, biasIh, biasHh] = node.args as Node[];
  if (shapeOf(x!).length !== 2) return null;
  const batch = shapeOf(x!)[0]!;
  const units = shapeOf(weightHh!)[1]!;
  const weights = { weightIh: weightIh!, weightHh: weightHh!, biasIh: biasIh!, biasHh: biasHh! };
  const layer = new Layer(b, kind, units, weights);
  if (!layer.isThere) return null;
  const part = layer.inputPart(b.read(read(x!)));
  const starts = states.map((one) => ({ read: b.read(read(one)), first: 0, step: 1, rows: batch }));
  const next = layer.step(part, 0, batch, starts);
  return layer.statesOf(next, batch).map(({ first, step }) => ({
    ...{ tensor: next.tensor, shape: [batch, units] },
    ...{ strides: [step * units, 1], offset: first * units },
  }));
}

/** `lstm_cell(x, [h, c], weights…)` → `[h, c]` */
export const lstmCell: ListLowering = (b, node, read) =>
  oneStep(b, node, read, node.args[1] as Node[]);

/** `gru_cell(x, h, weights…)` → h, and the same for `rnn_tanh_cell` and `rnn_relu_cell`. */
export const cell: Lowering = (b, node, read) =>
  oneStep(b, node, read, [node.args[1] as Node])?.[0] ?? null;

/** Recurrent layers on whole sequences `(T, N, I)`. Returns `[output, ...final states]`. */
export const sequence: ListLowering = (b, node, read) => {
  const kind = node.target as RecurrentKind;
  const [input, initial, sets, options] = node.args as unknown as [
    Node,
    Node[],
    Weights[],
    { bidirectional: boolean; lengths: unknown },
  ];
  const [time, batch] = shapeOf(input) as [number, number];
  const units = shapeOf(sets[0]!.weightHh)[1]!;
  const plain = sets.every(({ weightHr }) => !weightHr) && !options.lengths;
  if (!plain || time === 0 || batch === 0) return null;
  const directions = options.bidirectional ? 2 : 1;
  const starts = initial.map((one) => b.read(read(one)));
  const ends: State[][] = [];
  let x = read(input);
  for (let first = 0; first < sets.length; first += directions) {
    const outputs: Value[] = [];
    for (let direction = 0; direction < directions; direction += 1) {
      const i = first + direction;
      const layer = new Layer(b, kind, units, sets[i]!);
      if (!layer.isThere) return null;
      const part = layer.inputPart(b.read(x));
      let last: State[] = starts.map((one) => ({
        read: one,
        first: i * batch,
        step: 1,
        rows: batch,
      }));
      const pieces: State[] = [];
      let some: State[] = [];
      for (let step = 0; step < time; step += 1) {
        const t = direction === 0 ? step : time - 1 - step;
        last = layer.statesOf(layer.step(part, t * batch, batch, last), batch);
        some.push(last[0]!);
        if (some.length < MOST_PARTS && step < time - 1) continue;
        // Outputs are joined while the steps run, so that later steps can reuse their textures.
        if (direction === 1) some.reverse();
        pieces.push(wholeState(stack(b, some, units)));
        some = [];
      }
      if (direction === 1) pieces.reverse();
      ends.push(last);
      outputs.push(stack(b, pieces, units));
    }
    x = outputs.length === 1 ? outputs[0]! : joinChannels(b, outputs);
  }
  const finals = initial.map((_, part) => {
    const all = ends.map((one) => one[part]!);
    return reshaped(stack(b, all, units), [sets.length, batch, units])!;
  });
  return [reshaped(x, [time, batch, directions * units])!, ...finals];
};
