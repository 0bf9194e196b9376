/**
 * Shaders: one source for each kind of program, compiled once per device, in the background if
 * possible.
 */
import { type Device, WebGLUnsupportedError } from "./device.js";
import { Rehearsal } from "./rehearsal.js";

/**
 * A program: its inputs, its uniforms, and the body of its `main`. The body can use `row` (the
 * first of the four rows to write), `group` (the index of the texel among the row's channels),
 * `outWidth` (texels per row) and `outRows`; it sets `y[0]` to `y[3]`. Sizes are uniforms, so that
 * one program serves all sizes.
 */
export interface ProgramSource {
  /**
   * Textures of tensors by name; each has uniforms `NAME_shift` and `NAME_width` (texels per row).
   */
  readonly tensors: readonly string[];
  /** Flat textures of weights by name; each has a uniform `NAME_shift`. */
  readonly weights?: readonly string[];
  /** Integer uniforms. */
  readonly ints?: readonly string[];
  readonly floats?: readonly string[];
  /** Functions and constants before `main`. */
  readonly head?: string;
  readonly body: string;
  /**
   * Whether the number of channels is no multiple of four, so that lanes past the last channel must
   * be zeroed.
   */
  readonly masked?: boolean;
  /**
   * Whether every texel is read in uniform control flow: in no loop or branch that depends on the
   * fragment's position. Such reads may use `texture`, which needs derivatives and takes half as
   * long as `texelFetch` on software GPUs. Default: false.
   */
  readonly even?: boolean;
}

/**
 * Repeats code for each of the four rows. It is written out, because a loop would index `y` by a
 * variable, and such arrays are kept in memory instead of registers.
 */
export const eachRow = (code: (r: number) => string): string => [0, 1, 2, 3].map(code).join("\n");

const VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(4 * (gl_VertexID & 1) - 1, 2 * (gl_VertexID & 2) - 1, 0, 1);
}`;

/**
 * The uniforms in the order in which a launch writes them: those of tensors, of weights, then the
 * program's own.
 */
export function numberNames({ tensors, weights = [], ints = [], floats = [] }: ProgramSource): {
  ints: string[];
  floats: readonly string[];
} {
  return {
    ints: [
      ...["out_shift", "outWidth", "outRows", "outChannels"],
      ...tensors.flatMap((name) => [`${name}_shift`, `${name}_width`]),
      ...weights.map((name) => `${name}_shift`),
      ...ints,
    ],
    floats,
  };
}

/** The source of the whole fragment shader. */
export function fragmentSource(source: ProgramSource): string {
  const { tensors, weights = [], head = "", body, masked = false, even = false } = source;
  const { ints, floats } = numberNames(source);
  const define = (name: string, i: number, convert: string): string =>
    `#define ${name} ${convert}(numbers[${i >> 2}].${"xyzw"[i & 3]})`;
  const lines = [
    ...ints.map((name, i) => define(name, i, "")),
    ...floats.map((name, i) => define(name, ints.length + i, "intBitsToFloat")),
    ...tensors.map((name) => `uniform highp sampler2DArray ${name};`),
    ...weights.map((name) => `uniform highp sampler2D ${name};`),
  ];
  // GLSL cannot concatenate names, so that every texture has reader functions of its own.
  const fetch = (name: string, i: string, layer?: string): string => {
    const at = `spot(${i}, ${name}_bits${even ? `, ${name}_scale` : ""})`;
    const place = layer === undefined ? at : `${even ? "vec3" : "ivec3"}(${at}, ${layer})`;
    return even ? `texture(${name}, ${place})` : `texelFetch(${name}, ${place}, 0)`;
  };
  const readers = [
    ...tensors.flatMap((name) => [
      `#define texel_${name}(i, layer) ${fetch(name, "i", "layer")}`,
      `#define at_${name}(row, group) texel_${name}(((row) >> 2) * ${name}_width + (group), (row) & 3)`,
    ]),
    ...weights.flatMap((name) => [
      `#define weight_${name}(i) ${fetch(name, "i")}`,
      `#define block_${name}(i) block(${name}, spot(i, ${name}_bits${even ? `, ${name}_scale), ${name}_scale.x` : ")"})`,
    ]),
  ].join("\n");
  const textures = [...tensors, ...weights];
  const places = textures.flatMap((name) => [
    `  ${name}_bits = ivec2((1 << ${name}_shift) - 1, ${name}_shift);`,
    ...(even ? [`  ${name}_scale = 1.0 / vec2(textureSize(${name}, 0).xy);`] : []),
  ]);
  return `#version 300 es
precision highp float;
precision highp int;
layout(std140) uniform Numbers { ivec4 numbers[${Math.ceil((ints.length + floats.length) / 4)}]; };
${lines.join("\n")}
layout(location = 0) out vec4 out0;
layout(location = 1) out vec4 out1;
layout(location = 2) out vec4 out2;
layout(location = 3) out vec4 out3;
${even ? EVEN : FETCH}${textures.map((name) => `ivec2 ${name}_bits;${even ? ` vec2 ${name}_scale;` : ""}\n`).join("")}${readers}
${calls(head)}
void main() {
${places.join("\n")}
  int index = (int(gl_FragCoord.y) << out_shift) + int(gl_FragCoord.x);
  int group = index % outWidth;
  int row = (index / outWidth) << 2;
  ${body.includes("y[r]") ? "vec4 y[4];" : "vec4 y0, y1, y2, y3;"}
${registers(calls(body))}
${masked ? MASK : ""}${registers(
    eachRow((r) => `  out${r} = ${masked ? `mix(y[${r}], vec4(0), past_)` : `y[${r}]`};`),
    body,
  )}
}`;
}

