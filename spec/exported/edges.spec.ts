/** Calls at the edge of what PyTorch takes, and what PyTorch 2.15 gives for them. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { assertTensor, withAssertions } from "../../lib/exported/runtime/assertions.js";
import { BACKENDS, onEveryBackend, onEveryBackendOnce } from "../support/backends.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";
import { readProgram } from "./support.js";

const call = (target: string, args: readonly unknown[]): unknown =>
  lookUpOp(target)!([...args] as never, {}, { outputs: [], inputs: [] } as never);

const ints = (values: number[], shape = [values.length]): tf.Tensor =>
  tf.tensor(values, shape, "int32");
const floats = (values: number[], shape = [values.length]): tf.Tensor => tf.tensor(values, shape);
/** What tfjs' webgl backend keeps on the GPU; it computes small inputs that are in memory on the CPU. */
const computed = (values: number[]): tf.Tensor =>
  tf.sub(tf.relu(floats(values.map((v) => v + 2))), 2);
const mask = (value: number, shape: number[] = []): tf.Tensor => tf.tensor([value], shape, "bool");
const filled = (shape: number[]): tf.Tensor => tf.ones(shape);

type Case = [
  what: string,
  target: string,
  args: () => unknown[],
  shape: number[],
  values?: number[],
  part?: number,
];

