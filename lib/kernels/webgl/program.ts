/** Shaders: one source for each kind of program, compiled once a device, ready or still compiling. */
import { type Device, WebGLUnsupportedError } from "./device.js";
import { Rehearsal } from "./rehearsal.js";

/**
 * A program: what it reads, the numbers that it is told, and the body of its `main`.
 *
 * The body finds `row`, the first of the four rows that it writes, `group`, the texel among the
 * row's channels, `outWidth` texels a row and `outRows` rows; it sets `y[0]` to `y[3]`. Numbers are
 * uniforms, so that one program serves all sizes.
 */
export interface ProgramSource {
  /** Textures of tensors, by name; each comes with `NAME_shift` and `NAME_width`, texels a row. */
  readonly tensors: readonly string[];
  /** Flat textures of weights, by name; each comes with `NAME_shift`. */
  readonly weights?: readonly string[];
  /** Whole numbers. */
  readonly ints?: readonly string[];
  readonly floats?: readonly string[];
  /** Functions and constants before `main`. */
  readonly head?: string;
  readonly body: string;
  /** Channels are not a multiple of four: zero the lanes that belong to none. */
  readonly masked?: boolean;
}

/**
 * The same code for each of the four rows. Written out, since a loop would index `y` by its
 * variable, and an array that is indexed so lies in memory instead of in registers.
 */
export const eachRow = (code: (r: number) => string): string => [0, 1, 2, 3].map(code).join("\n");

const VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(4 * (gl_VertexID & 1) - 1, 2 * (gl_VertexID & 2) - 1, 0, 1);
}`;

/** In the order in which a launch writes its numbers: every tensor's, every weight's, its own. */
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

/** The whole fragment shader. */
export function fragmentSource(source: ProgramSource): string {
  const { tensors, weights = [], head = "", body, masked = false } = source;
  const { ints, floats } = numberNames(source);
  const define = (name: string, i: number, convert: string): string =>
    `#define ${name} ${convert}(numbers[${i >> 2}].${"xyzw"[i & 3]})`;
  const lines = [
    ...ints.map((name, i) => define(name, i, "")),
    ...floats.map((name, i) => define(name, ints.length + i, "intBitsToFloat")),
    ...tensors.map((name) => `uniform highp sampler2DArray ${name};`),
    ...weights.map((name) => `uniform highp sampler2D ${name};`),
  ];
  // GLSL cannot join names: every texture has readers of its own.
  const readers = [
    ...tensors.map(
      (name) =>
        `#define at_${name}(row, group) texelFetch(${name}, ivec3(place(((row) >> 2) * ${name}_width + (group), ${name}_shift), (row) & 3), 0)`,
    ),
    ...weights.map(
      (name) => `#define weight_${name}(i) texelFetch(${name}, place(i, ${name}_shift), 0)`,
    ),
  ].join("\n");
  return `#version 300 es
precision highp float;
precision highp int;
layout(std140) uniform Numbers { ivec4 numbers[${Math.ceil((ints.length + floats.length) / 4)}]; };
${lines.join("\n")}
layout(location = 0) out vec4 out0;
layout(location = 1) out vec4 out1;
layout(location = 2) out vec4 out2;
layout(location = 3) out vec4 out3;
ivec2 place(int i, int shift) { return ivec2(i & ((1 << shift) - 1), i >> shift); }
${readers}
${calls(head)}
void main() {
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

/** Where no loop indexes `y`, it is four variables. */
const registers = (code: string, body = code): string =>
  body.includes("y[r]") ? code : code.replace(/\by\[([0-3])\]/g, "y$1");

/** `at(x, row, group)` and `weight(w, i)` as they are written in programs. */
const calls = (code: string): string => code.replace(/\b(at|weight)\((\w+), /g, "$1_$2(");

/** Lanes past the last channel stay 0, whatever was computed in them. */
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

  /** Starts the compilation, in the background where the browser can. */
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
      gl.deleteShader(shader); // lives as long as the program
    }
    gl.linkProgram(program);
    this.handle = program;
    this.generation = device.generation;
    this.isChecked = false;
  }

  /** Whether it is compiled and has been looked at. */
  get isUsable(): boolean {
    return this.isChecked && this.generation === this.device.generation;
  }

  /** Whether it would be had without waiting; a browser that cannot say, says yes. */
  get isReady(): boolean {
    const { gl, limits } = this.device;
    if (this.handle === null || this.isChecked || limits.parallelCompile === null) return true;
    return (
      gl.getProgramParameter(this.handle, limits.parallelCompile.COMPLETION_STATUS_KHR) === true
    );
  }

  /** The linked program, its samplers set. Waits for the compiler if need be. */
  get(): WebGLProgram {
    this.start();
    const { gl } = this.device;
    const program = this.handle!;
    if (this.isChecked) return program;
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

/** The programs of a device, each source once. */
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
   * Resolves when all programs are compiled, without holding up the page. Each has drawn a pixel
   * then: what a driver leaves to the first draw is done, too.
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
