import { expect } from "chai";
import { readLimits, type Limits } from "../../lib/kernels/webgl/device.js";
import { checkedSize } from "../../lib/kernels/webgl/textures.js";

/** A context that says of itself what a test wants. */
function makeContext({
  size = 4096,
  bits = 23,
  extensions = ["EXT_color_buffer_float"],
}): WebGL2RenderingContext {
  return {
    MAX_TEXTURE_SIZE: 1,
    getParameter: () => size,
    getShaderPrecisionFormat: () => ({ precision: bits }),
    getExtension: (name: string) => (extensions.includes(name) ? {} : null),
  } as unknown as WebGL2RenderingContext;
}

const limits = (maxTextureSize: number): Limits => ({
  maxTextureSize,
  parallelCompile: null,
  precision: "float32",
});

describe("the limits of a GPU", () => {
  it("draws to 32-bit floats where it can, else to 16-bit ones", () => {
    expect(readLimits(makeContext({})).precision).to.equal("float32");
    const half = makeContext({ extensions: ["EXT_color_buffer_half_float"] });
    expect(readLimits(half).precision).to.equal("float16");
  });

  it("refuses what cannot draw to floats, mediump, and tiny textures, by a sentence", () => {
    expect(() => readLimits(makeContext({ extensions: [] }))).to.throw(
      "this GPU cannot draw to textures of floats",
    );
    expect(() => readLimits(makeContext({ bits: 10 }))).to.throw("mediump only");
    expect(() => readLimits(makeContext({ size: 512 }))).to.throw("at most 512 texels a side");
  });

  it("refuses a tensor that is larger than its textures", () => {
    expect(checkedSize(limits(1024), 1024 * 1024)).to.include({ width: 1024, height: 1024 });
    expect(() => checkedSize(limits(1024), 1024 * 1024 + 1)).to.throw(
      "needs a texture of 2048 × 513 texels, but this GPU has at most 1024 a side",
    );
  });
});
