/** A model that goes by whatever data it has, and compiling for one test. */
import type * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../lib/index.js";

type T = tf.Tensor;
export type Fast = ((...args: unknown[]) => T) & {
  explain(): { compiled: boolean; reason: string | null };
};

let made: nn.Compiled[] = [];
afterEach(() => {
  for (const one of made) one.dispose();
  made = [];
});

/** Compiles for one test, after which it is disposed. */
export async function compile(model: nn.Traceable, ...args: unknown[]): Promise<Fast> {
  const fast = await nn.compile(model, args);
  made.push(fast);
  return fast;
}

/** A model of one layer, with whatever data it goes by. */
export class Going extends nn.Module {
  readonly linear = new nn.Linear(4, 4);
  constructor(
    readonly run: (x: T, own: Going) => T,
    public by?: unknown,
  ) {
    super();
  }
  override forward(x: T): T {
    return this.run(this.linear(x), this);
  }
}
