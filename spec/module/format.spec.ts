import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { formatNumpy, formatTorch, type TorchDtype } from "../../lib/module/format/index.js";
import { setBackend } from "../../lib/backend.js";
import { LPPool1d, LPPool2d, LPPool3d } from "../../lib/layers/index.js";
import { format } from "../../lib/module/print.js";
import { readJson } from "../support/files.js";

interface FormatCase {
  shape: number[];
  dtype: TorchDtype;
  /** The bits of float32 values; integers and booleans as they are. */
  values: number[];
  requiresGrad: boolean;
  torch: string;
  numpy: string;
}

const path = process.env.FORMAT_GOLDENS ?? "goldens/format.json";
const cases = await readJson<FormatCase[]>(path);

function values({ dtype, values }: FormatCase): ArrayLike<number> {
  return dtype === "float32" ? new Float32Array(Int32Array.from(values).buffer) : values;
}

describe("Printing tensors", () => {
  it("as torch prints them, character for character", () => {
    for (const one of cases) {
      const { shape, dtype, requiresGrad } = one;
      expect(formatTorch(values(one), shape, { dtype, requiresGrad })).to.equal(one.torch);
    }
  });

  it("on a line of their own where their suffix is one character too long for it", () => {
    const text = (...values: number[]): string =>
      formatTorch(values, [values.length], { requiresGrad: true });
    expect(text(-1.5e30, 2.5e30, 1e29, 3e28)).to.equal(
      "tensor([-1.5000e+30,  2.5000e+30,  1.0000e+29,  3.0000e+28],\n       requires_grad=True)",
    );
    expect(text(1.5e30, 2.5e30, 1e29, 3e28)).to.equal(
      "tensor([1.5000e+30, 2.5000e+30, 1.0000e+29, 3.0000e+28], requires_grad=True)",
    );
  });

  it("as numpy prints them, character for character", () => {
    for (const one of cases) {
      const { shape, dtype } = one;
      expect(formatNumpy(values(one), shape, { dtype })).to.equal(one.numpy);
    }
  });

  it("but complex numbers and strings", async () => {
    await setBackend("cpu");
    const complex = tf.complex([1, 2], [3, -4]);
    expect(() => format(complex)).to.throw(
      "expected a tensor of numbers or booleans, got one of com",
    );
    const text = tf.tensor1d(["a"]);
    expect(() => format(text)).to.throw("got one of string");
    tf.dispose([complex, text]);
  });

  it("in a layer's options, where an infinite one is Python's", () => {
    for (const [dims, Pool] of [LPPool1d, LPPool2d, LPPool3d].entries()) {
      expect(String(new Pool(Infinity, 2))).to.equal(
        `LPPool${dims + 1}d(norm_type=inf, kernel_size=2, stride=None, ceil_mode=False)`,
      );
    }
  });
});
