/** Bundles the specs that need no Node into one ES module for the browser. */
import { build } from "esbuild";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where a spec finds other goldens than the committed ones; in the browser as in Node. */
const GIVEN =
  "GOLDENS FUNCTIONAL_SAMPLES ATTENTION_GOLDENS LOSS_GOLDENS ATEN_GOLDENS FORMAT_GOLDENS".split(
    " ",
  );

/** How long the random specs go on, and where they begin. */
const NUMBERS = ["COMPILE_RUNS", "SEED"];

export const givenGoldens = GIVEN.flatMap((name) => process.env[name] ?? []);

export async function bundleSpecs(outdir, only = process.env.SPEC ?? "") {
  const files = (await readdir(`${root}/spec`, { recursive: true }))
    .filter((file) => file.endsWith(".spec.ts") && !file.endsWith(".node.spec.ts"))
    .filter((file) => file.includes(only))
    // On SwiftShader a page that has used WebGPU can do no WebGL any more: they are asked for by name.
    .filter((file) => only.includes("webgpu") || !file.includes("webgpu"))
    .sort();
  await rm(`${root}/${outdir}`, { recursive: true, force: true });
  await build({
    stdin: {
      contents: files.map((file) => `import "./${file}";`).join("\n"),
      resolveDir: `${root}/spec`,
    },
    outdir: `${root}/${outdir}`,
    entryNames: "specs",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    sourcemap: "inline",
    // Our package.json calls modules free of side effects; specs are nothing but.
    ignoreAnnotations: true,
    logLevel: "error",
    define: Object.fromEntries(
      [...GIVEN, ...NUMBERS].map((name) => [
        `process.env.${name}`,
        JSON.stringify(process.env[name]) ?? "undefined",
      ]),
    ),
    // What only Node reaches, behind a check or a dynamic import.
    external: ["node:*"],
  });
}