/** Where no loop indexes `y`, it is replaced by four variables. */
const registers = (code: string, body = code): string =>
  body.includes("y[r]") ? code : code.replace(/\by\[([0-3])\]/g, "y$1");

/**
 * Expands `at(x, row, group)`, `texel(x, i, layer)`, `weight(w, i)` and `block(w, i)` in a
 * program's code.
 */
const calls = (code: string): string =>
  code.replace(/\b(at|texel|weight|block)\((\w+), /g, "$1_$2(");

/**
 * The position of texel `i`; `bits` are a mask for the column and a shift for the line. A block
 * never crosses a line of the texture.
 */
const FETCH = `ivec2 spot(int i, ivec2 bits) { return ivec2(i & bits.x, i >> bits.y); }
mat4 block(highp sampler2D w, ivec2 p) {
  return mat4(texelFetch(w, p, 0), texelFetch(w, p + ivec2(1, 0), 0),
    texelFetch(w, p + ivec2(2, 0), 0), texelFetch(w, p + ivec2(3, 0), 0));
}
`;

/** The same in coordinates from 0 to 1, at the centre of the texel. */
const EVEN = `vec2 spot(int i, ivec2 bits, vec2 unit) {
  return (vec2(i & bits.x, i >> bits.y) + 0.5) * unit;
}
mat4 block(highp sampler2D w, vec2 p, float next) {
  return mat4(texture(w, p), texture(w, p + vec2(next, 0)),
    texture(w, p + vec2(2.0 * next, 0)), texture(w, p + vec2(3.0 * next, 0)));
}
`;

/** Zeroes the lanes past the last channel. */
const MASK = `  bvec4 past_ = greaterThanEqual(ivec4(0, 1, 2, 3) + (group << 2), ivec4(outChannels));
`;

export class Program {
  readonly source: ProgramSource;
  private handle: WebGLProgram | null = null;
  private generation = -1;
  private isChecked = false;

  constructor(
    private readonly device: Device,
    source: ProgramSource,
  ) {
    this.source = source;
  }

  /** Starts to compile, in the background if the browser can. */
  start(): void {
    const { device } = this;
    if (this.generation === device.generation) return;
    const { gl } = device;
    const program = gl.createProgram();
    for (const [type, text] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, fragmentSource(this.source)],
    ] as const) {
      const shader = gl.createShader(type)!;
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader); // it lives as long as the program
    }
    gl.linkProgram(program);
    this.handle = program;
    this.generation = device.generation;
    this.isChecked = false;
  }

  /** Whether it is compiled and checked. */
  get isUsable(): boolean {
    return this.isChecked && this.generation === this.device.generation;
  }

  /** Whether it could be used without waiting; also true if the browser cannot tell. */
  get isReady(): boolean {
    const { gl, limits } = this.device;
    if (this.handle === null || this.isChecked || limits.parallelCompile === null) return true;
    return (
      gl.getProgramParameter(this.handle, limits.parallelCompile.COMPLETION_STATUS_KHR) === true
    );
  }

  /** The linked program with its samplers set. Waits for the compiler if necessary. */
  get(): WebGLProgram {
    return this.isUsable ? this.handle! : this.finish();
  }

  /**
   * Separate from `get`, which every draw calls: closures in here would be allocated at each call.
   */
  private finish(): WebGLProgram {
    this.start();
    const { gl } = this.device;
    const program = this.handle!;
    if (gl.getProgramParameter(program, gl.LINK_STATUS) !== true && !gl.isContextLost()) {
      const logs = (gl.getAttachedShaders(program) ?? []).map((shader) => gl.getShaderInfoLog(shader)); // prettier-ignore
      throw new WebGLUnsupportedError(
        `this GPU's compiler refuses a shader: ${[gl.getProgramInfoLog(program), ...logs].join(" ").trim()}`,
      );
    }
    gl.useProgram(program);
    const { tensors, weights = [] } = this.source;
    [...tensors, ...weights].forEach((name, unit) => {
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
    });
    const block = gl.getUniformBlockIndex(program, "Numbers");
    if (block !== gl.INVALID_INDEX) gl.uniformBlockBinding(program, block, 0);
    this.isChecked = true;
    return program;
  }
}

/** The programs of a device, one for each source. */
export class ProgramCache {
  private readonly programs = new Map<string, Program>();
  private readonly known = new WeakMap<ProgramSource, Program>();

  private readonly rehearsal: Rehearsal;

  constructor(private readonly device: Device) {
    this.rehearsal = new Rehearsal(device);
  }

  get size(): number {
    return this.programs.size;
  }

  get(source: ProgramSource): Program {
    let known = this.known.get(source);
    if (known === undefined) this.known.set(source, (known = this.find(source)));
    return known;
  }

  private find(source: ProgramSource): Program {
    const key = fragmentSource(source);
    let program = this.programs.get(key);
    if (program === undefined) this.programs.set(key, (program = new Program(this.device, source)));
    return program;
  }

  /**
   * Resolves when all programs are compiled, without blocking the page. By then each has drawn a
   * pixel, because drivers leave some work to the first draw.
   */
  async ready(onProgress?: (done: number, total: number) => void): Promise<void> {
    const waiting = new Set([...this.programs.values()].filter((program) => !program.isUsable));
    const total = waiting.size;
    for (const program of waiting) program.start();
    onProgress?.(0, total);
    while (waiting.size > 0) {
      const program = [...waiting].find(({ isReady }) => isReady);
      if (program === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 4));
        continue;
      }
      waiting.delete(program);
      program.get();
      this.rehearsal.run(program);
      await this.device.finished();
      onProgress?.(total - waiting.size, total);
    }
  }
}
