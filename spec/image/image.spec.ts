import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";
import { inBrowser } from "../support/files.js";

const [W, H] = [9, 7];

/** `(37 x + 91 y + 53 c) mod 256`, opaque. */
const data = Uint8ClampedArray.from({ length: 4 * W * H }, (_, i) => {
  const [c, x, y] = [i % 4, (i >> 2) % W, Math.floor((i >> 2) / W)];
  return c === 3 ? 255 : (x * 37 + y * 91 + c * 53) % 256;
});
const PIXELS: nn.Pixels = { data, width: W, height: H };

/** torchvision's transforms (v2) of that picture as floats: made with PyTorch 2.15. */
const GOLDENS: [string, nn.ImageOptions, number[], number[]][] = [
  [
    "Resize(4), CenterCrop(3), Normalize",
    { size: 4, crop: 3, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    [1, 3, 3, 3],
    // prettier-ignore
    [-0.124807, 0.582003, -0.097285, -0.609812, -0.055519, 0.231869, 0.240945, -0.478682, -0.057197, 0.889727, 0.635452, -0.215924, -0.003064, 0.526034, 0.66693, 0.4073, 0.019608, 0.371411, 0.478054, 0.778738, 0.160801, 0.417865, 0.504329, 0.984488, 0.391373, 0.210124, 0.511808],
  ],
  [
    "Resize([3, 2], antialias=False)",
    { size: [3, 2], antialias: false },
    [1, 3, 3, 2],
    // prettier-ignore
    [0.49183, 0.39183, 0.320588, 0.722549, 0.316667, 0.467647, 0.699673, 0.348693, 0.528431, 0.177451, 0.357189, 0.67549, 0.405556, 0.556536, 0.736274, 0.385294, 0.565033, 0.214052],
  ],
  [
    "Resize(3), CenterCrop([2, 4]) of a smaller picture",
    { size: 3, crop: [2, 4] },
    [1, 3, 2, 4],
    // prettier-ignore
    [0.406583, 0.527731, 0.415826, 0, 0.432584, 0.469896, 0.492445, 0, 0.533754, 0.552319, 0.480252, 0, 0.500173, 0.559631, 0.523126, 0, 0.526471, 0.537068, 0.562605, 0, 0.552999, 0.485326, 0.553806, 0],
  ],
];

/** ToTensor, by hand. */
const plain = Float32Array.from({ length: 3 * H * W }, (_, i) => {
  const [c, at] = [Math.floor(i / (H * W)), i % (H * W)];
  return data[4 * at + c]! / 255;
});

onEveryBackend("nn.image", (_backend, tolerance) => {
  const whole = { shape: [1, 3, H, W], values: plain };

  it("gives the pixels as (1, 3, H, W), of RGBA and of RGB", () => {
    expectTensor(nn.image(PIXELS), whole, tolerance, "RGBA");
    const rgb = { ...PIXELS, data: data.filter((_, i) => i % 4 !== 3) };
    expectTensor(nn.image(rgb), whole, tolerance, "RGB");
  });

  for (const [name, options, shape, values] of GOLDENS) {
    it(`${name}: as torchvision`, () => {
      expectTensor(nn.image(PIXELS, options), { shape, values }, tolerance, name);
    });
  }

  it("makes a batch of a list, and leaves no tensor behind", () => {
    const small: nn.Pixels = { data: new Uint8Array(3 * 4).fill(255), width: 2, height: 2 };
    const x = nn.image([PIXELS, small], { size: [4, 5] });
    expect(x.shape).to.deep.equal([2, 3, 4, 5]);
    expectNoLeak(() => nn.image([PIXELS, small], { size: [4, 5], mean: [0, 0, 0] }).dispose());
    expect(() => nn.image([PIXELS, small])).to.throw("must come out in one size, got 7 × 9, 2 × 2");
  });

  it("says what is wrong with sources and options", () => {
    const fails = (source: unknown, options: unknown, text: string): void => {
      expect(() => nn.image(source as never, options as never)).to.throw(text);
    };
    fails(null, {}, "expected an <img>, <video>, <canvas>");
    fails("cat.jpg", {}, 'got string "cat.jpg"');
    fails({ ...PIXELS, width: 8 }, {}, "expected 3 or 4 numbers for each of 8 × 7 pixels, got 252");
    fails([], {}, "expected at least one source");
    fails(PIXELS, { size: 0 }, "size must be positive whole numbers, got 0");
    fails(PIXELS, { crop: [0, 3] }, "crop must be positive whole numbers, got 0, 3");
    fails(PIXELS, { crop: [2.5, 3] }, "crop must be a single int or an array of 2 ints");
    fails(PIXELS, { mean: 0.5 }, "mean must be a list of 3 numbers, got number 0.5");
    fails(PIXELS, { std: [1, 0, 1] }, "std must not be 0");
    fails(PIXELS, { sise: 4 }, "image got an unexpected option 'sise'");
  });

  if (!inBrowser) return;

  it("reads canvas, ImageData, ImageBitmap, and image, in their own size", async () => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: W, height: H });
    const pixels = new ImageData(data, W, H);
    canvas.getContext("2d")!.putImageData(pixels, 0, 0);
    const offscreen = new OffscreenCanvas(W, H);
    offscreen.getContext("2d")!.putImageData(pixels, 0, 0);
    const img = new Image(40, 40); // shown larger than it is
    expect(() => nn.image(img)).to.throw("the <img> has not loaded");
    img.src = canvas.toDataURL("image/png");
    await img.decode();
    const bitmap = await createImageBitmap(canvas);
    const sources = { pixels, canvas, offscreen, bitmap, img };
    for (const [name, source] of Object.entries(sources)) {
      expectTensor(nn.image(source), whole, tolerance, name);
      expectNoLeak(() => nn.image(source).dispose());
    }
    const [, options, shape, values] = GOLDENS[0]!;
    expectTensor(nn.image(img, options), { shape, values }, tolerance, "img, resized");
    bitmap.close();
    expect(() => nn.image(bitmap)).to.throw("the ImageBitmap is closed");
    expect(() => nn.image(document.createElement("video"))).to.throw("has no frame yet");
    expect(() => nn.image(new OffscreenCanvas(0, 0))).to.throw("the canvas is empty: 0 × 0");
  });

  it("reads a canvas that has no 2D context", () => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 2, height: 2 });
    const gl = canvas.getContext("webgl2")!;
    gl.clearColor(0.2, 0.4, 0.6, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const values = Float32Array.from([0.2, 0.4, 0.6].flatMap((c) => [c, c, c, c]));
    expectTensor(nn.image(canvas), { shape: [1, 3, 2, 2], values }, { rtol: 0, atol: 1e-3 }, "gl");
    gl.getExtension("WEBGL_lose_context")!.loseContext();
  });

  it("reads the current frame of a video", async () => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 32, height: 16 });
    const context = canvas.getContext("2d")!;
    const paint = (): void => {
      context.fillStyle = "rgb(200, 100, 50)";
      context.fillRect(0, 0, 32, 16);
    };
    paint();
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = canvas.captureStream();
    const painting = setInterval(paint, 20); // each painting is a frame
    try {
      await video.play();
      const x = nn.image(video, { size: [4, 6] });
      const values = Float32Array.from(
        [200, 100, 50].flatMap((c) => Array<number>(24).fill(c / 255)),
      );
      // On its way through a video a colour is not kept exactly.
      expectTensor(x, { shape: [1, 3, 4, 6], values }, { rtol: 0, atol: 0.02 }, "video");
      x.dispose();
    } finally {
      clearInterval(painting);
      video.srcObject = null;
    }
  });
});
