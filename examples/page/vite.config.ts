import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "./",
  publicDir: here("../assets"),
  // This page uses the library's sources. An app would install `sconce` instead.
  resolve: {
    alias: [
      { find: /^sconce$/, replacement: here("../../lib/index.ts") },
      { find: /^sconce\/(.*)$/, replacement: here("../../lib/$1/index.ts") },
    ],
  },
  // Top-level await is needed, because the library awaits its default backend.
  build: {
    target: "es2022",
    outDir: here("../../out/page"),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
  },
});
