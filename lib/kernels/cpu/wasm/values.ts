/**
 * Typed WebAssembly expressions: each holds the bytes that leave its value on the stack. Kernels
 * use them like numbers: `pointer.add(16)`, `x.sub(mean).mul(scale)`.
 *
 * @see https://webassembly.github.io/spec/core/binary/instructions.html
 */
import { bytesOf, type Code, join, simd, sleb, uleb } from "../../../wasm/encode.js";

/** The alignment that the engine is told: addresses are multiples of 4. */
const memory = (offset: number): Code => [2, ...uleb(offset)];

export class I32 {
  constructor(readonly code: Code) {}

  add(other: I32 | number): I32 {
    return other === 0 ? this : this.with(other, 0x6a);
  }
  sub(other: I32 | number): I32 {
    return this.with(other, 0x6b);
  }
  mul(other: I32 | number): I32 {
    return this.with(other, 0x6c);
  }
  /** Unsigned division. */
  div(other: I32 | number): I32 {
    return this.with(other, 0x6e);
  }
  and(other: I32 | number): I32 {
    return this.with(other, 0x71);
  }
  shl(bits: number): I32 {
    return this.with(bits, 0x74);
  }
  /** Shifts the bits right and fills with zeros. */
  shr(bits: number): I32 {
    return this.with(bits, 0x76);
  }
  eq(other: I32 | number): I32 {
    return this.with(other, 0x46);
  }
  ne(other: I32 | number): I32 {
    return this.with(other, 0x47);
  }
  lt(other: I32 | number): I32 {
    return this.with(other, 0x48);
  }
  /** Unsigned comparison: `0 <= this && this < other`. */
  below(other: I32 | number): I32 {
    return this.with(other, 0x49);
  }
  gt(other: I32 | number): I32 {
    return this.with(other, 0x4a);
  }
  ge(other: I32 | number): I32 {
    return this.with(other, 0x4e);
  }
  /** `this ? yes : no`, both evaluated. */
  select(yes: I32 | number, no: I32 | number): I32 {
    return new I32(i32(yes).code.concat(i32(no).code, this.code, [0x1b]));
  }
  min(other: I32 | number): I32 {
    return this.lt(other).select(this, other);
  }
  toF32(): F32 {
    return new F32(this.code.concat([0xb2]));
  }
  splat(): V128 {
    return new V128(this.code.concat(simd(0x11)));
  }

  /** The value in memory at this address. */
  load(offset = 0): I32 {
    return new I32(this.code.concat([0x28], memory(offset)));
  }
  loadF32(offset = 0): F32 {
    return new F32(this.code.concat([0x2a], memory(offset)));
  }
  loadV128(offset = 0): V128 {
    return new V128(this.code.concat(simd(0), memory(offset)));
  }
  /** One float in all four lanes. */
  loadSplat(offset = 0): V128 {
    return new V128(this.code.concat(simd(9), memory(offset)));
  }
  /** One float in lane 0, zeros in the others. */
  loadLow(offset = 0): V128 {
    return new V128(this.code.concat(simd(0x5c), memory(offset)));
  }

  private with(other: I32 | number, op: number): I32 {
    return new I32(this.code.concat(i32(other).code, [op]));
  }
}

export class F32 {
  constructor(readonly code: Code) {}

  add(other: F32 | number): F32 {
    return this.with(other, 0x92);
  }
  mul(other: F32 | number): F32 {
    return this.with(other, 0x94);
  }
  /** The bits as an integer. */
  bits(): I32 {
    return new I32(this.code.concat([0xbc]));
  }
  splat(): V128 {
    return new V128(this.code.concat(simd(0x13)));
  }

  private with(other: F32 | number, op: number): F32 {
    return new F32(this.code.concat(f32(other).code, [op]));
  }
}

/** Four floats, or their bits; comparisons give lanes of all ones or all zeros. */
export class V128 {
  constructor(readonly code: Code) {}

  add(other: V128 | number): V128 {
    return this.with(other, 0xe4);
  }
  sub(other: V128 | number): V128 {
    return this.with(other, 0xe5);
  }
  mul(other: V128 | number): V128 {
    return this.with(other, 0xe6);
  }
  div(other: V128 | number): V128 {
    return this.with(other, 0xe7);
  }
  /** NaN if one is NaN. */
  min(other: V128 | number): V128 {
    return this.with(other, 0xe8);
  }
  /** NaN if one is NaN. */
  max(other: V128 | number): V128 {
    return this.with(other, 0xe9);
  }
  /** `this < other ? other : this` in one instruction: keeps a NaN of this, not one of the other. */
  atLeast(other: V128 | number): V128 {
    return this.with(other, 0xeb);
  }
  /** `other < this ? other : this` in one instruction: keeps a NaN of this, not one of the other. */
  atMost(other: V128 | number): V128 {
    return this.with(other, 0xea);
  }
  eq(other: V128 | number): V128 {
    return this.with(other, 0x41);
  }
  ne(other: V128 | number): V128 {
    return this.with(other, 0x42);
  }
  lt(other: V128 | number): V128 {
    return this.with(other, 0x43);
  }
  gt(other: V128 | number): V128 {
    return this.with(other, 0x44);
  }
  le(other: V128 | number): V128 {
    return this.with(other, 0x45);
  }
  ge(other: V128 | number): V128 {
    return this.with(other, 0x46);
  }
  abs(): V128 {
    return this.unary(0xe0);
  }
  neg(): V128 {
    return this.unary(0xe1);
  }
  sqrt(): V128 {
    return this.unary(0xe3);
  }
  ceil(): V128 {
    return this.unary(0x67);
  }
  floor(): V128 {
    return this.unary(0x68);
  }
  /** Converts integers to floats. */
  toFloat(): V128 {
    return this.unary(0xfa);
  }

