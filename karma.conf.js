/**
 * Runs the specs on WebGL, in a real Chromium or, with `TEST_BROWSER=firefox`, in Firefox; with an
 * empty `TEST_BROWSER` it waits for whatever browser opens its page. esbuild bundles those that need no Node
 * into one module, and `spec/browser/start.js` starts mocha once it has been evaluated.
 */
import { BROWSER_FLAGS, findBrowser } from "./scripts/browser.js";
import { bundleSpecs, givenGoldens } from "./scripts/bundle-specs.js";

/** Lets specs ask how much memory is in use. */
const TELLING = ["--js-flags=--expose-gc", "--enable-precise-memory-info"];

/** Karma's own headless Chrome is started with `--disable-gpu`, which SwiftShader alone survives. */
const HEADLESS = process.env.HARDWARE_GL
  ? { base: "Chrome", flags: ["--headless", "--remote-debugging-port=0"] }
  : { base: "ChromeHeadless", flags: [] };

// Not `BROWSER`, which many shells set to what opens links.
const { TEST_BROWSER = "Chromium" } = process.env;

export default async function configure(config) {
  if (TEST_BROWSER === "Chromium") process.env.CHROME_BIN = await findBrowser();
  await bundleSpecs("out/browser");
  const served = (pattern) => ({ pattern, included: false, watched: false });
  config.set({
    frameworks: ["mocha"],
    files: [
      { pattern: "spec/browser/start.js", type: "module" },
      served("out/browser/*.js"),
      served("spec/goldens/**"),
      served("examples/assets/**"),
      ...givenGoldens.map((path) => served(`${path}*`)),
      served("node_modules/@tensorflow/tfjs-backend-wasm/dist/*.wasm"),
    ],
    browsers: TEST_BROWSER ? [TEST_BROWSER] : [],
    customLaunchers: {
      Chromium: { ...HEADLESS, flags: [...HEADLESS.flags, ...BROWSER_FLAGS, ...TELLING] },
      firefox: { base: "Firefox", prefs: { "webgl.force-enabled": true } },
    },
    reporters: ["dots"],
    browserNoActivityTimeout: 300_000,
    // A busy machine compiles a shader for seconds, in which the browser answers no ping.
    pingTimeout: 120_000,
    client: { mocha: { timeout: 120_000, grep: process.env.GREP } },
  });
}
