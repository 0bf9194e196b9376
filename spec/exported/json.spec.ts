import { expect } from "chai";
import { readJson } from "../../lib/exported/archive/json.js";

describe("Python's JSON", () => {
  it("keeps long integers, and takes the digits of a float for none", () => {
    const text =
      '{"end": 9223372036854775807, "scale": 0.3535533905932738, "name": "x1234567890123456789"}';
    expect(readJson(text, "a.json")).to.deep.equal({
      end: { $int: "9223372036854775807" },
      scale: 0.3535533905932738,
      name: "x1234567890123456789",
    });
  });
});