  and(other: V128): V128 {
    return this.with(other, 0x4e);
  }
  andNot(other: V128): V128 {
    return this.with(other, 0x4f);
  }
  or(other: V128): V128 {
    return this.with(other, 0x50);
  }
  /** The bits of `yes` where the bits of this are 1, and those of `no` elsewhere. */
  select(yes: V128 | number, no: V128 | number): V128 {
    return new V128(v128(yes).code.concat(v128(no).code, this.code, simd(0x52)));
  }
  intAdd(other: V128): V128 {
    return this.with(other, 0xae);
  }
  intSub(other: V128): V128 {
    return this.with(other, 0xb1);
  }
  intLt(other: V128): V128 {
    return this.with(other, 0x39);
  }
  intShl(bits: number): V128 {
    return new V128(this.code.concat(i32(bits).code, simd(0xab)));
  }
  /** Shifts right and keeps the sign. */
  intShr(bits: number): V128 {
    return new V128(this.code.concat(i32(bits).code, simd(0xac)));
  }
  /** The low (or high) four of eight 16-bit integers, as 32-bit ones. */
  widenInt16(half: "low" | "high", signed: boolean): V128 {
    return this.unary((half === "low" ? 0xa7 : 0xa8) + (signed ? 0 : 2));
  }
  /** The low (or high) eight of sixteen signed bytes, as 16-bit integers. */
  widenInt8(half: "low" | "high"): V128 {
    return this.unary(half === "low" ? 0x87 : 0x88);
  }

  lane(index: number): F32 {
    return new F32(this.code.concat(simd(0x1f), [index]));
  }
  replaceLane(index: number, value: F32): V128 {
    return new V128(this.code.concat(value.code, simd(0x20), [index]));
  }
  /** Loads one float from memory into a lane. */
  loadLane(index: number, address: I32, offset = 0): V128 {
    return new V128(address.code.concat(this.code, simd(0x56), memory(offset), [index]));
  }
  /** Picks lanes: 0 to 3 are those of this, 4 to 7 those of the other. */
  shuffle(other: V128, lanes: readonly [number, number, number, number]): V128 {
    const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((i) => lane * 4 + i));
    return new V128(this.code.concat(other.code, simd(0x0d), bytes));
  }

  private unary(op: number): V128 {
    return new V128(this.code.concat(simd(op)));
  }
  private with(other: V128 | number, op: number): V128 {
    return new V128(this.code.concat(v128(other).code, simd(op)));
  }
}

export function i32(value: I32 | number): I32 {
  return typeof value === "number" ? new I32(join([0x41], sleb(value))) : value;
}

export function f32(value: F32 | number): F32 {
  return typeof value === "number" ? new F32(join([0x43], bytesOf(Float32Array.of(value)))) : value;
}

/** Makes the four lanes of a constant. */
export type Lanes = () => Float32Array | Int32Array;

/** How constants are emitted; the function under construction decides. */
export const constants = {
  keep: (_key: number | string, lanes: Lanes): V128 => new V128(laneCode(lanes)),
};

export const laneCode = (lanes: Lanes): Code => join(simd(0x0c), bytesOf(lanes()));

/** A number in all four lanes. */
export function v128(value: V128 | number): V128 {
  if (typeof value !== "number") return value;
  const key = Object.is(value, -0) ? "-0" : value;
  return constants.keep(key, () => new Float32Array(4).fill(value));
}

/** Integers in the four lanes; a single one fills all lanes. */
export function intLanes(...values: number[]): V128 {
  const lane = (_: unknown, i: number): number => values[i % values.length]!;
  return constants.keep(`int ${values.join()}`, () => Int32Array.from({ length: 4 }, lane));
}

const put =
  (...op: number[]) =>
  (address: I32, value: F32 | V128, offset: number, ...lane: number[]): Code =>
    address.code.concat(value.code, op, memory(offset), lane);

export const store = {
  f32: put(0x38),
  v128: put(...simd(0x0b)),
  /** One lane, 4 bytes. */
  lane: put(...simd(0x5a)),
  /** Two lanes, 8 bytes: lanes 0 and 1 for 0, 2 and 3 for 1. */
  pair: put(...simd(0x5b)),
};
