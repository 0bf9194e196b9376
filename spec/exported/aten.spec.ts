import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { type AtenCase, replayAten } from "../support/aten.js";
import { onEveryBackendOnce } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { readGoldens } from "../support/goldens.js";

const goldens = await readGoldens<AtenCase>(process.env.ATEN_GOLDENS ?? "goldens/aten");
const targets = [...new Set(goldens.cases.map(({ target }) => target))];

onEveryBackendOnce("ATen ops as PyTorch", (_backend, tolerance) => {
  for (const target of targets) {
    it(target, () => {
      for (const golden of goldens.cases) {
        if (golden.target !== target) continue;
        expectNoLeak(() => replayAten(golden, goldens, tolerance));
      }
    });
  }
});

describe("ATen ops say what is wrong", () => {
  const call = (target: string, args: unknown[], kwargs = {}) => {
    return () => {
      tf.tidy(() => void lookUpOp(target)!(args, kwargs, { outputs: [], inputs: [] } as never));
    };
  };

  it("in how many arguments there are, and their names", () => {
    expect(call("aten.relu.default", [1, 2])).to.throw(
      "aten.relu.default takes (self), but got 2 arguments",
    );
    expect(call("aten.add.Tensor", [1, 2], { beta: 3 })).to.throw(
      "aten.add.Tensor got an unexpected argument 'beta': number 3",
    );
  });

  it("in nothing where an argument has no part in the result", () => {
    const placing = { dtype: "float32", layout: "strided", device: "cpu", copy: true };
    const x = tf.ones([2]);
    expect(call("aten.to.dtype_layout", [x], placing)).not.to.throw();
    x.dispose();
  });

  it("in dimensions and sizes", () => {
    const x = tf.zeros([2, 3]);
    expect(call("aten.select.int", [x, 1, 3])).to.throw(
      "select(): index 3 out of range for tensor of size [2, 3] at dimension 1",
    );
    expect(call("aten.sum.dim_IntList", [x, [2]])).to.throw(
      "sum(): Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    );
    expect(call("aten.mm.default", [x, x])).to.throw(
      "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
    );
    expect(call("aten.expand.default", [x, [4, 2, 4]])).to.throw(
      "The expanded size of the tensor (4) must match the existing size (3)",
    );
    x.dispose();
  });
});
