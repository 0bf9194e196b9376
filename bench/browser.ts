/** Runs an exported function of a bench file in Chromium. */
import { build } from "esbuild";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { BROWSER_FLAGS, findBrowser } from "../scripts/browser.js";

async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from "./${file}";`, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    external: ["node:*"],
  });
  return outputFiles[0]!.text;
}

/**
 * Calls `name(...args)` of the module `file` in the browser. Arguments and result are passed as
 * JSON.
 */
export async function inBrowser<T>(file: string, name: string, ...args: unknown[]): Promise<T> {
  return inBrowserWith([], file, name, ...args);
}

/** `inBrowser` on a page that can also fetch the files of `folders` by their names. */
export function inBrowserWith<T>(
  folders: readonly string[],
  file: string,
  name: string,
  ...args: unknown[]
): Promise<T> {
  const call = `import("/bench.js").then((m) => m[${JSON.stringify(name)}](...${JSON.stringify(args)}))`;
  return withPage(folders, file, (page) => page.evaluate<T>(call));
}

/**
 * Opens a cross-origin isolated page that can import the bundled module `file` from `/bench.js`.
 */
export async function withPage<T>(
  folders: readonly string[],
  file: string,
  use: (page: Page, browser: Browser) => Promise<T>,
): Promise<T> {
  const code = await bundle(file);
  const server = createServer((request, response) => {
    const isModule = request.url === "/bench.js";
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    const wanted = basename(request.url ?? "");
    const path = folders.map((folder) => join(folder, wanted)).find((one) => existsSync(one));
    if (wanted && path) {
      if (path.endsWith("js")) response.setHeader("content-type", "text/javascript");
      createReadStream(path).pipe(response);
      return;
    }
    response.setHeader("content-type", isModule ? "text/javascript" : "text/html");
    response.end(isModule ? code : "<!doctype html><title>bench</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const browser = await chromium.launch({
    executablePath: await findBrowser(),
    args: [...BROWSER_FLAGS, "--js-flags=--expose-gc"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    return await use(page, browser);
  } finally {
    await browser.close();
    server.close();
  }
}
