import { expect } from "chai";
import {
  CLASSIFIER,
  type Downloads,
  downloadsOf,
  EVERYTHING,
  type Part,
} from "../bench/downloads.js";

/** Kilobytes, gzipped, without tfjs; a few more than it is now. */
const CEILINGS: Record<string, [app: string, ceilings: [kB: number, ...parts: Part[]][]]> = {
  "every name of the library": [
    EVERYTHING,
    [
      [92],
      [108, "nn.load of .safetensors"],
      [122, "nn.load of .pt"],
      [156, "the kernels under ops", "nn.compile on cpu"],
      [140, "nn.compile on webgl"],
      [185, "nn.loadExported"],
    ],
  ],
  "an app with a resnet": [
    CLASSIFIER,
    [
      [27],
      [45, "nn.load of .safetensors"],
      [59, "nn.load of .pt"],
      [115, "nn.load of .safetensors", "the kernels under ops", "nn.compile on cpu"],
      [97, "nn.load of .safetensors", "nn.compile on webgl"],
    ],
  ],
};

describe("What a page downloads", () => {
  for (const [title, [app, ceilings]] of Object.entries(CEILINGS)) {
    describe(title, () => {
      let downloads: Downloads;
      before(async () => void (downloads = await downloadsOf(app)));
      for (const [ceiling, ...parts] of ceilings) {
        it(`at most ${ceiling} kB ${parts.length ? `with ${parts.join(", ")}` : "at first"}`, () => {
          // Far below, the ceiling would hold nothing any more.
          expect(downloads.of(...parts)).to.be.within(ceiling * 0.85, ceiling);
        });
      }
    });
  }
});
