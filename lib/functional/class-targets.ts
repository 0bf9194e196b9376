import * as tf from "@tensorflow/tfjs-core";
import { dtypeName, listText } from "./check.js";

/** Targets that are classes, read back and checked. */
export interface ClassTargets {
  /** The shape of the target, which is that of the losses. */
  shape: number[];
  /** The class of each loss; 0 for ignored ones. */
  classes: Int32Array;
  /** 1 for losses that count, 0 for ignored ones. */
  counts: Uint8Array;
  /** The number of losses in a sample. */
  inner: number;
}

/** Checks that input and target match, with the messages of PyTorch's different losses. */
function checkShapes(name: string, input: tf.Tensor, target: tf.Tensor): void {
  const fail = (problem: string): never => {
    throw new Error(`${name}(): ${problem}`);
  };
  const { shape, rank } = input;
  if (rank === 0) fail("Expected 1 or more dimensions (got 0)");
  if (rank === 1) {
    if (target.rank > 1) fail("0D or 1D target tensor expected, multi-target not supported");
    if (target.size !== 1) {
      fail(`For 1D input, 1D target must have size 1, but got target size: ${target.size}`);
    }
    return;
  }
  const batch = target.shape[0];
  if (target.rank > 0 && batch !== shape[0]) {
    fail(`Expected input batch_size (${shape[0]}) to match target batch_size (${batch}).`);
  }
  const want = [shape[0], ...shape.slice(2)];
  if (tf.util.arraysEqual(want, target.shape)) return;
  if (rank === 2) {
    fail(
      "0D or 1D target tensor expected, multi-target not supported: " +
        `expected target size ${listText(want)}, got ${listText(target.shape)}`,
    );
  }
  fail(`Expected target size ${listText(want)}, got ${listText(target.shape)}`);
}

/** Refuses class weights that are not floats. */
export function checkClassWeight(name: string, weight: tf.Tensor): void {
  if (weight.dtype === "float32") return;
  throw new TypeError(
    `${name}(): expected weight of scalar type Float but found ${dtypeName(weight)}`,
  );
}

/** @throws if a target is no class, or the shapes do not go together. */
export function checkClassTargets(
  name: string,
  input: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor | null,
  ignoreIndex: number,
): ClassTargets {
  checkShapes(name, input, target);
  if (target.dtype !== "int32") {
    throw new TypeError(
      `${name}(): expected target dtype to be Long or Byte, but got ${dtypeName(target)}`,
    );
  }
  const count = input.shape[input.rank === 1 ? 0 : 1]!;
  if (weight !== null && (weight.rank !== 1 || weight.size !== count)) {
    throw new Error(
      `${name}(): weight tensor should be defined either for all ${count} classes or no classes ` +
        `but got weight tensor of shape: ${listText(weight.shape)}`,
    );
  }
  if (weight !== null) checkClassWeight(name, weight);
  // Read back, because tfjs' gather gives 0 for an invalid class, which must be an error.
  const classes = Int32Array.from(target.dataSync());
  const counts = new Uint8Array(classes.length).fill(1);
  classes.forEach((index, i) => {
    if (index === ignoreIndex) {
      classes[i] = 0;
      counts[i] = 0;
    } else if (index < 0 || index >= count) {
      throw new RangeError(
        `${name}(): Target ${index} is out of bounds: expected 0 to ${count - 1}.`,
      );
    }
  });
  const inner = tf.util.sizeFromShape(input.shape.slice(2));
  return { shape: target.shape, classes, counts, inner };
}

/**
 * For each target the input's value times the class weight, and that weight; 0 for ignored targets.
 */
export function gatherClasses(
  input: tf.Tensor,
  { classes, counts, inner }: ClassTargets,
  weight: tf.Tensor | null,
): { picked: tf.Tensor; weights: tf.Tensor } {
  if (classes.length === 0) return { picked: tf.zeros([0]), weights: tf.zeros([0]) };
  const size = input.shape[input.rank === 1 ? 0 : 1]!;
  if (size === 0)
    return { picked: tf.zeros([classes.length]), weights: tf.zeros([classes.length]) };
  const places = new Int32Array(3 * classes.length);
  classes.forEach((index, i) => places.set([Math.floor(i / inner), index, i % inner], 3 * i));
  // Not by a flat index: on webgl, an int32 above 2²⁴ is not exact.
  const table = tf.reshape(input, [-1, size, inner]);
  const values = tf.gatherND(table, tf.tensor2d(places, [classes.length, 3], "int32"));
  const isCounted = tf.tensor1d(counts, "bool");
  const counted = (x: tf.Tensor): tf.Tensor => tf.where(isCounted, x, tf.zerosLike(x));
  if (weight === null) return { picked: counted(values), weights: tf.cast(isCounted, "float32") };
  const weights = tf.gather(weight, tf.tensor1d(classes, "int32"));
  return { picked: counted(tf.mul(values, weights)), weights: counted(weights) };
}
