import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "./",
  publicDir: here("../assets"),
  // The page is built from the library's sources; an app would install `sconce` instead.
  resolve: {
    alias: [
      { find: /^sconce$/, replacement: here("../../lib/index.ts") },
      { find: /^sconce\/(.*)$/, replacement: here("../../lib/$1/index.ts") },
    ],
  },
  // The library awaits its default backend at the top level.
  build: {
    target: "es2022",
    outDir: here("../../out/page"),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
  },
});
