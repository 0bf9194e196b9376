import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { onEveryBackendOnce, type Tolerance } from "../support/backends.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";
import { readJson } from "../support/files.js";

interface Numbers {
  shape: number[];
  re: (number | boolean | "-inf")[];
  im?: number[];
}

type Value = number | boolean | string | Numbers | Value[];

interface Complex {
  re: tf.Tensor;
  im: tf.Tensor;
}

const { calls, matrices } = await readJson<{
  calls: { target: string; args: Value[]; kwargs: Record<string, Value>; results: Numbers[] }[];
  matrices: Record<string, Numbers>;
}>("goldens/complex-factors.json");

const plain = ({ re }: Numbers): number[] => re.map((one) => (one === "-inf" ? -Infinity : Number(one))); // prettier-ignore

function make(value: Value): unknown {
  if (Array.isArray(value)) return value.map(make);
  if (typeof value !== "object") return value;
  const re = tf.tensor(plain(value), value.shape, "float32");
  return value.im ? { re, im: tf.tensor(value.im, value.shape, "float32") } : re;
}

const call = (target: string, args: unknown[], kwargs: Record<string, unknown> = {}): unknown =>
  lookUpOp(target)!(args, kwargs, { outputs: [], inputs: [] } as never);

function expectNumbers(got: unknown, want: Numbers, tolerance: Tolerance, what: string): void {
  const { re, im } = got instanceof tf.Tensor ? { re: got as tf.Tensor, im: undefined } : (got as Complex); // prettier-ignore
  expectTensor(re, { shape: want.shape, values: plain(want) }, tolerance, what);
  expect(im === undefined, `${what} is real`).to.equal(want.im === undefined);
  if (im) expectTensor(im, { shape: want.shape, values: want.im! }, tolerance, `i of ${what}`);
}

const product = (...[a, ...rest]: Complex[]): Complex =>
  rest.reduce((x, y) => call("aten.matmul.default", [x, y]) as Complex, a!);
const adjoint = (x: Complex): Complex => call("aten.mH.default", [x]) as Complex;
const diagonal = (x: tf.Tensor): Complex => {
  const re = call("aten.diag_embed.default", [x]) as tf.Tensor;
  return { re, im: tf.zerosLike(re) };
};
const unit = (n: number): Numbers => ({
  shape: [n, n],
  ...{ re: [...tf.eye(n).dataSync()], im: new Array<number>(n * n).fill(0) },
});

onEveryBackendOnce("complex matrices as PyTorch", (_backend, tolerance) => {
  for (const target of new Set(calls.map((one) => one.target))) {
    it(target, () => {
      for (const { args, kwargs, results } of calls.filter((one) => one.target === target)) {
        expectNoLeak(() => {
          tf.tidy(() => {
            const result = call(target, make(args) as unknown[], kwargs);
            const all = Array.isArray(result) ? result : [result];
            expect(all).to.have.lengthOf(results.length);
            results.forEach((one, i) => expectNumbers(all[i], one, tolerance, `result ${i}`));
          });
        });
      }
    });
  }

  for (const [name, numbers] of Object.entries(matrices)) {
    it(`${name} is the product of what its singular values and vectors are`, () => {
      tf.tidy(() => {
        const a = make(numbers) as Complex;
        const [u, s, vh] = call("aten.linalg_svd.default", [a, false]) as [Complex, tf.Tensor, Complex]; // prettier-ignore
        expectNumbers(product(u, diagonal(s), vh), numbers, tolerance, "u s vᴴ");
        if (numbers.shape.length > 2) return;
        const [whole, , right] = call("aten.linalg_svd.default", [a, true]) as [Complex, tf.Tensor, Complex]; // prettier-ignore
        const [m, n] = numbers.shape as [number, number];
        expectNumbers(product(adjoint(whole), whole), unit(m), tolerance, "uᴴ u");
        expectNumbers(product(right, adjoint(right)), unit(n), tolerance, "vᴴ v");
      });
    });
  }

  it("a Hermitian matrix is the product of what its eigenvalues and vectors are", () => {
    tf.tidy(() => {
      const a = make(matrices.positive!) as Complex;
      const [w, v] = call("aten.linalg_eigh.default", [a]) as [tf.Tensor, Complex];
      expectNumbers(product(v, diagonal(w), adjoint(v)), matrices.positive!, tolerance, "v w vᴴ");
    });
  });

  it("what is not positive definite, or singular, is refused", () => {
    tf.tidy(() => {
      const a = make(matrices.singular!) as Complex;
      const refused = (target: string, message: string): void => {
        expect(() => call(target, [a])).to.throw(message);
      };
      refused("aten.linalg_cholesky.default", "linalg.cholesky: The factorization could not be completed"); // prettier-ignore
      refused("aten.linalg_lu_factor.default", "torch.linalg.lu_factor: U[2,2] is zero");
    });
  });

  it("what is not square is refused", () => {
    tf.tidy(() => {
      const a = make(matrices.tall!) as Complex;
      for (const name of ["det", "slogdet", "eigvalsh", "cholesky_ex"]) {
        const message = "A must be batches of square matrices, but they are 4 by 2 matrices";
        expect(() => call(`aten.linalg_${name}.default`, [a])).to.throw(message);
      }
    });
  });

  it("a triangle with zeros on its diagonal has no finite solution, and is not refused", () => {
    tf.tidy(() => {
      const [a, b] = [make(matrices.zero!), make(matrices.singular!)];
      const x = call("aten.linalg_solve_triangular.default", [a, b, true]) as Complex;
      expect([...x.re.dataSync()].some(Number.isFinite)).to.equal(false);
    });
  });
});
