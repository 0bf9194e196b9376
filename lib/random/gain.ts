/** The functions that `calculateGain` knows, by their names in torch.nn.functional. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "conv_transpose1d"
  | "conv_transpose2d"
  | "conv_transpose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "selu";

/** Whether to preserve the variance in the forward or in the backward pass. */
export type FanMode = "fan_in" | "fan_out";

const GAINS: Readonly<Record<Exclude<Nonlinearity, "leaky_relu">, number>> = {
  linear: 1,
  conv1d: 1,
  conv2d: 1,
  conv3d: 1,
  conv_transpose1d: 1,
  conv_transpose2d: 1,
  conv_transpose3d: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.sqrt(2),
  selu: 3 / 4,
};

/**
 * `torch.nn.init.calculate_gain`: the recommended factor for weights before a nonlinearity.
 *
 * @param param the negative slope of `leaky_relu`, default 0.01; the others ignore it.
 * @throws RangeError for an unknown nonlinearity, TypeError if the slope is not a number.
 */
export function calculateGain(nonlinearity: Nonlinearity, param: number = 0.01): number {
  if (nonlinearity === "leaky_relu") {
    if (typeof param !== "number") {
      throw new TypeError(`negative_slope ${String(param)} not a valid number`);
    }
    return Math.sqrt(2 / (1 + param ** 2));
  }
  if (!Object.hasOwn(GAINS, nonlinearity)) {
    throw new RangeError(
      `Unsupported nonlinearity ${String(nonlinearity)}, ` +
        `expected one of ${[...Object.keys(GAINS), "leaky_relu"].join(", ")}`,
    );
  }
  return GAINS[nonlinearity];
}

/**
 * `[fanIn, fanOut]`: how many inputs an output of a layer sums, and how many outputs an input
 * feeds, for a weight of shape (out, in, ...kernel).
 *
 * @throws RangeError if the shape has fewer than 2 dimensions.
 */
export function calculateFanInAndFanOut(shape: readonly number[]): [number, number] {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new RangeError(
      "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, " +
        `but got shape [${shape.join(", ")}]`,
    );
  }
  const receptiveField = kernel.reduce((product, size) => product * size, 1);
  return [inputs * receptiveField, outputs * receptiveField];
}

/** The fan whose variance a Kaiming initialiser preserves. */
export function calculateCorrectFan(shape: readonly number[], mode: FanMode): number {
  if (mode !== "fan_in" && mode !== "fan_out") {
    throw new RangeError(
      `Mode ${String(mode)} not supported, please use one of ['fan_in', 'fan_out']`,
    );
  }
  const [fanIn, fanOut] = calculateFanInAndFanOut(shape);
  return mode === "fan_in" ? fanIn : fanOut;
}
