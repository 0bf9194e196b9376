/** A small WebAssembly assembler: kernels are emitted at run time, so no .wasm file is shipped. */
import {
  type Code,
  join,
  moduleBytes,
  simd,
  sized,
  text,
  uleb,
  vector,
} from "../../../wasm/encode.js";
import { constants, F32, f32, I32, i32, laneCode, type Lanes, store, V128 } from "./values.js";

const TYPE = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
type TypeName = keyof typeof TYPE;
/** The types of a function's parameters, in order. */
export type Types = readonly TypeName[];

export class I32Var extends I32 {
  constructor(
    private readonly owner: FunctionBuilder,
    readonly index: number,
  ) {
    super([0x20, ...uleb(index)]);
  }
  set(value: I32 | number): void {
    this.owner.emit(i32(value).code, [0x21, ...uleb(this.index)]);
  }
}
export class F32Var extends F32 {
  constructor(
    private readonly owner: FunctionBuilder,
    readonly index: number,
  ) {
    super([0x20, ...uleb(index)]);
  }
  set(value: F32 | number): void {
    this.owner.emit(f32(value).code, [0x21, ...uleb(this.index)]);
  }
}
export class V128Var extends V128 {
  constructor(
    private readonly owner: FunctionBuilder,
    readonly index: number,
  ) {
    super([0x20, ...uleb(index)]);
  }
  set(value: V128): void {
    this.owner.emit(value.code, [0x21, ...uleb(this.index)]);
  }
}

interface VariableOf {
  i32: I32Var;
  f32: F32Var;
}

/** A function under construction: its variables, and statements in the order of the calls. */
export class FunctionBuilder {
  readonly locals: TypeName[] = [];
  /** Constants by their values, with the variables that hold them. */
  private readonly constants = new Map<number | string, V128Var>();
  private readonly prologue: number[] = [];
  private code: number[] = [];

  /** Imported functions of Math by name, with the number of their arguments. */
  private readonly imports = new Map<string, number>();

  constructor(
    private readonly parameters: Types,
    private readonly fma: boolean,
  ) {}

  /**
   * A variable that is set at the start of the function: some engines recompute constants in every
   * iteration.
   */
  constant(key: number | string, lanes: Lanes): V128Var {
    let variable = this.constants.get(key);
    if (!variable) {
      variable = new V128Var(this, this.declare("v128"));
      this.constants.set(key, variable);
      this.prologue.push(...laneCode(lanes), 0x21, ...uleb(variable.index));
    }
    return variable;
  }

  emit(...codes: Code[]): void {
    this.code.push(...join(...codes));
  }

  /** A new integer variable. */
  i32(value?: I32 | number): I32Var {
    const variable = new I32Var(this, this.declare("i32"));
    if (value !== undefined) variable.set(value);
    return variable;
  }
  f32(value?: F32 | number): F32Var {
    const variable = new F32Var(this, this.declare("f32"));
    if (value !== undefined) variable.set(value);
    return variable;
  }
  v128(value?: V128): V128Var {
    const variable = new V128Var(this, this.declare("v128"));
    if (value !== undefined) variable.set(value);
    return variable;
  }
  vectors(count: number): V128Var[] {
    return Array.from({ length: count }, () => this.v128());
  }

  /** `a·b + c`, with a single rounding if the build has relaxed SIMD. */
  madd(a: V128, b: V128, c: V128): V128 {
    if (!this.fma) return a.mul(b).add(c);
    return new V128(a.code.concat(b.code, c.code, simd(0x105)));
  }

