import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../lib/index.js";
import { inBrowser } from "./support/files.js";

describe("setBackend", () => {
  it("needs no call: webgl in a browser that has it, else cpu", () => {
    // Other specs switch backends; what counts is that one was there from the start.
    expect(tf.engine().backendNames()).to.include(inBrowser ? "webgl" : "cpu");
  });

  it("makes a backend the current one", async () => {
    expect(await nn.setBackend("cpu")).to.equal("cpu");
    expect(tf.getBackend()).to.equal("cpu");
    if (!inBrowser) return;
    expect(await nn.setBackend("webgl")).to.equal("webgl");
    expect(tf.getBackend()).to.equal("webgl");
  });

  it("falls back to cpu where there is no WebGL, and says so once", async () => {
    const { warn } = console;
    const warnings: unknown[] = [];
    console.warn = (text: unknown) => warnings.push(text);
    const restore = hideWebGL();
    try {
      expect(await nn.setBackend("webgl")).to.equal("cpu");
      expect(await nn.setBackend("webgl")).to.equal("cpu");
    } finally {
      restore();
      console.warn = warn;
    }
    expect(tf.getBackend()).to.equal("cpu");
    expect(warnings).to.deep.equal([
      "sconce: there is no webgl here, so models run on the 'cpu' backend",
    ]);
  });

  it("refuses unknown names and options, and lists the known ones", async () => {
    const failure = async (...args: unknown[]): Promise<string> => {
      const setBackend = nn.setBackend as (...args: unknown[]) => Promise<unknown>;
      return setBackend(...args).then(
        () => "no error",
        (error: unknown) => (error as Error).message,
      );
    };
    expect(await failure("cuda")).to.equal(
      "setBackend: unknown backend 'cuda'; known backends: webgl, cpu, wasm, webgpu",
    );
    expect(await failure("cpu", { threads: 2 })).to.contain("unexpected option 'threads'");
  });
});

/** Makes this browser one without WebGL; Node is one anyway. */
function hideWebGL(): () => void {
  if (!inBrowser) return () => {};
  const { getContext } = OffscreenCanvas.prototype;
  OffscreenCanvas.prototype.getContext = () => null;
  return () => (OffscreenCanvas.prototype.getContext = getContext);
}
