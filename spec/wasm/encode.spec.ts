import { expect } from "chai";
import { moduleBytes } from "../../lib/wasm/encode.js";

describe("Bytes of WebAssembly modules", () => {
  it("are all there where they are more than there was room for", () => {
    const content = new Array<number>(2 ** 22).fill(7);
    const bytes = moduleBytes([[0, content]]);
    // The header, the section's number and its length before it.
    expect(bytes.length).to.equal(8 + 1 + 4 + content.length);
    expect(bytes.at(-1)).to.equal(7);
  });
});
