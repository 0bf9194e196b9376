/**
 * A chain of elementwise operations as one function: one pass over memory, however long the chain.
 */
import type { ElementwiseOp, ElementwiseStep } from "../elementwise-ops.js";
import { erf, exp, expm1, log, log1p, sigmoid, tanh } from "./math.js";
import type { FunctionBuilder, I32Var, ModuleBuilder } from "./module.js";
import { simd } from "../../../wasm/encode.js";
import { store, V128, v128 } from "./values.js";

type Emit = (f: FunctionBuilder, ...operands: V128[]) => V128;

/** 1 where the mask is set, 0 elsewhere. */
const asBool = (mask: V128): V128 => mask.and(v128(1));

/**
 * A function of JavaScript's Math for each lane: slow and exact, for functions that models hardly
 * ever use.
 */
const math =
  (name: string): Emit =>
  (f, ...operands) => {
    const result = f.v128(v128(0));
    for (let lane = 0; lane < 4; lane += 1) {
      const value = f.callImport(name, ...operands.map((operand) => operand.lane(lane)));
      result.set(result.replaceLane(lane, value));
    }
    return result;
  };

/** An operation that is one instruction on integers. */
const integer =
  (op: number): Emit =>
  (_, ...operands) =>
    new V128([...operands.flatMap(({ code }) => [...code]), ...simd(op)]);

const compared =
  (op: number): Emit =>
  (f, a, b) =>
    asBool(integer(op)(f, a, b));

export const OPS: Record<ElementwiseOp, Emit> = {
  abs: (_, x) => x.abs(),
  neg: (_, x) => x.neg(),
  exp: (f, x) => exp(f, x),
  expm1: (f, x) => expm1(f, x),
  log: (f, x) => log(f, x),
  log1p: (f, x) => log1p(f, x),
  sqrt: (_, x) => x.sqrt(),
  rsqrt: (_, x) => v128(1).div(x.sqrt()),
  reciprocal: (_, x) => v128(1).div(x),
  square: (_, x) => x.mul(x),
  sigmoid: (f, x) => sigmoid(f, x),
  tanh: (f, x) => tanh(f, x),
  erf: (f, x) => erf(f, x),
  relu: (_, x) => x.atLeast(0),
  sign: (_, x) => asBool(x.gt(0)).sub(asBool(x.lt(0))),
  floor: (_, x) => x.floor(),
  ceil: (_, x) => x.ceil(),
  isNaN: (_, x) => asBool(x.ne(x)),
  not: (_, x) => asBool(x.eq(0)),
  sin: math("sin"),
  cos: math("cos"),
  add: (_, a, b) => a.add(b),
  sub: (_, a, b) => a.sub(b),
  mul: (_, a, b) => a.mul(b),
  div: (_, a, b) => a.div(b),
  min: (_, a, b) => a.min(b),
  max: (_, a, b) => a.max(b),
  pow: math("pow"),
  eq: (_, a, b) => asBool(a.eq(b)),
  ne: (_, a, b) => asBool(a.ne(b)),
  lt: (_, a, b) => asBool(a.lt(b)),
  le: (_, a, b) => asBool(a.le(b)),
  gt: (_, a, b) => asBool(a.gt(b)),
  ge: (_, a, b) => asBool(a.ge(b)),
  and: (_, a, b) => asBool(a.ne(0).and(b.ne(0))),
  or: (_, a, b) => asBool(a.ne(0).or(b.ne(0))),
  float: (_, x) => x.toFloat(),
  "neg int": integer(0xa1),
  "abs int": integer(0xa0),
  "add int": integer(0xae),
  "sub int": integer(0xb1),
  "mul int": integer(0xb5),
  "min int": integer(0xb6),
  "max int": integer(0xb8),
  "eq int": compared(0x37),
  "ne int": compared(0x38),
  "lt int": compared(0x39),
  "gt int": compared(0x3b),
  "le int": compared(0x3d),
  "ge int": compared(0x3f),
  where: (_, condition, yes, no) => condition.ne(0).select(yes, no),
};

/** Emits the steps on given values, and returns the result of the last. */
export function emitSteps(
  f: FunctionBuilder,
  steps: readonly ElementwiseStep[],
  inputs: readonly V128[],
): V128 {
  const values = [...inputs];
  for (const [op, ...operands] of steps) {
    values.push(
      op === "constant"
        ? v128(operands[0])
        : f.v128(OPS[op](f, ...operands.map((i) => values[i]!))),
    );
  }
  return values.at(-1)!;
}

/**
 * How the address of an operand moves along a row: not at all, float by float, or with a stride.
 */
export type Motion = "still" | "along" | "strided";

/**
 * Emits `run(rows, n, ...)`. For the output (which is never `still`) and for each input it takes
 * the address, the bytes from row to row and the bytes from element to element.
 */
export function emitElementwise(
  module: ModuleBuilder,
  steps: readonly ElementwiseStep[],
  motions: readonly Motion[],
): void {
  const parameters: Record<string, "i32"> = { rows: "i32", n: "i32" };
  motions.forEach((_, i) => {
    for (const name of ["x", "row", "stride"]) parameters[`${name}${i}`] = "i32";
  });
  module.function("run", parameters, (f, variables) => {
    const get = (name: string): I32Var => variables[name]!;
    const all = motions.map((motion, i) => ({
      motion,
      x: get(`x${i}`),
      row: get(`row${i}`),
      stride: get(`stride${i}`),
      still: f.v128(),
      at: f.i32(),
    }));
    const [out, ...inputs] = all as [(typeof all)[0], ...typeof all];
    const [row, left] = [f.i32(0), f.i32()];
    /**
     * Reads four elements of each input and advances the strided ones; at the tail, none past the
     * last.
     */
    const read = (isTail: boolean): V128[] =>
      inputs.map(({ motion, still, at, stride }) => {
        if (motion === "still") return still;
        if (motion === "along") return f.v128(at.loadV128());
        const gathered = f.v128(at.loadLow());
        for (let lane = 1; lane < 4; lane += 1) {
          at.set(at.add(isTail ? left.gt(lane).select(stride, 0) : stride));
          gathered.set(gathered.loadLane(lane, at));
        }
        at.set(at.add(stride));
        return gathered;
      });
    /** Writes four elements, or those that are left. */
    const write = (value: V128, isTail: boolean): void => {
      const { motion, at, stride } = out;
      if (motion === "along") return isTail ? f.storeSome(at, value, left) : f.store(at, value);
      const lanes = f.v128(value);
      for (let lane = 0; lane < 4; lane += 1) {
        const put = (): void => f.emit(store.lane(at, lanes, 0, lane));
        if (isTail) f.if(left.gt(lane), put);
        else put();
        at.set(at.add(stride));
      }
    };
    f.for(row, get("rows"), 1, () => {
      for (const { motion, x, still, at } of all) {
        if (motion === "still") still.set(x.loadSplat());
        else at.set(x);
      }
      left.set(get("n"));
      f.if(left.ge(4), () =>
        f.doWhile(
          () => {
            write(emitSteps(f, steps, read(false)), false);
            for (const { motion, at } of all) if (motion === "along") at.set(at.add(16));
            left.set(left.sub(4));
          },
          () => left.ge(4),
        ),
      );
      f.if(left, () => write(emitSteps(f, steps, read(true)), true));
      for (const { x, row: bytes } of all) x.set(x.add(bytes));
    });
  });
}
