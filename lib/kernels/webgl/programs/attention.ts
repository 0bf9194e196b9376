import type { ProgramSource } from "../program.js";

/**
 * Attention in three draws: scores, their maxima and sums (`softmaxMomentsProgram`), and the values
 * weighted by them. Queries, keys and values are read where they are: each as a row for a place in a
 * sequence (`NAME_batch` and `NAME_time` rows apart) and, in it, a head's texels (`NAME_head` apart
 * from `NAME_first` on).
 *
 * Scores are rows (batch, head, time) with `time` rounded up to a multiple of 4, so that four rows
 * always are of one head.
 */
export const READER_INTS = (name: string): string[] =>
  ["batch", "time", "row", "head", "first"].map((what) => `${name}_${what}`);

export interface ScoresOptions {
  mask: "none" | "bool" | "float";
  causal: boolean;
}

export function scoresProgram({ mask, causal }: ScoresOptions): ProgramSource {
  const masks = {
    none: "",
    bool: "if (m == 0.0) v = low;",
    float: "v += m;",
  };
  const readMask = `
      int c = (keys == 1 ? 0 : s) * mask_key;
      float m = at(mask, mask_from, c >> 2)[c & 3];
      ${masks[mask]}`;
  return {
    tensors: ["q", "k", ...(mask === "none" ? [] : ["mask"])],
    ints: [
      ...["heads", "perKey", "queries", "padded", "keys", "depth"],
      ...READER_INTS("q"),
      ...READER_INTS("k"),
      ...(mask === "none" ? [] : ["mask_batch", "mask_head", "mask_time", "mask_key"]),
    ],
    floats: ["scale"],
    body: `
  const float low = -1.0 / 0.0;
  int block = row / padded;
  int n = block / heads, h = block - n * heads, t = row - block * padded;
  int s0 = group << 2;
  int from_q = q_first + h * q_head, from_k = k_first + (h / perKey) * k_head;
  ivec4 rq, rk;
  for (int r = 0; r < 4; r++) {
    rq[r] = n * q_batch + h * q_row + min(t + r, queries - 1) * q_time;
    rk[r] = n * k_batch + (h / perKey) * k_row + min(s0 + r, keys - 1) * k_time;
  }
  for (int r = 0; r < 4; r++) y[r] = vec4(0);
  for (int d = 0; d < depth; d++) {
    vec4 k0 = at(k, rk[0], from_k + d), k1 = at(k, rk[1], from_k + d);
    vec4 k2 = at(k, rk[2], from_k + d), k3 = at(k, rk[3], from_k + d);
    for (int r = 0; r < 4; r++) {
      vec4 v = at(q, rq[r], from_q + d);
      y[r] += vec4(dot(v, k0), dot(v, k1), dot(v, k2), dot(v, k3));
    }
  }
  for (int r = 0; r < 4; r++) {
    ${mask === "none" ? "" : "int mask_from = n * mask_batch + h * mask_head + min(t + r, queries - 1) * mask_time;"}
    for (int c = 0; c < 4; c++) {
      int s = s0 + c;
      float v = y[r][c] * scale;
      ${mask === "none" ? "" : `{${readMask}\n      }`}
      ${causal ? "if (s > t + r) v = low;" : ""}
      y[r][c] = s < keys ? v : low;
    }
  }`,
  };
}

/** `(N·L, heads · E)`: what attention gives, the heads of a place side by side. */
export function weightedValuesProgram(): ProgramSource {
  return {
    tensors: ["scores", "moments", "v"],
    ints: ["heads", "perKey", "queries", "padded", "keys", "depth", ...READER_INTS("v")],
    body: `
  int h = group / depth;
  int from_v = v_first + (h / perKey) * v_head + group - h * depth;
  ivec4 rows, first;
  vec4 top, part;
  bool same = true;
  for (int r = 0; r < 4; r++) {
    int p = min(row + r, outRows - 1);
    int n = p / queries;
    rows[r] = (n * heads + h) * padded + p - n * queries;
    first[r] = n * v_batch + (h / perKey) * v_row;
    same = same && first[r] == first[0];
    vec2 m = at(moments, rows[r], 0).xy;
    top[r] = m.x;
    part[r] = m.y;
    y[r] = vec4(0);
  }
  for (int g = 0; g < scores_width; g++) {
    vec4 w[4];
    for (int r = 0; r < 4; r++) w[r] = exp(at(scores, rows[r], g) - top[r]) * part[r];
    if (part == vec4(0)) continue;
    for (int c = 0; c < 4; c++) {
      int s = (g << 2) + c;
      if (s >= keys) break;
      if (same) {
        vec4 value = at(v, first[0] + s * v_time, from_v);
        for (int r = 0; r < 4; r++) y[r] += w[r][c] * value;
      } else {
        for (int r = 0; r < 4; r++) y[r] += w[r][c] * at(v, first[r] + s * v_time, from_v);
      }
    }
  }
  for (int r = 0; r < 4; r++) if (part[r] == 0.0) y[r] = vec4(0);`,
  };
}
