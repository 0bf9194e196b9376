import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { type Browser, chromium, type Page } from "playwright-core";
import { preview, type PreviewServer } from "vite";
import { BROWSER_FLAGS, findBrowser } from "../../scripts/browser.js";

const PAGE = "examples/page";
const CONFIG = `${PAGE}/vite.config.ts`;
const VITE = "node_modules/vite/bin/vite.js";

/** The built page in a real Chromium, judged by what it shows. */
describe("The page", function () {
  this.timeout(180_000);

  let server: PreviewServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    // In a process of its own, as a user does: tsx would load a second copy of the bundler.
    execFileSync(process.execPath, [VITE, "build", PAGE, "--logLevel", "error"]);
    server = await preview({ configFile: CONFIG, logLevel: "error", preview: { port: 0 } });
    const executablePath = await findBrowser();
    const camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
    browser = await chromium.launch({ executablePath, args: [...BROWSER_FLAGS, ...camera] });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("console", (message) => {
      const isDriverNote = message.text().startsWith("[.WebGL-"); // on the speed of reading back
      if (["error", "warning"].includes(message.type()) && !isDriverNote) {
        complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(server.resolvedUrls!.local[0]!);
    await page.getByText("running on").waitFor();
  });

  after(async () => {
    await browser?.close();
    await server?.close();
  });

  const text = (selector: string): Promise<string> => page.locator(selector).innerText();
  const circles = (): Promise<string[]> => page.locator("#network text").allTextContents();

  async function useBackend(name: string): Promise<void> {
    await page.getByLabel(name, { exact: true }).check();
    await page.getByText(`running on ${name}`).waitFor();
  }

  it("starts on webgl", async () => {
    expect(await text("#status")).to.equal("running on webgl");
    expect(await page.getByLabel("webgl").isChecked()).to.be.true;
  });

  it("draws the network with its values, which follow x", async () => {
    const before = await circles();
    expect(before).to.have.lengthOf(2 + 4 + 3);
    expect(before.slice(0, 2)).to.deep.equal(["1.00", "-0.50"]);
    expect(await page.locator("#network line").count()).to.equal(2 * 4 + 4 * 3);
    await page.locator("input[name=x1]").fill("2.5");
    const after = await circles();
    expect(after[0]).to.equal("2.50");
    expect(after.slice(2)).to.not.deep.equal(before.slice(2));
  });

  it("plots the sigmoid with a point for each hidden neuron", async () => {
    expect(await page.locator("#sigmoid circle").count()).to.equal(4);
    expect(await page.locator("#sigmoid [aria-label=line] path").count()).to.equal(1);
  });

  it("prints the parameters in both styles, and a small difference between them", async () => {
    // The weights that torch.manual_seed(0) gives the layer.
    expect(await text("#torch")).to.match(
      /^torch\.Size\(\[4, 2\]\)\nParameter containing:\ntensor\(\[\[-0\.0053, {2}0\.3793\],/,
    );
    expect(await text("#numpy")).to.match(/^\(2, 4\)\n\[\[-0\.00529/);
    expect(Number(await text("#difference"))).to.be.at.most(1e-5);
  });

  for (const backend of ["cpu", "webgl"]) {
    it(`classifies a held-out picture on ${backend}`, async () => {
      await useBackend(backend);
      await page.getByRole("option", { name: "Trouser" }).first().click();
      expect(await text("#verdict")).to.match(
        /^The network says Trouser \(\d+\.\d %\); the label is Trouser\.$/,
      );
      expect(await page.locator("#probabilities rect").count()).to.equal(10);
    });
  }

  const DRAWN = "#drawing-verdict";
  /** How many pictures the network has seen, and what it was compiled for. */
  async function seen(): Promise<{ said: string; pictures: number; backend: string }> {
    const found = /^The network says (.+) \(.* %\)\. Picture (\d+) took .* ms \(\d+ kernels, compiled for (\w+)\)\.$/; // prettier-ignore
    const [, said, pictures, backend] = found.exec(await text(DRAWN)) ?? [];
    return { said: said!, pictures: Number(pictures), backend: backend! };
  }
  const sees = (more: number): Promise<unknown> =>
    page.waitForFunction(
      ([selector, least]) => Number(/Picture (\d+)/.exec(document.querySelector(selector!)!.textContent)?.[1]) >= Number(least), // prettier-ignore
      [DRAWN, String(more)],
    );

  for (const backend of ["cpu", "webgl"]) {
    it(`classifies what is drawn, by the model compiled for ${backend}`, async () => {
      await useBackend(backend);
      await page.waitForFunction(
        ([selector, name]) =>
          document.querySelector(selector!)!.textContent.includes(`for ${name}`),
        [DRAWN, backend],
      );
      await page.getByRole("button", { name: "Clear" }).click();
      const canvas = page.locator("#drawing canvas");
      const { x, y } = (await canvas.boundingBox())!;
      const { pictures } = await seen();
      // A dress is a narrow thing; a bag a wide one with a handle.
      for (const line of [80, 100, 120, 140, 160, 180, 200, 220]) {
        await page.mouse.move(x + 50, y + line + 10);
        await page.mouse.down();
        await page.mouse.move(x + 230, y + line + 10);
        await page.mouse.up();
      }
      await sees(pictures + 1);
      await page.getByLabel("light background").check();
      await sees(pictures + 2);
      await page.getByLabel("light background").uncheck();
      await sees(pictures + 3);
      expect(await seen()).to.include({ said: "Bag", backend });
      expect(await page.locator("#drawing-probabilities rect").count()).to.equal(10);
    });
  }

  it("classifies a photo, and says what is none", async () => {
    const { pictures } = await seen();
    const photo = await page.screenshot({ clip: { x: 0, y: 0, width: 300, height: 200 } });
    await page.getByLabel("Photo").setInputFiles({ name: "a.png", mimeType: "image/png", buffer: photo }); // prettier-ignore
    await page.getByLabel("light background").and(page.locator(":checked")).waitFor();
    await sees(pictures + 1);
    const file = { name: "b.png", mimeType: "image/png", buffer: Buffer.from("no picture") };
    await page.getByLabel("Photo").setInputFiles(file);
    await page.getByText("b.png is no picture that this browser reads.").waitFor();
  });

  it("classifies what the camera sees, frame after frame, until it is switched off", async () => {
    const camera = page.getByRole("button", { name: "Camera" });
    await camera.click();
    await sees(1);
    const { pictures, backend } = await seen();
    expect(backend).to.equal("webgl");
    await sees(pictures + 5);
    if (process.env.SCREENSHOTS) {
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/camera.png`, fullPage: true });
    }
    await camera.click();
    expect(await page.locator("#drawing video").isVisible()).to.equal(false);
    expect(await camera.getAttribute("aria-pressed")).to.equal("false");
  });

  for (const width of [390, 1280]) {
    it(`fits a window ${width} pixels wide`, async () => {
      await page.setViewportSize({ width, height: 900 });
      const scroll = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(scroll).to.be.at.most(width);
      if (process.env.SCREENSHOTS) {
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/${width}.png`, fullPage: true });
      }
    });
  }

  it("has nothing to complain about on the console", () => {
    expect(complaints).to.deep.equal([]);
  });
});
