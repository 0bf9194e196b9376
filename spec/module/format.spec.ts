import { expect } from "chai";
import { formatNumpy, formatTorch, type TorchDtype } from "../../lib/module/format/index.js";
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

  it("as numpy prints them, character for character", () => {
    for (const one of cases) {
      const { shape, dtype } = one;
      expect(formatNumpy(values(one), shape, { dtype })).to.equal(one.numpy);
    }
  });
});
