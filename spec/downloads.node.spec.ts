import { expect } from "chai";
import {
  CLASSIFIER,
  type Downloads,
  downloadsOf,
  EVERYTHING,
  type Part,
} from "../bench/downloads.js";

/** Kilobytes, gzipped, without tfjs: the number moves when somebody decides that it should. */
const CEILINGS: Record<string, [app: string, ceilings: [kB: number, ...parts: Part[]][]]> = {
  "every name of the library": [
    EVERYTHING,
    [
      [84],
      [97, "nn.load of .safetensors"],
      [110, "nn.load of .pt"],
      [144, "the kernels under ops", "nn.compile on cpu"],
      [125, "nn.compile on webgl"],
      [156, "nn.loadExported"],
    ],
  ],
  "an app with a resnet": [
    CLASSIFIER,
    [
      [24],
      [37, "nn.load of .safetensors"],
      [50, "nn.load of .pt"],
      [98, "nn.load of .safetensors", "the kernels under ops", "nn.compile on cpu"],
      [82, "nn.load of .safetensors", "nn.compile on webgl"],
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
          const size = downloads.of(...parts);
          // Far below, the ceiling holds nothing any more.
          expect(size).to.be.within(ceiling * 0.9, ceiling);
        });
      }
    });
  }
});
