/**
 * The library for Node, in a few files: to find and read one for each of its modules takes longer than to run
 * what is in them. Bundlers of pages get the modules, of which they leave out more.
 *
 * `node scripts/chunks.js FOLDER`, part of `npm run build`.
 */
import { build } from "esbuild";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The entries of package.json, and the command. */
const ENTRIES = {
  index: "lib/index.ts",
  cpu: "lib/cpu.ts",
  functional: "lib/functional/index.ts",
  models: "lib/models/index.ts",
  reference: "lib/reference/index.ts",
  worker: "lib/worker/index.ts",
  cli: "lib/cli/main.ts",
};

/** Writes entries, and what they share and load on demand as chunks of its own. */
export async function writeChunks(outdir, entryPoints = ENTRIES, options = {}) {
  rmSync(outdir, { recursive: true, force: true });
  return build({
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    packages: "external",
    logLevel: "error",
    ...options,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeChunks(process.argv[2], ENTRIES, { sourcemap: true });
}
