import { expect } from "chai";
import { readFile, writeFile } from "node:fs/promises";
import { format } from "prettier";
import { ATEN_OPS } from "../../lib/exported/aten/index.js";
import { atenDocs } from "../support/aten-docs.js";
import { readJson } from "../support/files.js";

const PAGE = new URL("../../docs/aten-ops.md", import.meta.url);

describe("docs/aten-ops.md", () => {
  it("lists what the table has (UPDATE_DOCS=1 writes it anew)", async () => {
    const core = await readJson<Record<string, string>>("goldens/core_aten.json");
    const page = await format(atenDocs(core, Object.keys(ATEN_OPS)), { parser: "markdown" });
    if (process.env.UPDATE_DOCS) await writeFile(PAGE, page);
    expect(await readFile(PAGE, "utf8")).to.equal(page);
  });

  it("has the parameters of PyTorch's schemas", async () => {
    // Every keyword argument that a program may give must have its place.
    const core = await readJson<Record<string, string>>("goldens/core_aten.json");
    const placeless = ["layout", "device", "pin_memory", "memory_format", "non_blocking"];
    const missing: string[] = [];
    for (const [target, schema] of Object.entries(core)) {
      const op = ATEN_OPS[target];
      if (op === undefined) continue;
      const parameters = /\((.*)\) ->/.exec(schema)![1]!.split(/, (?![^[]*\])/);
      const names = parameters.flatMap((one) => /(\w+)(=.*)?$/.exec(one)?.[1] ?? []);
      for (const name of names.filter((one) => !placeless.includes(one))) {
        const call = (): unknown => op([], { [name]: undefined }, { outputs: [] } as never);
        try {
          call();
        } catch (error) {
          if (/unexpected argument/.test((error as Error).message))
            missing.push(`${target}: ${name}`);
        }
      }
    }
    expect(missing).to.deep.equal([]);
  });
});
