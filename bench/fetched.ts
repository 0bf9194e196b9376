/** Fetches packages that only a bench compares with, and that are too large to be dependencies. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const cache = resolve("node_modules/.cache/bench");

/** The folder of a package. Installs the package first if it is not there yet. */
export function fetchPackage(name: string, env: Record<string, string> = {}): string {
  const folder = join(cache, "node_modules", name);
  if (!existsSync(folder)) {
    const args = ["install", "--prefix", cache, "--ignore-scripts", "--no-audit", name];
    execFileSync("npm", args, { env: { ...process.env, ...env }, stdio: "inherit" });
  }
  return folder;
}
