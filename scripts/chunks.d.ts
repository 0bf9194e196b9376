import type { BuildOptions, BuildResult } from "esbuild";

export function writeChunks(
  outdir: string,
  entryPoints?: Record<string, string>,
  options?: BuildOptions,
): Promise<BuildResult>;
