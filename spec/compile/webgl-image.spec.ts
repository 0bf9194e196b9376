import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectClose, expectNoLeak, expectTensor } from "../support/expect.js";
import { inBrowser } from "../support/files.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

/** `(37 x + 91 y + 53 c) mod 256`, opaque. */
function makePixels(width: number, height: number): ImageData {
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => {
    const [c, x, y] = [i % 4, (i >> 2) % width, Math.floor((i >> 2) / width)];
    return c === 3 ? 255 : (x * 37 + y * 91 + c * 53) % 256;
  });
  return new ImageData(data, width, height);
}

function onCanvas(pixels: ImageData): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: pixels.width, height: pixels.height });
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  return canvas;
}

/** What `nn.image` gives on tfjs' cpu backend. */
async function onCpu(
  source: nn.ImageSource,
  options: nn.ImageOptions,
): Promise<{ shape: number[]; values: Float32Array }> {
  await nn.setBackend("cpu");
  const x = nn.image(source, options);
  const values = x.dataSync<"float32">();
  x.dispose();
  await nn.setBackend("webgl");
  return { shape: x.shape, values };
}

/** Calls of some methods, in order, while `run` runs. */
async function callsOf(names: Record<string, object>, run: () => Promise<void>): Promise<string[]> {
  const calls: string[] = [];
  const undo = Object.entries(names).map(([name, prototype]) => {
    const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
    const before = methods[name]!;
    methods[name] = function (...args) {
      calls.push(name);
      return before.apply(this, args);
    };
    return () => void (methods[name] = before);
  });
  try {
    await run();
  } finally {
    undo.forEach((one) => one());
  }
  return calls;
}

