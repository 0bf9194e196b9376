import { eachRow, type ProgramSource } from "../program.js";

/**
 * Resizes, crops and normalises a picture of bytes to `(1, H, W, 3)`, with one row per pixel. It
 * uses the triangle filter of PyTorch's bilinear `interpolate`, widened to a pixel of the result
 * where that is larger than one of the picture, if `radius` says so.
 */
export const PICTURE: ProgramSource = {
  tensors: [],
  weights: ["picture"],
  ints: ["keptW", "beginH", "beginW", "resizedH", "resizedW", "inH", "inW"],
  floats: [
    ...["scaleH", "scaleW", "radiusH", "radiusW"],
    ...["gain0", "gain1", "gain2", "bias0", "bias1", "bias2"],
  ],
  head: `
vec4 resampled(int pixel) {
  int line = pixel / keptW;
  int h = line + beginH, w = pixel - line * keptW + beginW;
  vec3 sum = vec3(0);
  if (h >= 0 && h < resizedH && w >= 0 && w < resizedW) {
    vec2 middle = (vec2(h, w) + 0.5) * vec2(scaleH, scaleW);
    vec2 radius = vec2(radiusH, radiusW);
    ivec2 from = max(ivec2(middle - radius + 0.5), 0);
    ivec2 to = min(ivec2(middle + radius + 0.5), ivec2(inH, inW));
    float total = 0.0;
    for (int i = from.x; i < to.x; i++) {
      float high = max(0.0, 1.0 - abs(float(i) + 0.5 - middle.x) / radius.x);
      for (int j = from.y; j < to.y; j++) {
        float share = high * max(0.0, 1.0 - abs(float(j) + 0.5 - middle.y) / radius.y);
        sum += share * texelFetch(picture, ivec2(j, i), 0).rgb;
        total += share;
      }
    }
    sum /= total;
  }
  return vec4(sum * vec3(gain0, gain1, gain2) + vec3(bias0, bias1, bias2), 0);
}
`,
  body: eachRow((r) => `  y[${r}] = resampled(row + ${r});`),
};
