import { expect } from "chai";
import * as nn from "../../lib/index.js";

describe("Every class of ours", () => {
  const classes = Object.entries(nn as unknown as Record<string, unknown>).filter(
    (entry): entry is [string, typeof nn.Module] =>
      typeof entry[1] === "function" && nn.Module.isPrototypeOf(entry[1]), // eslint-disable-line no-prototype-builtins -- a class, not data
  );

  it("says its name itself, which a minifier cannot change", () => {
    expect(classes).to.have.length.above(50);
    for (const [name, type] of classes) {
      // A name that the language gave is not enumerable.
      const own = Object.getOwnPropertyDescriptor(type, "name");
      expect(own, name).to.include({ enumerable: true, value: name });
    }
  });
});
