/** The modules of the cases of behaviour, and what they are asked. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";

export class Leaf extends nn.Module {
  first = new nn.Buffer(tf.zeros([2]));
  late = new nn.Linear(1, 1);
  weight = new nn.Parameter(tf.zeros([3]));
  scratch = new nn.Buffer(tf.zeros([1]), { persistent: false });
  alpha = new nn.Parameter(tf.zeros([]));

  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

export class Pair extends nn.Module {
  a = new nn.Linear(2, 3);
  b = new nn.Linear(3, 2, { bias: false });

  override forward(x: tf.Tensor): tf.Tensor {
    return this.b(this.a(x));
  }
}

export class Shared extends nn.Module {
  // Bundlers rename one of two classes of a name.
  static override readonly name = "Shared";
  one = new nn.Linear(2, 2);
  two = this.one;
  inner = new nn.Sequential(this.one, new nn.BatchNorm1d(2));
}

export class Tied extends nn.Module {
  embed = new nn.Linear(2, 4, { bias: false });
  head = new nn.Linear(2, 4);

  constructor() {
    super();
    this.head.weight = this.embed.weight;
  }
}

export const linear = (i: number, o: number): nn.Linear => new nn.Linear(i, o);
export const relu = (): nn.ReLU => new nn.ReLU();
export const parameter = (shape: number[]): nn.Parameter => new nn.Parameter(tf.zeros(shape));
export const names = (pairs: readonly (readonly [string, unknown])[]): string[] =>
  pairs.map(([name]) => name);
export const keys = (module: nn.Module): string[] => [...module.stateDict().keys()];
export const children = (module: nn.Module): string[] => names(module.namedChildren());
export const numbers = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

export function error(run: () => unknown): string | null {
  try {
    run();
  } catch (raised) {
    // The line with the place is ours.
    return (raised as Error).message.replace(/\n {2}in [^]*$/, "");
  }
  return null;
}
