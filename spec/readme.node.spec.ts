import { expect } from "chai";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Every TypeScript snippet of the pages users read runs, and prints the text below it. */
const PAGES = [
  "README.md",
  "docs/checkpoints.md",
  "docs/compile.md",
  "docs/exported.md",
  "docs/models.md",
];

/** Snippets for pages and workers only type-check; what stands before them is the reader's. */
const TYPED: Record<string, string> = {
  "docs/images.md": `
    import * as tf from "@tensorflow/tfjs-core";
    import * as nn from "sconce";
    declare const model: nn.Conv2d, video: HTMLVideoElement;`,
  "docs/worker.md": `declare const x: import("@tensorflow/tfjs-core").Tensor;`,
};

interface Snippet {
  code: string;
  /** What stands in the next `text` block before another snippet. */
  prints: string | undefined;
}

function snippets(markdown: string): Snippet[] {
  const blocks = [...markdown.matchAll(/^```(\w+)\n([^]*?)^```$/gm)];
  return blocks.flatMap(([, language, code], i) => {
    if (language !== "ts") return [];
    const next = blocks[i + 1];
    return [{ code: code!, prints: next?.[1] === "text" ? next[2] : undefined }];
  });
}

/** Without what this repository asks of its own code beyond `strict`. */
const CONFIG = {
  extends: "../../tsconfig.json",
  compilerOptions: { noUnusedLocals: false, noImplicitOverride: false },
  include: ["./*.ts"],
};

describe("Snippets in the documentation", function () {
  // Each is a program of its own.
  this.timeout(180_000);

  const folder = "out/snippets";

  before(() => mkdir(folder, { recursive: true }));
  after(() => rm(folder, { recursive: true }));

  it("type-check", async () => {
    for (const page of [...PAGES, ...Object.keys(TYPED)]) {
      for (const [i, { code }] of snippets(await readFile(page, "utf8")).entries()) {
        // Each has names of its own.
        const file = `${folder}/typed-${page.replaceAll("/", "-")}-${i}.ts`;
        await writeFile(file, `${TYPED[page] ?? ""}${code}export {};`);
      }
    }
    await writeFile(`${folder}/tsconfig.json`, JSON.stringify(CONFIG));
    const tsc = ["node_modules/typescript/bin/tsc", "-p", folder];
    const { stdout } = await promisify(execFile)(process.execPath, tsc).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).to.equal("");
  });

  for (const page of PAGES) {
    it(`of ${page} run and print what stands below them`, async () => {
      const found = snippets(await readFile(page, "utf8"));
      expect(found, "number of snippets").to.not.be.empty;
      for (const [i, { code, prints }] of found.entries()) {
        const file = `${folder}/${page.replaceAll("/", "-")}-${i}.ts`;
        await writeFile(file, code);
        const { stdout, stderr } = await promisify(execFile)(process.execPath, [
          ...["--import", "tsx"],
          file,
        ]);
        expect(stderr, `${page}, snippet ${i}: stderr`).to.equal("");
        if (prints !== undefined) expect(stdout, `${page}, snippet ${i}`).to.equal(prints);
      }
    });
  }
});
