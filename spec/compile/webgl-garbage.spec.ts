/** What a call of a compiled model makes on its way: the result, its promise and some bytes, however many draws. */
import type * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { inBrowser } from "../support/files.js";

const F = nn.functional;

/** The smallest object of V8 takes as much: a number that is no small integer. */
const SMALLEST = 12;

const RUNS = 40;
const ROUNDS = 8;

const { gc } = globalThis as { gc?: () => void };

/** Bytes on the heap; `memory` is what they were when it was read. */
const heapSize = (): number | undefined =>
  (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize;

/** Bytes of objects that a run makes: too few runs for a collection, and what else the page makes left out. */
async function garbageOf(run: () => unknown): Promise<number> {
  for (let i = 0; i < 400; i += 1) await run(); // the engine compiles
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    gc!();
    const before = heapSize()!;
    for (let i = 0; i < RUNS; i += 1) await run();
    const made = heapSize()! - before;
    if (made > 0) least = Math.min(least, made / RUNS);
  }
  return least;
}

/** Calls of a model, now and later. */
const callsOf = (
  fast: nn.Compiled<(x: tf.Tensor) => tf.Tensor>,
  x: tf.Tensor,
): (() => unknown)[] => [() => fast(x).dispose(), async () => (await fast.run(x)).dispose()];

/** Layers under names of their own. */
class Named extends nn.Module {
  private readonly names: string[] = [];
  constructor(count: number) {
    super();
    for (let i = 0; i < count; i += 1) {
      this.registerModule(`layer${i}`, new nn.Linear(4, 4));
      this.names.push(`layer${i}`);
    }
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return this.names.reduce((y, name) => F.relu(this.getSubmodule(name)(y) as tf.Tensor), x);
  }
}

if (inBrowser) {
  describe("garbage of calls on webgl", () => {
    before(async function () {
      if (!gc || heapSize() === undefined) return this.skip(); // the browser was not started to tell
      await nn.setBackend("webgl");
    });

    // A run that takes longer is polled more often, and each poll is an event. Here it has finished by the first.
    const { prototype } = WebGL2RenderingContext;
    const { clientWaitSync } = prototype;
    before(() => {
      prototype.clientWaitSync = function (...args) {
        this.finish();
        return clientWaitSync.apply(this, args);
      };
    });
    after(() => {
      prototype.clientWaitSync = clientWaitSync;
    });

    const weights = (): tf.Tensor[] => Array.from({ length: 42 }, () => nn.randn(4, 4));

    for (const [name, make] of [
      [
        "draw",
        (count) => {
          const list = weights();
          return (x: tf.Tensor) => list.slice(0, count).reduce((y, w) => F.relu(F.linear(y, w)), x);
        },
      ],
      ["module", (count) => new Named(count)],
    ] as [string, (count: number) => nn.Traceable][]) {
      it(`is none for each ${name}`, async () => {
        const made: number[][] = [];
        const x = nn.randn(2, 4);
        for (const count of [2, 42]) {
          const fast = (await nn.compile(make(count), x)) as nn.Compiled<
            (x: tf.Tensor) => tf.Tensor
          >;
          expect(fast.explain().steps).to.equal(count);
          const list: number[] = [];
          for (const call of callsOf(fast, x)) list.push(await garbageOf(call));
          made.push(list);
          fast.dispose();
        }
        const [few, many] = made as [number[], number[]];
        few.forEach((bytes, i) => {
          const text = `${i ? "later" : "now"}: ${bytes} bytes by 2, ${many[i]} by 42`;
          expect(bytes, text).to.be.within(100, i ? 5000 : 2500);
          expect((many[i]! - bytes) / 40, text).to.be.below(i ? 3 * SMALLEST : SMALLEST / 2);
        });
      });
    }
  });
}