const twoMatrices = [2, 0, 0, 4, 1, 0, 0, 2];
const CASES: Case[] = [
  ["a place beside an empty index", "aten.index.Tensor", () => [filled([3, 4]), [ints([5]), ints([])]], [0]],
  ["a place beside a mask of nothing", "aten.index.Tensor", () => [filled([2, 3]), [tf.tensor([0, 0], [2], "bool"), ints([9])]], [0]],
  ["a place in nothing", "aten.index.Tensor", () => [filled([3, 0]), [ints([5])]], [1, 0]],
  ["a write to nothing", "aten.index_put.default", () => [filled([3, 0]), [ints([5])], tf.scalar(2)], [3, 0]],
  ["one vector for all matrices", "aten.linalg_solve.default", () => [floats(twoMatrices, [2, 2, 2]), floats([2, 4])], [2, 2], [1, 1, 2, 2]],
  ["a matrix for a batch of one", "aten.linalg_solve.default", () => [floats([2, 0, 0, 4], [1, 2, 2]), floats([2, 4], [2, 1])], [1, 2, 1], [1, 1]],
  ["a matrix for a batch of two", "aten.linalg_solve.default", () => [floats(twoMatrices, [2, 2, 2]), floats([2, 4], [2, 1])], [2, 2, 1], [1, 1, 2, 2]],
  ["the condition of no rank", "aten.linalg_cond.default", () => [tf.zeros([2, 2]), 1], [], [Infinity]],
  ["the condition of no rank, Frobenius", "aten.linalg_cond.p_str", () => [tf.zeros([2, 2]), "fro"], [], [Infinity]],
  ["the nuclear condition", "aten.linalg_cond.p_str", () => [floats([2, 0, 0, 4], [2, 2]), "nuc"], [], [4.5]],
  ["the condition of empty matrices", "aten.linalg_cond.default", () => [tf.zeros([2, 0, 0]), 1], [2], [0, 0]],
  ["a number, transposed", "aten.mT.default", () => [tf.scalar(3)], [], [3]],
  ["empty vectors, joined wherever", "aten.cat.default", () => [[floats([]), floats([])], 1], [0]],
  ["edges around nothing", "aten.histogram.bin_ct", () => [floats([]), 2], [3], [0, 0.5, 1], 1],
  ["no pictures, unpooled", "aten.max_unpool2d.default", () => [filled([0, 1, 2, 2]), ints([], [0, 1, 2, 2]), [4, 4]], [0, 1, 4, 4]],
  ["margins of one target in a list", "aten.multi_margin_loss.default", () => [floats([1, 2, 4]), ints([0]), 1, 1, null, 0], [1], [2]],
  ["the mean of no classes", "aten.nll_loss_nd.default", () => [filled([0, 3]), ints([])], [], [NaN]],
  ["the sum of no classes", "aten.nll_loss_nd.default", () => [filled([0, 3]), ints([]), null, 2], [], [0]],
  ["the smoothed mean of no classes", "aten.cross_entropy_loss.default", () => [filled([0, 3]), ints([]), null, 1, -100, 0.1], [], [NaN]],
  ["strides, which decompositions ask for", "prims.copy_strided.default", () => [floats([1, 2], [2, 1]), [1, 2]], [2, 1], [1, 2]],
  ["the logarithm of 0", "aten.log.default", () => [computed([0, 1, 0])], [3], [-Infinity, 0, -Infinity]],
  ["the logarithm of 1 and -1", "aten.log1p.default", () => [computed([-1, 0])], [2], [-Infinity, 0]],
  ["twice the logarithm of 0", "aten.xlogy.Tensor", () => [filled([2]), computed([0, 1])], [2], [-Infinity, 0]],
  ["booleans of NaN", "aten.full.default", () => [[2], NaN, "torch.bool"], [2], [1, 1]],
  ["integers of a fraction, in eight dimensions", "aten.full.default", () => [[1, 2, 1, 1, 2, 1, 1, 1], 2.7, "torch.int64"], [1, 2, 1, 1, 2, 1, 1, 1], [2, 2, 2, 2]],
  ["what is written everywhere", "aten.index_put.default", () => [floats([1, 2], [1, 2]), [mask(1)], tf.scalar(5)], [1, 2], [5, 5]],
  ["what is written nowhere", "aten.index_put.default", () => [floats([1, 2], [1, 2]), [mask(0)], tf.scalar(5)], [1, 2], [1, 2]],
  ["what is added everywhere", "aten.index_put.default", () => [floats([1, 2], [1, 2]), [mask(1)], floats([5, 6]), true], [1, 2], [6, 8]],
  ["rows added to nothing", "aten.index_add.default", () => [filled([0, 3]), 0, ints([0]), filled([1, 3])], [0, 3]],
  ["info of one matrix and two right-hand sides", "aten.linalg_solve_ex.default", () => [tf.eye(2), filled([3, 2, 1])], [], [0], 1],
  ["info of two matrices", "aten.linalg_solve_ex.default", () => [floats(twoMatrices, [2, 2, 2]), filled([3, 2, 2, 1])], [2], [0, 0], 1],
  ["the triangle of each right-hand side", "aten.triangular_solve.default", () => [filled([2, 1, 1]), floats([4], [1, 1])], [2, 1, 1], [4, 4], 1],
  ["bounds the wrong way round", "aten.hardtanh.default", () => [floats([-9, 0, 9]), 2, 1], [3], [1, 1, 1]],
  ["a half, as a boolean, around booleans", "aten.constant_pad_nd.default", () => [mask(0, [1]), [1, 0], 0.5], [2], [1, 0]],
  ["x of fewer dimensions than y", "aten.trapezoid.x", () => [floats([1, 2, 3, 4, 5, 6], [2, 1, 3]), floats([0, 1, 2, 0, 2, 4], [2, 3])], [2, 2], [4, 8, 10, 20]],
  ["x of fewer dimensions than y, along the first of y", "aten.trapezoid.x", () => [floats([1, 2, 3, 4, 5, 6], [2, 1, 3]), floats([0, 1, 2, 0, 2, 4], [2, 3]), 0], [2, 3], [0, 0, 0, 0, 0, 0]],
  ["x of more dimensions than y", "aten.trapezoid.x", () => [floats([1, 2, 3, 4], [2, 2]), floats([0, 1, 2, 4, 1, 2, 5, 9], [2, 2, 2]), 0], [2, 2], [2, 3, 6, 15]],
  ["x of more dimensions than y, sum by sum", "aten.cumulative_trapezoid.x", () => [floats([1, 2, 3, 4], [2, 2]), floats([0, 1, 2, 4, 1, 2, 5, 9], [2, 2, 2]), 0], [1, 2, 2], [2, 3, 6, 15]],
  ["the area of single samples", "aten.trapezoid.x", () => [floats([3, 4], [2, 1]), floats([5])], [2], [0, 0]],
  ["the matrix that is triangular, for all right-hand sides", "aten.triangular_solve.default", () => [floats([2, 4, 6, 8], [2, 2, 1]), floats([2, 0, 0, 4], [2, 2])], [2, 2, 2], [2, 0, 0, 4, 2, 0, 0, 4], 1],
  ["no pivots of factors", "aten.lu_unpack.default", () => [floats([2, 0, 0, 4], [2, 2]), ints([1, 2]), true, false], [0], [], 0],
  ["no factors of pivots", "aten.lu_unpack.default", () => [floats([2, 0, 0, 4], [2, 2]), ints([1, 2]), false], [0], [], 1],
  ["the nuclear norm of nothing", "aten.linalg_norm.ord_str", () => [filled([0, 0]), "nuc"], [], [0]],
  ["floats to 8 bits, half to even, within their range", "quantized_decomposed.quantize_per_tensor.default", () => [floats([-9, 0.25, 0.75, 1, 99]), 0.5, 3, 0, 127], [5], [0, 3, 5, 5, 127]],
  ["channels to 8 bits", "quantized_decomposed.quantize_per_channel.default", () => [floats([1, 2, 3, 4], [2, 2]), floats([0.5, 2]), ints([0, 1]), 1, -128, 127], [2, 2], [2, 2, 6, 3]],
  ["8 bits to floats", "quantized_decomposed.dequantize_per_tensor.tensor", () => [ints([0, 3, 5]), tf.scalar(0.5), tf.scalar(3, "int32"), 0, 127], [3], [-1.5, 0, 1]],
  ["channels of 8 bits to floats", "quantized_decomposed.dequantize_per_channel.default", () => [ints([1, 2, 3, 4], [2, 2]), floats([0.5, 2]), null, 0, -128, 127], [2, 2], [0.5, 1, 6, 8]],
  ["channels counted from the last to 8 bits", "quantized_decomposed.quantize_per_channel.default", () => [floats([1, 2, 3, 4], [2, 2]), floats([0.5, 2]), ints([0, 1]), -1, -128, 127], [2, 2], [2, 2, 6, 3]],
  ["NaN within bounds the wrong way round", "aten.hardtanh.default", () => [floats([NaN, 0]), 2, 1], [2], [NaN, 1]],
  ["channels of 8 bits counted from the last to floats", "quantized_decomposed.dequantize_per_channel.default", () => [ints([1, 2, 3, 4], [2, 2]), floats([0.5, 2]), null, -2, -128, 127], [2, 2], [0.5, 1, 6, 8]],
  ["a scale for a range", "quantized_decomposed.choose_qparams.tensor", () => [floats([-1, 1.55]), 0, 255, 1e-7], [1], [0.01], 0],
  ["a zero for a range", "quantized_decomposed.choose_qparams.tensor", () => [floats([-1, 1.55]), 0, 255, 1e-7], [1], [100], 1],
  ["the inverse of sinh far from 0", "aten.asinh.default", () => [floats([3e38, -3e38, 2e9, 1e-3, -0.5, Infinity, -Infinity, NaN])], [8], [89.2899933, -89.2899933, 22.10956, 9.9999981e-4, -0.4812118, Infinity, -Infinity, NaN]],
  ["the inverse of cosh far from 1, and below it", "aten.acosh.default", () => [floats([3e38, 1e20, 2, 1, 0.5, -1e20, Infinity, NaN])], [8], [89.2899933, 46.74485, 1.3169579, 0, NaN, NaN, Infinity, NaN]],
  ["the sum of no losses", "aten.mse_loss.default", () => [filled([0, 3]), filled([0, 3]), 2], [], [0]],
]; // prettier-ignore

