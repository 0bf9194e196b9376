/** A small WebAssembly assembler: kernels are emitted at run time, so no .wasm file is shipped. */
import { type Code, moduleBytes, simd, sized, text, uleb, vector } from "../../../wasm/encode.js";
import { F32, f32, I32, i32, constants, store, V128 } from "./values.js";

const TYPE = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
type TypeName = keyof typeof TYPE;
/** Of the parameters of a function, in order. */
export type Types = readonly TypeName[];

interface Settable {
  readonly index: number;
}
export class I32Var extends I32 implements Settable {
  constructor(
    private readonly owner: FunctionBuilder,
    readonly index: number,
  ) {
    super([0x20, uleb(index)]);
  }
  set(value: I32 | number): void {
    this.owner.emit(i32(value).code, [0x21, uleb(this.index)]);
  }
}
export class F32Var extends F32 implements Settable {
  constructor(
    private readonly owner: FunctionBuilder,
    readonly index: number,
  ) {
    super([0x20, uleb(index)]);
  }
  set(value: F32 | number): void {
    this.owner.emit(f32(value).code, [0x21, uleb(this.index)]);
  }
}
export class V128Var extends V128 implements Settable {
  constructor(
    private readonly owner: FunctionBuilder,
    readonly index: number,
  ) {
    super([0x20, uleb(index)]);
  }
  set(value: V128): void {
    this.owner.emit(value.code, [0x21, uleb(this.index)]);
  }
}

interface VariableOf {
  i32: I32Var;
  f32: F32Var;
}

/** A function under construction: variables, and statements in the order in which they are given. */
export class FunctionBuilder {
  readonly locals: TypeName[] = [];
  /** Constants by their bytes, and what sets them. */
  private readonly constants = new Map<string, V128Var>();
  private readonly prologue: Code[] = [];
  code: (number | Code)[] = [this.prologue];

  constructor(
    readonly parameters: readonly TypeName[],
    private readonly module: ModuleBuilder,
  ) {}

  /** A variable that is set before all else: some engines make constants anew in every turn of a loop. */
  constant({ code }: V128): V128Var {
    const key = String(code);
    let variable = this.constants.get(key);
    if (!variable) {
      variable = new V128Var(this, this.declare("v128"));
      this.constants.set(key, variable);
      this.prologue.push(code, [0x21, uleb(variable.index)]);
    }
    return variable;
  }

  emit(...code: Code[]): void {
    this.code.push(code);
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

  /** `a·b + c`, in one rounding where the build has relaxed SIMD. */
  madd(a: V128, b: V128, c: V128): V128 {
    if (!this.module.fma) return a.mul(b).add(c);
    return new V128([a.code, b.code, c.code, simd(0x105)]);
  }

  storeF32(address: I32, value: F32, offset = 0): void {
    this.emit(store.f32(address, value, offset));
  }
  store(address: I32, value: V128, offset = 0): void {
    this.emit(store.v128(address, value, offset));
  }
  /** Stores the first `count` lanes, 1 to 3 of them. */
  storeSome(address: I32, value: V128, count: I32): void {
    const v = this.v128(value);
    this.if(
      count.and(2),
      () => {
        this.emit(store.pair(address, v, 0));
        this.if(count.and(1), () => this.emit(store.lane(address, v, 2, 8)));
      },
      () => this.emit(store.lane(address, v, 0)),
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
    const no = otherwise ? [0x05, this.inside(otherwise)] : [];
    this.emit(condition.code, [0x04, 0x40], yes, no, [0x0b]);
  }
  /** Runs the body, then again while the condition holds. */
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
  /** Calls a function of one number, lane by lane, from the JavaScript side. */
  callImport(name: string, ...args: F32[]): F32 {
    const index = this.module.importMath(name, args.length);
    return new F32([...args.map(({ code }) => code), 0x10, uleb(index)]);
  }

  /** Calls a function that the module has already. */
  call(name: string, ...args: (I32 | F32)[]): void {
    this.emit(...args.map(({ code }) => code), this.module.callOf(name));
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
  /** The maximum of a shared memory, in pages; absent if the memory is not shared. */
  sharedPages?: number | undefined;
  /** The functions that are wanted; the others are left out. */
  only?: readonly string[] | undefined;
}

/** A module that imports its memory as `env.memory`, and Math's functions by name. */
export class ModuleBuilder {
  readonly fma: boolean;
  private readonly sharedPages: number | undefined;
  private readonly only: readonly string[] | undefined;
  private readonly functions: { name: string; builder: FunctionBuilder }[] = [];
  private readonly imports = new Map<string, { index: number; arity: number }>();
  /** Which function is called, and the instruction, which gets its index when all imports are known. */
  private readonly calls: { to: number; code: number[] }[] = [];

  constructor({ fma, sharedPages, only }: ModuleOptions) {
    this.fma = fma;
    this.only = only;
    this.sharedPages = sharedPages;
  }

  /** Adds an exported function without results. */
  function<P extends Parameters>(
    name: string,
    parameters: P,
    body: (f: FunctionBuilder, variables: Variables<P>) => void,
  ): void {
    if (this.only && !this.only.includes(name)) return;
    const builder = new FunctionBuilder(Object.values(parameters), this);
    const entries = Object.entries(parameters).map(([key, type], index) => [
      key,
      type === "i32" ? new I32Var(builder, index) : new F32Var(builder, index),
    ]);
    constants.keep = (constant) => builder.constant(constant);
    body(builder, Object.fromEntries(entries) as Variables<P>);
    this.functions.push({ name, builder });
  }

  importMath(name: string, arity: number): number {
    const known = this.imports.get(name);
    if (known) return known.index;
    const index = this.imports.size;
    this.imports.set(name, { index, arity });
    return index;
  }

  callOf(name: string): Code {
    const code = [0x10];
    this.calls.push({ to: this.functions.findIndex((one) => one.name === name), code });
    return code;
  }

  /** What its functions take, in the order of its exports. */
  get types(): Types[] {
    return this.functions.map(({ builder }) => builder.parameters);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const imported = [...this.imports];
    for (const { to, code } of this.calls) code.push(...uleb(imported.length + to));
    const signature = (parameters: readonly TypeName[], results: readonly TypeName[]): Code => [
      0x60,
      vector(parameters.map((type) => [TYPE[type]])),
      vector(results.map((type) => [TYPE[type]])),
    ];
    const types = [
      ...imported.map(([, { arity }]) => signature(Array<TypeName>(arity).fill("f32"), ["f32"])),
      ...this.functions.map(({ builder }) => signature(builder.parameters, [])),
    ];
    const limits =
      this.sharedPages === undefined ? [0, uleb(1)] : [3, uleb(1), uleb(this.sharedPages)];
    const imports = [
      ...imported.map(([name], i): Code => [text("math"), text(name), 0, uleb(i)]),
      [text("env"), text("memory"), 2, limits],
    ];
    const first = imported.length;
    const declared = this.functions.map((_, i) => uleb(first + i));
    const exports = this.functions.map(({ name }, i): Code => [text(name), 0, uleb(first + i)]);
    const bodies = this.functions.map(({ builder }) =>
      sized([vector(builder.locals.map((type) => [1, TYPE[type]])), builder.code, [0x0b]]),
    );
    return moduleBytes([
      [1, vector(types)],
      [2, vector(imports)],
      [3, vector(declared)],
      [7, vector(exports)],
      [10, vector(bodies)],
    ]);
  }
}
