import { readFile, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { format } from "prettier";
import { readJson } from "./support/files.js";
import { namesPage, type TorchNames, wrongNames } from "./support/torch-names.js";

const torch = await readJson<TorchNames>("goldens/torch-names.json");

describe("Every name of PyTorch's", () => {
  for (const [part, names] of Object.entries(torch)) {
    if (typeof names === "string") continue;
    it(`torch.${part} is here, or left out for a reason`, () => {
      expect(wrongNames(part, names)).to.deep.equal([]);
    });
  }

  it("is on a page of the documentation (UPDATE_DOCS=1 writes it)", async () => {
    const url = new URL("../docs/torch-names.md", import.meta.url);
    const page = await format(namesPage(torch), { parser: "markdown", printWidth: 100 });
    if (process.env.UPDATE_DOCS) await writeFile(url, page);
    expect(await readFile(url, "utf8")).to.equal(page);
  });
});
