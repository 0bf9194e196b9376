/** `npm run check`: everything that reads the code without running the specs. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const npx = (...args) => ["npx", ["--no-install", ...args]];
const packed = mkdtempSync(join(tmpdir(), "sconce-pack-"));
const tarball = () =>
  join(
    packed,
    readdirSync(packed).find((name) => name.endsWith(".tgz")),
  );

const STEPS = [
  ["types", () => npx("tsc", "--noEmit", "-p", ".")],
  ["lint", () => npx("eslint", ".", "--max-warnings", "0")],
  ["format", () => npx("prettier", "--check", ".")],
  ["imports", () => npx("depcruise", "lib", "--config", ".dependency-cruiser.cjs")],
  ["unused exports", () => npx("knip")],
  ["build", () => ["npm", ["run", "--silent", "build"]]],
  ["pack", () => ["npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", packed]]],
  ["publint", () => npx("publint", tarball(), "--strict")],
  ["types in the tarball", () => npx("attw", tarball(), "--profile", "esm-only")],
];

const failed = [];
for (const [title, command] of STEPS) {
  const [program, args] = command();
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${title}`);
  if (status === 0) continue;
  console.log(`${stdout}${stderr}`);
  failed.push(title);
}
rmSync(packed, { recursive: true });
if (failed.length) console.log(`failed: ${failed.join(", ")}`);
process.exitCode = failed.length ? 1 : 0;
