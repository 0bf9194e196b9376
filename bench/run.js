/**
 * `npm run bench`: translates the library and the benches to JavaScript, a file to a file as the package
 * has them, and runs the benches there: by tsx, what is measured would be tsx too.
 */
import { build } from "esbuild";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const OUT = "out/bench";
const FOLDERS = ["lib", "bench", "examples", "scripts", "spec/support"];

const isCode = (name) => /\.(ts|js)$/.test(name) && !name.endsWith(".d.ts");
const entryPoints = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .filter(isCode)
    .map((name) => join(folder, name)),
);

rmSync(OUT, { recursive: true, force: true });
await build({ entryPoints, outdir: OUT, outbase: ".", target: "es2022" });
// `import "sconce"` finds the library that was just translated.
const exports = { ".": "./lib/index.js", "./*": "./lib/*/index.js" };
writeFileSync(`${OUT}/package.json`, JSON.stringify({ name: "sconce", type: "module", exports }));

await import(pathToFileURL(resolve(OUT, "bench/main.js")).href);
