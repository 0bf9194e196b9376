/**
 * Finds a Chromium for the specs: CHROME_BIN, an installed one, or the one that comes from npm
 * (with its own libraries, so that no system package is needed).
 */
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { mkdir, writeFile } from "node:fs/promises";

const NAMES = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser"];

/** WebGL2 and WebGPU without a GPU (SwiftShader). */
const SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];

/**
 * The machine's own GPU, with `HARDWARE_GL=1`: on Linux by Vulkan, which needs no display, or by what
 * `ANGLE` names (`gl`, `gl-egl`, `vulkan`, ...); elsewhere by what Chromium chooses.
 */
function hardwareGL() {
  const { ANGLE = process.platform === "linux" ? "vulkan" : "default" } = process.env;
  const vulkan = ["--enable-features=Vulkan", "--disable-vulkan-surface"];
  return ["--use-gl=angle", `--use-angle=${ANGLE}`, ...(ANGLE === "vulkan" ? vulkan : [])];
}

/** No sandbox (containers run as root), no phoning home, a GPU. */
export const BROWSER_FLAGS = [
  "--no-sandbox",
  "--no-zygote",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--ignore-gpu-blocklist",
  "--enable-unsafe-webgpu",
  ...(process.env.HARDWARE_GL ? hardwareGL() : SOFTWARE_GL),
];

/** The path of an executable Chromium. */
export async function findBrowser() {
  if (process.env.CHROME_BIN) return process.env.CHROME_BIN;
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const name of NAMES) {
    const path = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
    if (path) return path;
  }
  return unpackFromNpm();
}

async function unpackFromNpm() {
  const folder = resolve("node_modules/.cache/chromium");
  await mkdir(folder, { recursive: true });
  // The package unpacks into the temporary folder, and brings its libraries only if it believes
  // itself on a bare machine.
  const { TMPDIR, AWS_EXECUTION_ENV } = process.env;
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x" });
  try {
    const { default: chromium } = await import("@sparticuz/chromium");
    const path = await chromium.executablePath();
    await writeFile(join(folder, "fonts/fonts.conf"), fontsConfig(folder));
    return path;
  } finally {
    restore("TMPDIR", TMPDIR);
    restore("AWS_EXECUTION_ENV", AWS_EXECUTION_ENV);
  }
}

/** The package's own configuration looks for its fonts in fixed places. */
const fontsConfig = (folder) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;

function restore(name, value) {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
