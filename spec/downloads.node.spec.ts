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
      [85],
      [104, "nn.load of .safetensors"],
      [119, "nn.load of .pt"],
      [150, "the kernels under ops", "nn.compile on cpu"],
      [154, "the kernels under ops", "nn.compile on cpu", "kernels that few models need"],
      [137, "nn.compile on webgl"],
      [201, "nn.loadExported"],
    ],
  ],
  "an app with a resnet": [
    CLASSIFIER,
    [
      [25],
      [43, "nn.load of .safetensors"],
      [58, "nn.load of .pt"],
      [113, "nn.load of .safetensors", "the kernels under ops", "nn.compile on cpu"],
      [100, "nn.load of .safetensors", "nn.compile on webgl"],
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