onEveryBackendOnce("ATen ops at the edge", (_backend, tolerance) => {
  for (const [what, target, args, shape, values = [], part] of CASES) {
    it(`${target}: ${what}`, () => {
      expectNoLeak(() => {
        tf.tidy(() => {
          // What lies about in memory is no number of the result.
          tf.dispose(tf.fill([1000], 7));
          const result = call(target, args());
          const one = part === undefined ? result : (result as tf.Tensor[])[part];
          expectTensor(one as tf.Tensor, { shape, values }, tolerance);
        });
      });
    });
  }
});

/** One more than float32 tells from its neighbours. */
const LARGE = 2 ** 24 + 1;
const INTEGERS: [target: string, args: () => unknown[], values: number[]][] = [
  ["aten.abs.default", () => [ints([-LARGE, 2 ** 31 - 1])], [LARGE, 2 ** 31 - 1]],
  ["aten.neg.default", () => [ints([-LARGE])], [LARGE]],
  ["aten.relu.default", () => [ints([LARGE, -3])], [LARGE, 0]],
  ["aten.square.default", () => [ints([4097])], [4097 ** 2]],
  ["aten.floor_divide.default", () => [ints([LARGE, -LARGE, -1]), ints([1, 2, 2 ** 31 - 1])], [LARGE, -(2 ** 23) - 1, -1]],
  ["aten.div.Tensor_mode", () => [ints([1 - 2 ** 31, -(2 ** 31)]), ints([2, 64]), "trunc"], [1 - 2 ** 30, -(2 ** 25)]],
  ["quantized_decomposed.quantize_per_tensor.default", () => [floats([NaN, 99]), 1, 0, -128, 127], [0, 99]],
  ["aten.isin.Tensor_Tensor", () => [ints([LARGE]), ints([2 ** 24])], [0]],
  ["aten.isin.Tensor_Scalar", () => [ints([LARGE, 2 ** 24]), LARGE], [1, 0]],
]; // prettier-ignore

