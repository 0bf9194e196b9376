import { expect } from "chai";
import { resnet18 } from "../../lib/models/index.js";
import * as nn from "../../lib/index.js";
import layers from "../goldens/layer-initialisation.json" with { type: "json" };
import { bytesOf, crc32 } from "../support/crc32.js";
import { type GoldenConstruct } from "../support/goldens.js";
import { ModuleCases } from "../support/module-cases.js";
import goldens from "../goldens/initialisation.json" with { type: "json" };

const BUILD: Record<string, () => nn.Module> = {
  resnet18: () => resnet18(),
  transformer: () =>
    new nn.Transformer({
      ...{ dModel: 32, nhead: 4, numEncoderLayers: 2, numDecoderLayers: 2 },
      dimFeedforward: 64,
    }),
  lstm: () => new nn.LSTM(7, 9, { numLayers: 2, bidirectional: true, projSize: 4 }),
};

function noTensor(): never {
  throw new Error("these cases have no tensors");
}

function checksums(model: nn.Module): Record<string, number> {
  const floats = [...model.stateDict()].filter(([, tensor]) => tensor.dtype === "float32");
  return Object.fromEntries(
    floats.map(([key, tensor]) => [key, crc32(bytesOf(tensor.dataSync<"float32">()))]),
  );
}

/** Builds a model after a seed, and compares it with PyTorch's, and what is drawn next. */
function check(
  build: () => nn.Module,
  seed: number,
  want: Record<string, number>,
  nextDraw: number,
): void {
  nn.manualSeed(seed);
  const model = build();
  expect(checksums(model)).to.deep.equal(want);
  const next = nn.rand(1);
  expect(next.dataSync()[0], "the generator goes on as PyTorch's").to.equal(nextDraw);
  next.dispose();
  model.dispose();
}

describe("A seed gives a whole model PyTorch's weights, bit for bit", () => {
  before(() => nn.setBackend("cpu"));

  for (const [title, golden] of Object.entries(goldens)) {
    it(title, () => {
      const [name, seed] = title.split("-");
      const { "next draw": nextDraw, ...want } = golden as Record<string, number>;
      check(BUILD[name!]!, Number(seed), want, nextDraw!);
    });
  }
});

describe("A seed gives a layer PyTorch's weights, bit for bit", () => {
  before(() => nn.setBackend("cpu"));

  interface Case extends GoldenConstruct {
    seed: number;
    state: Record<string, number>;
    next: number;
  }
  const cases = layers as unknown as Case[];
  const builder = new ModuleCases({ tensor: noTensor });

  cases.forEach((golden, i) => {
    it(`${golden.module} ${i}`, () => {
      check(() => builder.construct(golden), golden.seed, golden.state, golden.next);
    });
  });
});
