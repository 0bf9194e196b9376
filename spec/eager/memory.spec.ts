import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { memoryOf } from "../../lib/eager/index.js";
import type { CpuMemory } from "../../lib/eager/memory.js";
import { add } from "../../lib/functional/arithmetic.js";
import * as nn from "../../lib/index.js";
import { BACKENDS } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { usedOf } from "../support/kernels.js";

const { functional: F } = nn;
const MEGABYTE = 1024 * 1024;

describe("Outputs of eager kernels on cpu", () => {
  before(async () => {
    await nn.setBackend("cpu");
    // Outputs that other specs have left go out of the heap now, and not while it is measured.
    tf.tidy(() => {
      for (let i = 0; i < 24; i += 1) F.relu(tf.zeros([MEGABYTE]));
    });
  });

  const memory = (): CpuMemory => memoryOf(tf.backend(), "cpu") as CpuMemory;
  /** What is allocated, without the scratch memory, which stays. */
  const used = (): number => {
    F.relu(tf.zeros([2 * MEGABYTE])).dispose();
    return usedOf(memory().heap);
  };
  const counted = (size: number, first = 0): tf.Tensor => tf.range(first, first + size);

  /** What it leaves behind in the heap and of tensors is nothing. */
  const alone = (run: () => void): void => {
    const before = used();
    expectNoLeak(() => tf.tidy(run));
    expect(used(), "bytes left in the heap").to.equal(before);
  };

  it("stay in the heap until somebody reads them or they are disposed", () => {
    alone(() => {
      const x = counted(1000, -500);
      const before = used();
      const y = F.relu(x);
      const z = F.relu6(y);
      expect(used() - before).to.be.within(8000, 9000);
      expect(Array.from(z.dataSync().subarray(499, 508))).to.deep.equal([
        0, 0, 1, 2, 3, 4, 5, 6, 6,
      ]);
      expect(used() - before, "the other is left").to.be.within(4000, 4500);
      y.dispose();
      expect(used()).to.equal(before);
      expect(z.dataSync()[507], "read again").to.equal(6);
    });
  });

  it("are what tfjs' own kernels read, and are the same for every handle on them", () => {
    alone(() => {
      const y = F.relu(counted(600, -300));
      const reshaped = tf.reshape(y, [2, 300]);
      y.dispose();
      const copy = tf.clone(reshaped);
      expect(tf.sum(copy, 1).arraySync()).to.deep.equal([0, 44850]);
      reshaped.dispose();
      expect(F.relu6(copy).dataSync()[599]).to.equal(6);
    });
  });

  it("are arrays of the caller's once they are read", () => {
    alone(() => {
      const y = F.relu(counted(300));
      y.dataSync()[7] = 1e6;
      expect(F.relu(y).dataSync()[7]).to.equal(1e6);
      const product = F.linear(F.relu(counted(300)), F.relu(tf.ones([3, 300])));
      expect(Array.from(product.dataSync())).to.deep.equal([44850, 44850, 44850]);
    });
  });

  it("are read asynchronously, and go with their tensors to another backend and back", async () => {
    const before = used();
    const y = F.relu(counted(300));
    expect((await y.data())[299]).to.equal(299);
    const z = F.relu(y);
    await nn.setBackend(BACKENDS.find((name) => name !== "cpu")!);
    const there = tf.add(z, 1);
    await nn.setBackend("cpu");
    expect(F.relu(there).dataSync()[299]).to.equal(300);
    expect(F.relu(z).dataSync()[299]).to.equal(299);
    expect(used()).to.equal(before);
  });

  it("make room for later ones when nobody disposes of them", () => {
    alone(() => {
      const before = used();
      const all = Array.from({ length: 24 }, (_, i) => F.relu(tf.fill([MEGABYTE], i)));
      expect(used() - before).to.be.within(32 * MEGABYTE, 65 * MEGABYTE);
      const means = all.map((one) => F.adaptiveAvgPool2d(tf.reshape(one, [1, 1024, 1024]), 1));
      expect(means.map((one) => one.dataSync()[0])).to.deep.equal(all.map((_, i) => i));
    });
  });

  it("are read even by the kernel whose output takes their room", () => {
    const size = 10 * MEGABYTE;
    const run = (): void => {
      const x = F.relu(counted(size));
      expect(add(x, x).dataSync()[size - 1]).to.equal(2 * (size - 1));
    };
    tf.tidy(run); // scratch memory stays
    alone(run);
  });

  it("leave what was packed of them to the kernel whose output takes their room", () => {
    const run = (): void => {
      const weight = F.relu(tf.ones([1017, 1024]));
      F.relu(tf.fill([15 * MEGABYTE], 2));
      // The output needs more room than the weight had, and as much as it has packed.
      const y = F.linear(tf.ones([1028, 1024]), weight);
      expect([tf.min(y), tf.max(y)].map((one) => one.dataSync()[0])).to.deep.equal([1024, 1024]);
    };
    tf.tidy(run);
    alone(run);
  });

  it("are not more than a thousand when nobody disposes of them", () => {
    alone(() => {
      const before = used();
      const [x, weight] = [tf.ones([1, 4]), tf.ones([4, 4])];
      let y = x;
      for (let i = 0; i < 20_000; i += 1) y = F.linear(y, weight);
      expect(used() - before).to.be.below(MEGABYTE / 4);
      expect(y.dataSync()[0]).to.equal(Infinity);
    });
  });
});