// webgl's integers are floats.
onEveryBackend("Large integers", (_backend, tolerance) => {
  for (const [target, args, values] of INTEGERS) {
    it(`${target} tells all of them apart`, () => {
      tf.tidy(() => {
        const result = call(target, args()) as tf.Tensor;
        expectTensor(result, { shape: [values.length], values }, { ...tolerance, rtol: 0 });
      });
    });
  }
}, BACKENDS.filter((name) => name !== "webgl")); // prettier-ignore

/** `(2 + 0i) x = 2 + 4i` and `(0 + 1i) x = 2 + 4i`, as matrices of one number. */
const COMPLEX: [what: string, shape: number[], result: number[]][] = [
  ["one vector", [1], [2, 1]],
  ["a matrix", [1, 1], [2, 1, 1]],
];

onEveryBackendOnce("linalg_solve of a batch of complex matrices", (_backend, tolerance) => {
  for (const [what, given, shape] of COMPLEX) {
    it(`and ${what}`, () => {
      tf.tidy(() => {
        const a = { re: floats([2, 0], [2, 1, 1]), im: floats([0, 1], [2, 1, 1]) };
        const b = { re: floats([2], given), im: floats([4], given) };
        const x = call("aten.linalg_solve.default", [a, b]) as typeof a;
        expectTensor(x.re, { shape, values: [1, 4] }, tolerance, "real part");
        expectTensor(x.im, { shape, values: [2, -2] }, tolerance, "imaginary part");
      });
    });
  }
});

class Inverse extends nn.Module {
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.add(call("aten.linalg_inv.default", [x]) as tf.Tensor, 1);
  }
}

class Quantile extends nn.Module {
  override forward(x: tf.Tensor, q: tf.Tensor): tf.Tensor {
    return call("aten.quantile.default", [x, q]) as tf.Tensor;
  }
}

/** The rows of which the first number is above 0, doubled. */
class Chosen extends nn.Module {
  override forward(x: tf.Tensor): tf.Tensor {
    const mask = tf.reshape(tf.greater(tf.slice(x, [0, 0], [2, 1]), 0), [2]);
    return tf.mul(call("aten.index.Tensor", [x, [mask]]) as tf.Tensor, 2);
  }
}

