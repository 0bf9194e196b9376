/** torch.special functions that are computed number by number in JavaScript. */
import type * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { alike, promote } from "./support/arithmetic.js";
import { airyAi } from "./support/airy.js";
import { defineOps } from "./support/define.js";
import { FLOAT, type Operand, toFloat } from "./support/dtype.js";
import { tensorOf, valuesOf } from "./support/host.js";
import {
  besselJ,
  besselY,
  digamma,
  erfcx,
  igamma,
  logNdtr,
  ndtri,
  recurrence,
  scaledBesselI,
  scaledBesselK,
  sphericalJ0,
  zeta,
} from "./support/special.js";

const unary = (name: string, run: (x: number) => number) =>
  op(name, (self: tf.Tensor): tf.Tensor =>
    tensorOf(Float32Array.from(valuesOf(toFloat(self)), run), self.shape, "float32")); // prettier-ignore

function binary(name: string, run: (a: number, b: number) => number) {
  const onTensors = op(name, (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const [x, y] = alike(a, b);
    const others = valuesOf(y);
    return tensorOf(Float32Array.from(valuesOf(x), (one, i) => run(one, others[i]!)), x.shape, "float32"); // prettier-ignore
  });
  return (self: Operand, other: Operand): tf.Tensor => {
    const { a, b } = promote(self, other, FLOAT);
    return onTensors(a, b);
  };
}

/** The kinds of Chebyshev polynomials differ in the one of degree 1: `a x + b`. */
const chebyshev =
  (a: number, b: number) =>
  (x: number, n: number): number =>
    recurrence(n, 1, a * x + b, (p, before) => 2 * x * p - before);

const shifted =
  (run: (x: number, n: number) => number) =>
  (x: number, n: number): number =>
    run(2 * x - 1, n);

const POLYNOMIALS: Readonly<Record<string, (x: number, n: number) => number>> = {
  chebyshev_polynomial_t: chebyshev(1, 0),
  chebyshev_polynomial_u: chebyshev(2, 0),
  chebyshev_polynomial_v: chebyshev(2, -1),
  chebyshev_polynomial_w: chebyshev(2, 1),
  shifted_chebyshev_polynomial_t: shifted(chebyshev(1, 0)),
  shifted_chebyshev_polynomial_u: shifted(chebyshev(2, 0)),
  shifted_chebyshev_polynomial_v: shifted(chebyshev(2, -1)),
  shifted_chebyshev_polynomial_w: shifted(chebyshev(2, 1)),
  hermite_polynomial_h: (x, n) =>
    recurrence(n, 1, 2 * x, (p, before, k) => 2 * x * p - 2 * k * before),
  hermite_polynomial_he: (x, n) => recurrence(n, 1, x, (p, before, k) => x * p - k * before),
  laguerre_polynomial_l: (x, n) =>
    recurrence(n, 1, 1 - x, (p, before, k) => ((2 * k + 1 - x) * p - k * before) / (k + 1)),
  legendre_polynomial_p: (x, n) =>
    recurrence(n, 1, x, (p, before, k) => ((2 * k + 1) * x * p - k * before) / (k + 1)),
};

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** The derivatives of digamma. */
const polygamma = (n: number, x: number): number =>
  n === 0 ? digamma(x) : (n % 2 ? 1 : -1) * factorial(n) * zeta(n + 1, x);

export const specialHostOps = defineOps({
  "special_erfcx(self)": unary("special_erfcx", erfcx),
  "special_log_ndtr(self)": unary("special_log_ndtr", logNdtr),
  "special_ndtri(self)": unary("special_ndtri", ndtri),
  "special_bessel_j0(self)": unary("special_bessel_j0", (x) => besselJ(0, x)),
  "special_bessel_j1(self)": unary("special_bessel_j1", (x) => besselJ(1, x)),
  "special_bessel_y0(self)": unary("special_bessel_y0", (x) => besselY(0, x)),
  "special_bessel_y1(self)": unary("special_bessel_y1", (x) => besselY(1, x)),
  "special_modified_bessel_i0(self)": unary(
    "special_modified_bessel_i0",
    (x) => scaledBesselI(0, x) * Math.exp(Math.abs(x)),
  ),
  "special_modified_bessel_i1(self)": unary(
    "special_modified_bessel_i1",
    (x) => scaledBesselI(1, x) * Math.exp(Math.abs(x)),
  ),
  "special_modified_bessel_k0(self)": unary(
    "special_modified_bessel_k0",
    (x) => scaledBesselK(0, x) * Math.exp(-x),
  ),
  "special_modified_bessel_k1(self)": unary(
    "special_modified_bessel_k1",
    (x) => scaledBesselK(1, x) * Math.exp(-x),
  ),
  "special_scaled_modified_bessel_k0(x)": unary("special_scaled_modified_bessel_k0", (x) =>
    scaledBesselK(0, x),
  ),
  "special_scaled_modified_bessel_k1(x)": unary("special_scaled_modified_bessel_k1", (x) =>
    scaledBesselK(1, x),
  ),
  "special_airy_ai(x)": unary("special_airy_ai", airyAi),
  "special_spherical_bessel_j0(x)": unary("special_spherical_bessel_j0", sphericalJ0),
  "igamma|special_gammainc(self, other)": binary("igamma", (a, x) => igamma(a, x)),
  "igammac|special_gammaincc(self, other)": binary("igammac", (a, x) => igamma(a, x, true)),
  "special_zeta|special_zeta.other_scalar|special_zeta.self_scalar(self, other)": binary(
    "special_zeta",
    zeta,
  ),
  "polygamma|special_polygamma(n, self)": binary("polygamma", polygamma),
  ...Object.fromEntries(
    Object.entries(POLYNOMIALS).map(([name, run]) => [
      `special_${name}|special_${name}.x_scalar|special_${name}.n_scalar(x, n)`,
      binary(`special_${name}`, run),
    ]),
  ),
});
