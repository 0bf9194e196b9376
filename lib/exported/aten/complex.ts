import * as tf from "@tensorflow/tfjs-core";
import type { AtenOp } from "../op-table.js";
import { divide } from "./support/arithmetic.js";
import { type Complex, isComplex } from "./support/complex.js";
import { defineOps } from "./support/define.js";
import { both, complexOf, conj } from "./fft.js";
import { binaryOps } from "./pointwise-binary.js";
import { unaryOps } from "./pointwise-unary.js";

type Given = tf.Tensor | Complex | number;

const lift = (x: Given): Complex => complexOf(typeof x === "number" ? tf.scalar(x) : x);

const add = (a: Given, b: Given, alpha = 1): Complex => {
  const [x, y] = [lift(a), lift(b)];
  return { re: tf.add(x.re, tf.mul(y.re, alpha)), im: tf.add(x.im, tf.mul(y.im, alpha)) };
};

function mul(a: Given, b: Given): Complex {
  const [x, y] = [lift(a), lift(b)];
  return {
    re: tf.sub(tf.mul(x.re, y.re), tf.mul(x.im, y.im)),
    im: tf.add(tf.mul(x.re, y.im), tf.mul(x.im, y.re)),
  };
}

function div(a: Given, b: Given): Complex {
  const y = lift(b);
  const size = tf.add(tf.square(y.re), tf.square(y.im));
  return both(mul(a, conj(y)), (part) => divide(part, size));
}

const abs = ({ re, im }: Complex): tf.Tensor => tf.sqrt(tf.add(tf.square(re), tf.square(im)));

/** Calls another op on parts, which have the results' dtypes already. */
const call = (op: AtenOp, ...args: unknown[]): tf.Tensor =>
  op(args, {}, { outputs: [] } as unknown as Parameters<AtenOp>[2]) as tf.Tensor;

const polar = (size: tf.Tensor, angle: tf.Tensor): Complex => ({
  re: tf.mul(size, tf.cos(angle)),
  im: tf.mul(size, tf.sin(angle)),
});

/** What ops do with complex tensors, where that is not the same with both parts. */
const COMPLEX_OPS = defineOps({
  "add.Tensor|add.Scalar(self, other, alpha)": add,
  "sub.Tensor|sub.Scalar(self, other, alpha)": (a: Given, b: Given, alpha = 1) => add(a, b, -alpha),
  "mul.Tensor|mul.Scalar(self, other)": mul,
  "div.Tensor|div.Scalar(self, other)": div,
  "abs|absolute(self)": abs,
  "angle(self)": ({ re, im }: Complex) => call(binaryOps["aten.atan2.default"]!, im, re),
  "square(self)": (z: Complex) => mul(z, z),
  "exp(self)": ({ re, im }: Complex) => polar(tf.exp(re), im),
  "reciprocal(self)": (z: Complex) => div(1, z),
  "pow.Tensor_Scalar(self, exponent)": (z: Complex, exponent: number) => {
    if (exponent === 2) return mul(z, z);
    const size = call(binaryOps["aten.pow.Tensor_Scalar"]!, abs(z), exponent);
    return polar(size, tf.mul(call(binaryOps["aten.atan2.default"]!, z.im, z.re), exponent));
  },
  "isreal(self)": ({ im }: Complex) => tf.equal(im, 0),
  "sgn(self)": (z: Complex) =>
    both(z, (part) => call(unaryOps["aten.nan_to_num.default"]!, divide(part, abs(z)))),
});

const NAMED = defineOps({
  "view_as_real|view_as_real_copy(self)": (self: Complex) => tf.stack([self.re, self.im], -1),
  "real(self)": (self: Given) => (isComplex(self) ? self.re : self),
  "imag(self)": (self: Complex) => self.im,
  "complex(real, imag)": (re: tf.Tensor, im: tf.Tensor): Complex => {
    const zero = tf.mul(tf.add(re, im), 0);
    return { re: tf.add(re, zero), im: tf.add(im, zero) };
  },
  "polar(abs, angle)": polar,
  "conj|_conj|_conj_physical|conj_physical|_conj_copy(self)": (self: Complex) => conj(self),
  "is_complex(self)": (self: Given) => isComplex(self),
});

/** What moves elements about, or is linear, does the same with the real and the imaginary part. */
const PARTWISE =
  /^aten\.(view|reshape|_unsafe_view|permute|transpose|swapaxes|t|squeeze|unsqueeze|expand|expand_as|slice|select|split|split_with_sizes|chunk|unbind|alias|detach|contiguous|clone|lift_fresh|lift_fresh_copy|resolve_conj|resolve_neg|flatten|unflatten|narrow|cat|stack|repeat|flip|roll|index|index_select|gather|movedim|sum|mean|neg|diagonal|constant_pad_nd|tril|triu|as_strided|repeat_interleave|unfold)(_copy)?\./;

const holdsComplex = (value: unknown): boolean =>
  isComplex(value) || (Array.isArray(value) && value.some(isComplex));

const part = (value: unknown, name: "re" | "im"): unknown => {
  if (isComplex(value)) return value[name];
  if (Array.isArray(value) && value.some(isComplex)) {
    return value.map((one: tf.Tensor | Complex) => complexOf(one)[name]);
  }
  return value;
};

const noDtypes = (context: Parameters<AtenOp>[2]): Parameters<AtenOp>[2] => ({
  ...context,
  outputs: [],
});

function byParts(op: AtenOp): AtenOp {
  return (args, kwargs, context) => {
    if (!args.some(holdsComplex)) return op(args, kwargs, context);
    const run = (name: "re" | "im"): unknown => op(args.map((one) => part(one, name)), kwargs, noDtypes(context)); // prettier-ignore
    const [re, im] = [run("re"), run("im")];
    if (!Array.isArray(re)) return { re, im };
    return re.map((one: tf.Tensor, i): Complex => ({ re: one, im: (im as tf.Tensor[])[i]! }));
  };
}

function orComplex(op: AtenOp, complexOp: AtenOp): AtenOp {
  return (args, kwargs, context) =>
    args.some(isComplex) ? complexOp(args, kwargs, noDtypes(context)) : op(args, kwargs, context);
}

/** A cast to a complex dtype, or of a complex tensor, which stays one. */
function cast(op: AtenOp): AtenOp {
  return (args, kwargs, context) => {
    const names = [...args.slice(1), kwargs.dtype].filter((one) => typeof one === "string");
    const [self] = args as [Given];
    if (!isComplex(self) && !names.some((name) => name.startsWith("complex"))) {
      return op(args, kwargs, context);
    }
    return lift(self);
  };
}

const CASTS = ["aten._to_copy.default", "aten.to.dtype", "aten.to.dtype_layout", "aten.to.device"];

/** The ops, which take complex tensors too where that is possible. */
export function withComplex(ops: Readonly<Record<string, AtenOp>>): Record<string, AtenOp> {
  const all = Object.entries(ops).map(([name, op]): [string, AtenOp] => {
    const own = COMPLEX_OPS[name];
    if (own !== undefined) return [name, orComplex(op, own)];
    if (CASTS.includes(name)) return [name, cast(op)];
    return [name, PARTWISE.test(name) ? byParts(op) : op];
  });
  return { ...Object.fromEntries(all), ...NAMED };
}
