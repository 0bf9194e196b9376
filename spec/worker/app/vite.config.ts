import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "./",
  resolve: {
    alias: [
      { find: /^sconce$/, replacement: here("../../../lib/index.ts") },
      { find: /^sconce\/(.*)$/, replacement: here("../../../lib/$1/index.ts") },
    ],
  },
  worker: { format: "es" },
  build: { target: "es2022", outDir: here("../../../out/worker-app"), emptyOutDir: true },
});
