/** Packages that only a bench compares with: too heavy for a dependency, fetched when they are needed. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const cache = resolve("node_modules/.cache/bench");

/** The folder of a package, which is installed there if it is not yet. */
export function fetchPackage(name: string, env: Record<string, string> = {}): string {
  const folder = join(cache, "node_modules", name);
  if (!existsSync(folder)) {
    const args = ["install", "--prefix", cache, "--ignore-scripts", "--no-audit", name];
    execFileSync("npm", args, { env: { ...process.env, ...env }, stdio: "inherit" });
  }
  return folder;
}
