import { eachRow, type ProgramSource } from "../program.js";

/**
 * Attention in three draws: the scores, their maxima and sums (`softmaxMomentsProgram`), and the
 * weighted values. Queries, keys and values are read in place: each position of a sequence is a row
 * (`NAME_batch` and `NAME_time` rows apart), in which the heads have their texels (`NAME_head`
 * apart, beginning with `NAME_first`).
 *
 * The rows of scores are (batch, head, time), with `time` rounded up to a multiple of 4, so that
 * the four rows of a fragment belong to one head.
 */
export const READER_INTS = (name: string): string[] =>
  ["batch", "time", "row", "head", "first"].map((what) => `${name}_${what}`);

export interface ScoresOptions {
  /** `fill`: what is not 0 takes the place of a score. */
  mask: "none" | "bool" | "float32" | "fill";
  causal: boolean;
}

export function scoresProgram({ mask, causal }: ScoresOptions): ProgramSource {
  const masks = {
    none: "",
    bool: "v += mix(vec4(0), low, equal(m, vec4(0)));",
    float32: "v += m;",
    fill: "v = mix(m, v, equal(m, vec4(0)));",
  };
  // A mask that broadcasts over the keys has its number in the first lane.
  const readMask = (r: number): string => `
      vec4 m = at(mask, n * mask_batch + h * mask_head + min(t + ${r}, queries - 1) * mask_time, mask_key * group);
      if (mask_key == 0) m = m.xxxx;
      ${masks[mask]}`;
  const finish = (r: number): string => `{
    vec4 v = y[${r}] * scale;
    ${mask === "none" ? "" : `{${readMask(r)}\n    }`}
    ${causal ? `v = mix(v, low, greaterThan(places, ivec4(t + ${r})));` : ""}
    y[${r}] = mix(v, low, past);
  }`;
  return {
    tensors: ["q", "k", ...(mask === "none" ? [] : ["mask"])],
    ints: [
      ...["heads", "perKey", "queries", "padded", "keys", "depth"],
      ...READER_INTS("q"),
      ...READER_INTS("k"),
      ...(mask === "none" ? [] : ["mask_batch", "mask_head", "mask_time", "mask_key"]),
    ],
    floats: ["scale"],
    even: true,
    body: `
  vec4 low = vec4(-1.0 / 0.0);
  int block = row / padded;
  int n = block / heads, h = block - n * heads, t = row - block * padded;
  int s0 = group << 2;
  int from_q = q_first + h * q_head, from_k = k_first + (h / perKey) * k_head;
  ivec4 places = ivec4(0, 1, 2, 3) + s0;
  bvec4 past = greaterThanEqual(places, ivec4(keys));
  ivec4 rq = ivec4(n * q_batch + h * q_row) + min(ivec4(0, 1, 2, 3) + t, ivec4(queries - 1)) * q_time;
  ivec4 rk = ivec4(n * k_batch + (h / perKey) * k_row) + min(places, ivec4(keys - 1)) * k_time;
  ${eachRow((r) => `y[${r}] = vec4(0);`)}
  for (int d = 0; d < depth; d++) {
    mat4 m = transpose(mat4(at(k, rk[0], from_k + d), at(k, rk[1], from_k + d),
      at(k, rk[2], from_k + d), at(k, rk[3], from_k + d)));
    ${eachRow((r) => `y[${r}] += m * at(q, rq[${r}], from_q + d);`)}
  }
  ${eachRow(finish)}`,
  };
}

/**
 * `(N·L, heads · E)`: the result of attention, with the heads of a position side by side.
 *
 * @param together whether the four rows of a fragment always belong to one sequence.
 */
export function weightedValuesProgram(together: boolean): ProgramSource {
  // The last texel may have fewer than four keys: 0 times an infinity would be NaN.
  const read = (first: string, isWhole: boolean): string => {
    const columns = [0, 1, 2, 3].map((i) => {
      const one = `at(v, ${first} + (4 * g + ${i}) * v_time, from_v)`;
      return isWhole ? one : `(${i} < left ? ${one} : vec4(0))`;
    });
    return `mat4(${columns.join(", ")})`;
  };
  const add = (isWhole: boolean): string => {
    const values = (r: number): string => (together ? "m" : read(`first[${r}]`, isWhole));
    return `
    ${together ? `mat4 m = ${read("first[0]", isWhole)};` : ""}
    ${eachRow((r) => `y[${r}] += ${values(r)} * exp(at(scores, rows[${r}], g) - m${r}.x);`)}`;
  };
  return {
    tensors: ["scores", "moments", "v"],
    even: true,
    ints: ["heads", "perKey", "queries", "padded", "keys", "depth", ...READER_INTS("v")],
    body: `
  int h = group / depth;
  int from_v = v_first + (h / perKey) * v_head + group - h * depth;
  ivec4 p = min(ivec4(0, 1, 2, 3) + row, ivec4(outRows - 1));
  ivec4 n = p / queries;
  ivec4 rows = (n * heads + h) * padded + p - n * queries;
  ivec4 first = n * v_batch + (h / perKey) * v_row;
  ${eachRow((r) => `vec2 m${r} = at(moments, rows[${r}], 0).xy; y[${r}] = vec4(0);`)}
  int g = 0, left = keys;
  for (; left >= 4; g++, left -= 4) {${add(true)}
  }
  if (left > 0) {${add(false)}
  }
  ${eachRow((r) => `y[${r}] *= m${r}.y;`)}`,
  };
}
