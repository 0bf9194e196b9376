import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";
import { Chance, type Known, type Made, type Piece, sizeOf } from "./chance.js";
import { LAYERS } from "./layers.js";
import { OPS } from "./ops.js";
import { SEQUENCES } from "./sequences.js";
import { VIEWS } from "./views.js";

/** A family, then a piece of it: so that none drowns in the others. */
const FAMILIES: readonly (readonly Piece[])[] = [OPS, VIEWS, LAYERS, SEQUENCES];

/** Larger tensors only take time. */
const MOST = 2000;
/** What grows beyond loses the digits that are compared. */
const HIGHEST = 30;

const SHAPES = [
  [2, 5, 4], [1, 4, 3], [3, 3, 3], [2, 2, 6, 6], [1, 3, 5, 7], [2, 4, 4, 4], [1, 2, 3, 4, 4],
  [4, 6], [1, 5], [5, 5], [7], [], [1], [2, 3, 1], [1, 1, 8], [2, 8, 9, 10],
]; // prettier-ignore
const EMPTY = [[0, 4], [2, 0, 3], [0]];

interface Step {
  made: Made;
  operands: number[];
  /** How many tensors it gives. */
  count: number;
}

/** How a random model is drawn: where it begins, and a number for each step. */
export interface Recipe {
  seed: number;
  steps: readonly number[];
}

/**
 * A graph of random pieces, each made for tensors that are there: with several inputs and outputs,
 * tensors that are read many times, layers that are called twice.
 */
export class RandomModel extends nn.Module {
  readonly inputs: tf.Tensor[] = [];
  private readonly steps: Step[] = [];
  private readonly results: number[];
  private readonly asList: boolean;

  constructor({ seed, steps }: Recipe) {
    super();
    nn.manualSeed(seed);
    const chance = new Chance(seed);
    const values: tf.Tensor[] = [];
    const pool: Known[] = [];
    const put = (x: tf.Tensor, isExact: boolean): void => {
      values.push(x);
      pool.push({ shape: x.shape, dtype: x.dtype, isExact });
    };
    this.inputs = drawInputs(chance);
    for (const x of this.inputs) put(x, true);
    for (const step of steps) {
      const draw = new Chance(seed + step * 7919, pool);
      const found = this.find(draw, values);
      if (found === null) continue;
      const { made, operands, results } = found;
      const isMoved = Boolean(made.isMove) && operands.every((i) => pool[i]!.isExact);
      for (const one of results) put(one, isMoved);
      this.steps.push({ made, operands, count: results.length });
      // The same again, on what came out or on something else of that shape.
      if (made.module !== undefined && draw.below(3) === 0) this.repeat(made, operands, draw, put, values); // prettier-ignore
    }
    const inner = values.length - this.inputs.length;
    const last = Array.from({ length: Math.min(inner, 2) }, (_, i) => values.length - 1 - i);
    const others = Array.from({ length: chance.below(3) }, () => chance.below(values.length));
    this.results = [...new Set([...last, ...others])];
    if (this.results.length === 0) this.results.push(0);
    this.asList = chance.yes();
  }

  private find(
    chance: Chance,
    values: readonly tf.Tensor[],
  ): { made: Made; operands: number[]; results: tf.Tensor[] } | null {
    for (let trial = 0; trial < 30; trial += 1) {
      const family = chance.pick(FAMILIES);
      // What came last, most of the time.
      const at = chance.yes() ? values.length - 1 : chance.below(values.length);
      const made = chance.pick(family)(chance.pool[at]!, chance);
      if (made === null) continue;
      const operands = [at, ...(made.others ?? [])];
      const results = tryOut(made, operands.map((i) => values[i]!)); // prettier-ignore
      if (results === null) continue;
      if (made.module !== undefined) this.registerModule(String(this.steps.length), made.module);
      return { made, operands, results };
    }
    return null;
  }

  private repeat(
    made: Made,
    operands: readonly number[],
    chance: Chance,
    put: (x: tf.Tensor, isExact: boolean) => void,
    values: readonly tf.Tensor[],
  ): void {
    const again = operands.map(
      (i) => chance.other(({ shape, dtype }) => String(shape) === String(values[i]!.shape) && dtype === values[i]!.dtype)!, // prettier-ignore
    );
    const results = tryOut(made, again.map((i) => values[i]!)); // prettier-ignore
    if (results === null) return;
    for (const one of results) put(one, false);
    this.steps.push({ made, operands: again, count: results.length });
  }

  override forward(...inputs: tf.Tensor[]): tf.Tensor | tf.Tensor[] | Record<string, tf.Tensor> {
    const values = [...inputs];
    for (const { made, operands } of this.steps) {
      values.push(...[made.run(...operands.map((i) => values[i]!))].flat());
    }
    const results = this.results.map((i) => values[i]!);
    if (results.length === 1) return results[0]!;
    return this.asList ? results : Object.fromEntries(results.map((x, i) => [`y${i}`, x]));
  }
}

/** What a piece gives; `null` where that is too large, in size or in numbers. */
function tryOut(made: Made, operands: readonly tf.Tensor[]): tf.Tensor[] | null {
  const results = tf.tidy(() => [made.run(...operands)].flat());
  const isFine = results.every((x) => {
    if (sizeOf(x.shape) > MOST || x.rank > 5) return false;
    return x.dataSync().every((value) => !Number.isFinite(value) || Math.abs(value) <= HIGHEST);
  });
  return isFine ? results : null;
}

/** One to three, more often alike than not, whole numbers among them. */
function drawInputs(chance: Chance): tf.Tensor[] {
  const shape = chance.below(20) === 0 ? chance.pick(EMPTY) : chance.pick(SHAPES);
  const inputs: tf.Tensor[] = [nn.randn(shape)];
  const count = chance.below(3);
  for (let i = 0; i < count; i += 1) {
    const other = chance.yes() ? shape : chance.pick(SHAPES);
    const kind = chance.below(5);
    const x = nn.randn(other);
    if (kind === 0) inputs.push(tf.cast(tf.mul(tf.abs(x), 2), "int32"));
    else inputs.push(kind === 1 ? tf.greater(x, 0) : x);
  }
  return inputs;
}