  storeF32(address: I32, value: F32, offset = 0): void {
    this.emit(store.f32(address, value, offset));
  }
  store(address: I32, value: V128, offset = 0): void {
    this.emit(store.v128(address, value, offset));
  }
  /** Stores the first `count` lanes, for a count of 1 to 3. */
  storeSome(address: I32, value: V128, count: I32): void {
    const v = this.v128(value);
    this.if(
      count.and(2),
      () => {
        this.emit(store.pair(address, v, 0, 0));
        this.if(count.and(1), () => this.emit(store.lane(address, v, 8, 2)));
      },
      () => this.emit(store.lane(address, v, 0, 0)),
    );
  }
  /** Stores the first `count` lanes, at least one, and all four for larger counts. */
  storeUpTo(address: I32, value: V128, count: I32): void {
    this.if(
      count.ge(4),
      () => this.store(address, value),
      () => this.storeSome(address, value, count),
    );
  }
  /** Copies bytes; regions may overlap. */
  copyBytes(to: I32, from: I32, bytes: I32): void {
    this.emit(to.code, from.code, bytes.code, [0xfc, 10, 0, 0]);
  }
  fillBytes(to: I32, bytes: I32): void {
    this.emit(to.code, i32(0).code, bytes.code, [0xfc, 11, 0]);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    const yes = this.inside(then);
    const no = otherwise ? join([0x05], this.inside(otherwise)) : [];
    this.emit(condition.code, [0x04, 0x40], yes, no, [0x0b]);
  }
  /** Runs the body once, and again while the condition holds. */
  doWhile(body: () => void, condition: () => I32): void {
    const code = this.inside(() => {
      body();
      this.emit(condition().code, [0x0d, 0]);
    });
    this.emit([0x03, 0x40], code, [0x0b]);
  }
  /** `for (; i < end; i += step)`; the variable keeps its value afterwards. */
  for(i: I32Var, end: I32 | number, step: I32 | number, body: () => void): void {
    this.if(i.lt(end), () =>
      this.doWhile(
        () => {
          body();
          i.set(i.add(step));
        },
        () => i.lt(end),
      ),
    );
  }
  /** Calls a JavaScript function of numbers. */
  callImport(name: string, ...args: F32[]): F32 {
    this.imports.set(name, args.length);
    const index = [...this.imports.keys()].indexOf(name);
    return new F32(join(...args.map(({ code }) => code), [0x10, ...uleb(index)]));
  }

  /** The function as a module of its own. */
  bytes(sharedPages: number | undefined): Uint8Array<ArrayBuffer> {
    const imported = [...this.imports];
    const list = (types: Types): Code => vector(types.map((type) => [TYPE[type]]));
    const signature = (parameters: Types, results: Types): Code =>
      join([0x60], list(parameters), list(results));
    const types = [
      ...imported.map(([, arity]) => signature(Array<TypeName>(arity).fill("f32"), ["f32"])),
      signature(this.parameters, []),
    ];
    const limits = sharedPages === undefined ? [0, 1] : [3, 1, ...uleb(sharedPages)];
    const imports = [
      ...imported.map(([name], i) => join(text("math"), text(name), [0], uleb(i))),
      join(text("env"), text("memory"), [2], limits),
    ];
    const own = uleb(imported.length);
    const locals = vector(this.locals.map((type) => [1, TYPE[type]]));
    return moduleBytes([
      [1, vector(types)],
      [2, vector(imports)],
      [3, vector([own])],
      [7, vector([join(text(""), [0], own)])],
      [10, vector([sized(join(locals, this.prologue, this.code, [0x0b]))])],
    ]);
  }

  private declare(type: TypeName): number {
    return this.parameters.length + this.locals.push(type) - 1;
  }
  private inside(body: () => void): Code {
    const outer = this.code;
    this.code = [];
    body();
    const code = this.code;
    this.code = outer;
    return code;
  }
}

type Parameters = Record<string, "i32" | "f32">;
type Variables<P extends Parameters> = { [K in keyof P]: VariableOf[P[K]] };

export interface ModuleOptions {
  /** Whether relaxed-SIMD instructions may be used. */
  fma: boolean;
  /** The maximal size of a shared memory in pages; absent if the memory is not shared. */
  sharedPages?: number | undefined;
}

/** A module with one function, which is exported under an empty name. */
export interface Emitted {
  bytes: Uint8Array<ArrayBuffer>;
  types: Types;
}

/**
 * A family of functions without results. Each is emitted when it is first needed, as a module of
 * its own, because models need few of them. Modules import their memory as `env.memory`, and
 * functions of Math by name.
 */
export class ModuleBuilder {
  readonly fma: boolean;
  readonly functions = new Map<string, () => Emitted>();
  private readonly sharedPages: number | undefined;

  constructor({ fma, sharedPages }: ModuleOptions) {
    this.fma = fma;
    this.sharedPages = sharedPages;
  }

  /** Adds a function. */
  function<P extends Parameters>(
    name: string,
    parameters: P,
    body: (f: FunctionBuilder, variables: Variables<P>) => void,
  ): void {
    this.functions.set(name, () => {
      const types = Object.values(parameters);
      const builder = new FunctionBuilder(types, this.fma);
      const entries = Object.entries(parameters).map(([key, type], index) => [
        key,
        type === "i32" ? new I32Var(builder, index) : new F32Var(builder, index),
      ]);
      constants.keep = (key, lanes) => builder.constant(key, lanes);
      body(builder, Object.fromEntries(entries) as Variables<P>);
      return { bytes: builder.bytes(this.sharedPages), types };
    });
  }
}