onEveryBackend("compiled ops whose shape depends on values", (_backend, tolerance) => {
  it("run eagerly, on the example's own values too", async () => {
    const [one, both] = [floats([1, 2, -3, 4], [2, 2]), floats([1, 2, 3, 4], [2, 2])];
    const fast = await nn.compile(new Chosen(), one);
    const results = [one, both].map((x) => fast(x));
    expectTensor(results[0]!, { shape: [1, 2], values: [2, 4] }, tolerance);
    expectTensor(results[1]!, { shape: [2, 2], values: [2, 4, 6, 8] }, tolerance);
    expect(fast.explain().reason).to.contain("the shape of what nonzero gives depends on values");
    fast.dispose();
    tf.dispose([one, both, ...results]);
  });
});

/** As a decomposed `one_hot` asserts that its classes are there. */
class Asserting extends nn.Module {
  override forward(x: tf.Tensor): tf.Tensor {
    const run = (): tf.Tensor[] => {
      assertTensor([tf.less(tf.max(x), 3), "Class values must be smaller"], {}, {} as never);
      return [tf.mul(x, 2)];
    };
    return withAssertions(run)[0] as tf.Tensor;
  }
}

onEveryBackend("compiled checks of ATen ops", (backend, tolerance) => {
  it("what a program asserts of a tensor is asserted compiled, where it is eagerly", async () => {
    const [good, bad] = [floats([1, 2]), floats([1, 3])];
    const model = new Asserting();
    const fast = await nn.compile(model, good);
    expect(fast.graph, String(fast.explain())).not.to.equal(null);
    for (const run of [model, fast]) {
      const result = run(good);
      expectTensor(result, { shape: [2], values: [2, 4] }, tolerance);
      result.dispose();
      if (!/^(cpu|wasm)$/.test(backend)) continue; // reading it back would stall a GPU
      expectNoLeak(() => expect(() => run(bad)).to.throw("Class values must be smaller"));
    }
    fast.dispose();
    tf.dispose([good, bad]);
  });

  it("a singular matrix is refused as it is eagerly, and the next one is inverted", async () => {
    const good = floats([2, 0, 0, 4], [2, 2]);
    const bad = floats([1, 1, 1, 1], [2, 2]);
    const fast = await nn.compile(new Inverse(), good);
    expect(fast.graph, String(fast.explain())).not.to.equal(null);
    expectNoLeak(() =>
      expect(() => fast(bad)).to.throw("linalg.inv: The diagonal element 2 is zero"),
    );
    const result = fast(good);
    expectTensor(result, { shape: [2, 2], values: [1.5, 1, 1, 1.25] }, tolerance);
    fast.dispose();
    tf.dispose([good, bad, result]);
  });

  it("quantiles that are an input are compiled, and refused beyond 1", async () => {
    const x = floats([1, 2, 3]);
    const [inside, outside] = [floats([0.5]), floats([2])];
    const fast = await nn.compile(new Quantile(), [x, inside]);
    expect(fast.graph, String(fast.explain())).not.to.equal(null);
    expect(() => fast(x, outside)).to.throw("quantile() q values must be in the range [0, 1]");
    const result = fast(x, inside);
    expectTensor(result, { shape: [1], values: [2] }, tolerance);
    fast.dispose();
    tf.dispose([x, inside, outside, result]);
  });
});

onEveryBackend("a program that is given integers for floats", () => {
  it("is refused as a layer is, compiled too", async () => {
    const program = await nn.loadExported(await readProgram("cnn"));
    const [x, pixels] = [filled([2, 1, 9, 9]), tf.ones([2, 1, 9, 9], "int32")];
    const fast = await nn.compile(program, x);
    for (const run of [program, fast]) {
      expectNoLeak(() => {
        expect(() => run(pixels)).to.throw("expected scalar type Int but found Float");
      });
    }
    fast.dispose();
    program.dispose();
    tf.dispose([x, pixels]);
  });
});
