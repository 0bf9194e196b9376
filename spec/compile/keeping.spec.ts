import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectSame } from "../support/graphs.js";

/** Each length has a mask of its own. */
class Causal extends nn.Module {
  readonly linear = new nn.Linear(4, 4);
  readonly places = new nn.Parameter(nn.randn(40, 4));

  override forward(x: tf.Tensor): tf.Tensor {
    const [, length] = x.shape as [number, number];
    const isSeen = tf.linalg.bandPart(tf.ones([length, length]), -1, 0);
    const y = this.linear(tf.add(x, tf.slice(this.places, 0, length)));
    const scores = tf.add(tf.matMul(y, y, false, true), tf.mul(tf.sub(1, isSeen), -1e4));
    return tf.matMul(tf.softmax(scores), y);
  }
}

/** How many of the GPU's textures compiled models have, as long as it counts. */
function countTextures(backend: string): { count: number; stop: () => void } {
  const all = { count: 0, stop: (): void => undefined };
  if (backend !== "webgl") return all;
  const engine = createWebglEngine(new nn.Identity());
  const { gl } = engine.memory.device;
  engine.dispose();
  const { createTexture, deleteTexture } = gl;
  gl.createTexture = () => {
    all.count += 1;
    return createTexture.call(gl);
  };
  gl.deleteTexture = (texture) => {
    all.count -= 1;
    deleteTexture.call(gl, texture);
  };
  all.stop = () => {
    for (const name of ["createTexture", "deleteTexture"]) Reflect.deleteProperty(gl, name);
  };
  return all;
}

onEveryBackend("What a compiled model keeps", (backend, tolerance) => {
  it("is no more after many shapes than after the last of them", async () => {
    nn.manualSeed(0);
    const model = new Causal();
    const after = async (lengths: number[]): Promise<number[]> => {
      const example = tf.zeros([1, lengths[0]!, 4]);
      const { numTensors, numBytes } = tf.memory();
      const textures = countTextures(backend);
      const fast = await nn.compile(model, example, { plans: 2 });
      for (const length of lengths) {
        tf.tidy(() => {
          const x = nn.randn(1, length, 4);
          expectSame(fast(x), model(x), tolerance, `of length ${length}`);
        });
      }
      const { weightBytes } = fast.explain();
      const now = tf.memory();
      const kept = [weightBytes, now.numTensors - numTensors, now.numBytes - numBytes, textures.count]; // prettier-ignore
      fast.dispose();
      textures.stop();
      return kept;
    };
    const all = Array.from({ length: 24 }, (_, i) => i + 2);
    const most = await after(all.slice(-2));
    (await after(all)).forEach((kept, i) => expect(kept, String(i)).to.be.at.most(most[i]!));
  });

  it("is nothing once it is disposed, though somebody holds it", async () => {
    const model = new nn.Linear(3, 2);
    const x = tf.ones([1, 3]);
    const fast = await nn.compile(model, x);
    fast(x);
    expect(fast.graph).not.to.equal(null);
    fast.dispose();
    expect(fast.graph).to.equal(null);
    expect(String(fast.explain())).to.equal("runs eagerly: it is disposed");
    expect(() => fast(x)).to.throw("compile: this compiled model is disposed");
  });
});

onEveryBackend("Objects that a compiled model is given", (_, tolerance) => {
  it("may have their properties in another order, by which forward goes", async () => {
    const run = (given: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
      const result: Record<string, tf.Tensor> = { all: tf.concat(Object.values(given)) };
      for (const [name, one] of Object.entries(given)) result[name] = tf.neg(one);
      return result;
    };
    const [a, b] = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])];
    const fast = await nn.compile(run, { a, b });
    for (const given of [
      { a, b },
      { b, a },
      { a: b, b: a },
      { b: a, a: b },
    ]) {
      tf.tidy(() => {
        const [got, want] = [fast(given), run(given)];
        expect(Object.keys(got)).to.deep.equal(Object.keys(want));
        expectSame(got, want, tolerance, Object.keys(given).join());
      });
    }
    expect(fast.explain().compiled).to.equal(true);
    fast.dispose();
  });
});
