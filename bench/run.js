/**
 * `npm run bench`: makes chunks of the library and the benches, as Node gets them of the package, and runs
 * the benches there: by tsx, what is measured would be tsx too.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { writeChunks } from "../scripts/chunks.js";

const OUT = "out/bench";
await writeChunks(OUT, { main: "bench/main.ts" });
writeFileSync(`${OUT}/package.json`, JSON.stringify({ type: "module" }));

try {
  await import(pathToFileURL(resolve(OUT, "main.js")).href);
} catch (error) {
  // What was asked for is amiss, not the bench: no stack is needed.
  const isUsage = error.code?.startsWith("ERR_PARSE_ARGS") || error.message.startsWith("bench:");
  if (!isUsage) throw error;
  console.error(error.message);
  process.exit(1);
}