if (inBrowser) {
  describe("nn.image into a model that is compiled for webgl", () => {
    const model = (x: tf.Tensor): tf.Tensor => tf.add(tf.mul(x, 2), 1);
    let fast: nn.Compiled<typeof model>;
    before(async () => {
      await nn.setBackend("webgl");
      fast = await nn.compile(model, tf.zeros([1, 3, 8, 8]));
      expect(fast.explain().compiled).to.equal(true);
    });
    after(() => fast.dispose());

    async function expectRun(
      source: nn.ImageSource,
      options: nn.ImageOptions,
      want: { shape: number[]; values: Float32Array },
      name: string,
      close = CLOSE,
    ): Promise<void> {
      const x = nn.image(source, options);
      const y = await fast.run(x);
      expectTensor(y, { shape: want.shape, values: want.values.map((v) => 2 * v + 1) }, close, name); // prettier-ignore
      expectTensor(x, want, close, `${name}, read`);
      tf.dispose([x, y]);
    }

    for (const [width, height, options] of [
      [9, 7, {}],
      [9, 7, { size: 4, crop: 3, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }],
      [9, 7, { size: [3, 2], antialias: false }],
      [9, 7, { size: 3, crop: [2, 4], mean: [0.5, 0.4, 0.3] }],
      [9, 7, { size: [15, 20] }],
      [9, 7, { crop: [12, 5] }],
      [200, 151, { size: 32, crop: 32, std: [0.5, 0.25, 2] }],
      [1, 300, { size: [7, 7] }],
      [1280, 720, { size: 224, crop: 224 }],
    ] as [number, number, nn.ImageOptions][]) {
      it(`equals the CPU: ${width} × ${height}, ${JSON.stringify(options)}`, async () => {
        const pixels = makePixels(width, height);
        const want = await onCpu(pixels, options);
        await expectRun(pixels, options, want, "ImageData");
        await expectRun(onCanvas(pixels), options, want, "canvas");
      });
    }

    it("takes every source, in its own size", async () => {
      const pixels = makePixels(9, 7);
      const canvas = onCanvas(pixels);
      const offscreen = new OffscreenCanvas(9, 7);
      offscreen.getContext("2d")!.putImageData(pixels, 0, 0);
      const img = new Image(40, 40);
      img.src = canvas.toDataURL("image/png");
      await img.decode();
      const bitmap = await createImageBitmap(canvas);
      const rgb = { data: pixels.data.filter((_, i) => i % 4 !== 3), width: 9, height: 7 };
      const numbers = { ...rgb, data: Array.from(rgb.data) }; // no bytes: tfjs makes a tensor of it
      const options = { size: 5, crop: [4, 6] };
      const want = await onCpu(pixels, options);
      for (const [name, source] of Object.entries({
        pixels,
        canvas,
        offscreen,
        img,
        bitmap,
        rgb,
        numbers,
      })) {
        // prettier-ignore
        await expectRun(source, options, want, name);
      }
      bitmap.close();
      expect(() => nn.image(bitmap)).to.throw("the ImageBitmap is closed");
    });

    it("leaves alpha aside as tfjs' backends do", async () => {
      const { data } = makePixels(9, 7);
      const clear = data.map((value, i) => (i % 4 === 3 ? [0, 128, 255][(i >> 2) % 3]! : value));
      const canvas = onCanvas(new ImageData(clear, 9, 7));
      const img = new Image();
      img.src = canvas.toDataURL("image/png");
      await img.decode();
      const bitmap = await createImageBitmap(canvas);
      const video = document.createElement("video");
      Object.assign(video, { muted: true, srcObject: canvas.captureStream() });
      const painting = setInterval(() => canvas.getContext("2d")!.drawImage(img, 0, 0), 20);
      await video.play();
      clearInterval(painting);
      const sources = { canvas, img, bitmap };
      // Firefox uploads frames with their colours multiplied by alpha, whatever it is told.
      const all = navigator.userAgent.includes("Firefox") ? sources : { ...sources, video };
      for (const [name, source] of Object.entries(all)) {
        // Half transparent colours are kept in steps of 2/255.
        await expectRun(source, {}, await onCpu(source, {}), name, { rtol: 0, atol: 2.1 / 255 });
      }
    });

    it("turns a photo as its camera says", async () => {
      const canvas = onCanvas(makePixels(24, 16));
      const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg"));
      const plain = new Uint8Array(await blob!.arrayBuffer());
      // Behind the first two bytes: EXIF with one entry, orientation 6, a quarter turn to the right.
      const entry = [0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
      const body = [...new TextEncoder().encode("Exif\0\0MM"), 0, 42, 0, 0, 0, 8, ...entry];
      const exif = [0xff, 0xe1, 0, body.length + 2, ...body];
      const img = new Image();
      const turned = [plain.slice(0, 2), new Uint8Array(exif), plain.slice(2)];
      img.src = URL.createObjectURL(new Blob(turned, { type: "image/jpeg" }));
      await img.decode();
      expect([img.naturalWidth, img.naturalHeight]).to.deep.equal([16, 24]);
      // A GPU takes a photo as it was decoded, before colours are rounded to bytes.
      const tolerance = { rtol: 0, atol: 0.01 };
      await expectRun(img, { size: 8 }, await onCpu(img, { size: 8 }), "photo", tolerance);
      URL.revokeObjectURL(img.src);
    });

    it("draws the frames of a video", async () => {
      const canvas = onCanvas(makePixels(32, 16));
      const context = canvas.getContext("2d")!;
      const paint = (): void => {
        context.fillStyle = "rgb(200, 100, 50)";
        context.fillRect(0, 0, 32, 16);
      };
      const video = document.createElement("video");
      video.muted = true;
      video.srcObject = canvas.captureStream();
      const painting = setInterval(paint, 20);
      paint();
      try {
        await video.play();
        const values = [200, 100, 50].flatMap((c) => Array<number>(24).fill(c / 255));
        const want = { shape: [1, 3, 4, 6], values: Float32Array.from(values) };
        // On its way through a video a colour is not kept exactly.
        await expectRun(video, { size: [4, 6] }, want, "video", { rtol: 0, atol: 0.04 });
      } finally {
        clearInterval(painting);
        video.srcObject = null;
      }
    });

    it("reads nothing back between the picture and the result, and uploads no numbers", async () => {
      const canvas = onCanvas(makePixels(64, 48));
      const bitmap = await createImageBitmap(canvas);
      const options = { size: [8, 8], mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
      const warm = nn.image(canvas, options);
      (await fast.run(warm)).dispose();
      warm.dispose();
      const gl = WebGL2RenderingContext.prototype;
      for (const source of [canvas, bitmap]) {
        const watched = {
          ...{ texImage2D: gl, texSubImage3D: gl, texSubImage2D: gl, texStorage3D: gl },
          ...{ createTexture: gl, createBuffer: gl, readPixels: gl, getBufferSubData: gl },
          ...{ drawArrays: gl, drawElements: gl, getImageData: CanvasRenderingContext2D.prototype },
        };
        const calls = await callsOf(watched, async () => {
          const x = nn.image(source, options);
          const y = await fast.run(x);
          tf.dispose([x, y]);
        });
        // A picture goes up, is drawn, the model is drawn, and its result comes down.
        const result = [...Array<string>(4).fill("readPixels"), "getBufferSubData"];
        expect(calls).to.deep.equal(["texImage2D", "drawArrays", "drawArrays", ...result]);
      }
    });

    it("is a tensor to everybody else", async () => {
      const pixels = makePixels(9, 7);
      const want = await onCpu(pixels, { size: 5 });
      expectNoLeak(() => {
        const x = nn.image(pixels, { size: 5 });
        const copy = tf.clone(x);
        x.dispose();
        expect(x.isDisposed).to.equal(true);
        expectTensor(copy, want, CLOSE, "a clone");
        copy.dispose();
      });
      const sum = tf.tidy(() => {
        const x = nn.image(pixels, { size: 5 });
        return tf.add(x, x);
      });
      expectTensor(sum, { shape: want.shape, values: want.values.map((v) => 2 * v) }, CLOSE, "sum");
      const x = nn.image(pixels, { size: 5 });
      expectClose(await x.data(), want.values, CLOSE, "data()");
      const both = nn.image([pixels, pixels], { size: 5 });
      expectTensor(tf.slice(both, [1, 0, 0, 0], [1, -1, -1, -1]), want, CLOSE, "a list");
      const y = fast(x);
      expectClose(y.dataSync(), want.values.map((v) => 2 * v + 1), CLOSE, "at once"); // prettier-ignore
      tf.dispose([sum, x, both, y]);
    });

    it("keeps frames apart that are under way at once, though disposed", async () => {
      const shades = [0, 51, 102, 153, 204, 255];
      const canvas = document.createElement("canvas");
      const context = canvas.getContext("2d")!;
      const before = tf.memory();
      const runs = shades.map((shade) => {
        context.fillStyle = `rgb(${shade}, ${shade}, ${shade})`;
        context.fillRect(0, 0, canvas.width, canvas.height);
        const x = nn.image(canvas, { size: [8, 8] });
        const y = fast.run(x);
        x.dispose();
        return y;
      });
      for (const [i, y] of (await Promise.all(runs)).entries()) {
        const want = new Float32Array(192).fill(1 + (2 * shades[i]!) / 255);
        expectClose(y.dataSync(), want, CLOSE, `frame ${i}`);
        y.dispose();
      }
      const { numTensors, numDataBuffers } = tf.memory();
      expect([numTensors, numDataBuffers]).to.deep.equal([before.numTensors, before.numDataBuffers]); // prettier-ignore
    });

    it("tells that a picture went with the GPU, and goes on with the next, ten times", async () => {
      const engine = createWebglEngine(model);
      const { device } = engine.memory;
      const extension = device.gl.getExtension("WEBGL_lose_context")!;
      const pixels = makePixels(9, 7);
      const want = (await onCpu(pixels, { size: [8, 8] })).values.map((v) => 2 * v + 1);
      const until = async (condition: () => boolean): Promise<void> => {
        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      const nameOf = (error: unknown): string => (error as Error).name;
      for (let i = 0; i < 10; i += 1) {
        const { generation } = device;
        const old = nn.image(pixels, { size: [8, 8] });
        const running = fast.run(old).then((y) => (y.dispose(), "finished"), nameOf);
        if (i % 2) await Promise.resolve();
        extension.loseContext();
        expect(["finished", "WebGLContextLostError"]).to.include(await running);
        // While there is no GPU of ours, tfjs takes pictures.
        const between = nn.image(pixels, { size: [8, 8] });
        expect(await fast.run(between).catch(nameOf)).to.equal("WebGLContextLostError");
        await until(() => device.generation > generation);
        extension.restoreContext();
        await until(() => !device.isLost);
        const told = await fast.run(old).catch(String);
        expect(told).to.match(
          /^WebGLContextLostError: a picture that nn.image had uploaded is gone/,
        );
        for (const x of [between, nn.image(pixels, { size: [8, 8] })]) {
          const y = await fast.run(x);
          expectClose(y.dataSync(), want, CLOSE, `after ${i + 1}`);
          tf.dispose([x, y]);
        }
        old.dispose();
      }
      engine.dispose();
    });

    it("is tfjs' business once no compiled model is left", async () => {
      const taken: boolean[] = [];
      const other = await compiled(model, tf.zeros([1, 3, 4, 4]));
      const asks = (): void => {
        const x = nn.image(makePixels(4, 4));
        taken.push(tf.engine().state.tensorInfo.get(x.dataId)!.backend !== tf.backend());
        x.dispose();
      };
      other.dispose();
      other.dispose();
      asks();
      const deletes = { deleteTexture: WebGL2RenderingContext.prototype };
      // Those of the model's input and output, and at least one that held pictures.
      expect(await callsOf(deletes, () => Promise.resolve(fast.dispose()))).to.have.length.above(2);
      asks();
      fast = await compiled(model, tf.zeros([1, 3, 8, 8]));
      asks();
      expect(taken).to.deep.equal([true, false, true]);
    });
  });
}
