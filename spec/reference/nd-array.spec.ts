import { expect } from "chai";
import { array, formatShape, linspace, NdArray } from "../../lib/reference/index.js";
import goldens from "../goldens/reference.json" with { type: "json" };
import { expectArray, type Packed, unpack } from "./support.js";

type Operands = { a: Packed; b: Packed } & ({ result: Packed } | { error: string });

describe("NdArray prints as numpy does", () => {
  goldens.printed.forEach((golden) => {
    it(golden.text.split("\n")[0]!, () => {
      expect(String(unpack(golden))).to.equal(golden.text);
    });
  });
  for (const { shape, start, step, text } of goldens.printedLong) {
    it(`${start} + ${step} i, shape ${formatShape(shape)}`, () => {
      expect(String(NdArray.generate(shape, (i) => start + i * step))).to.equal(text);
    });
  }
  it("and so do shapes", () => {
    for (const [shape, text] of goldens.shapes) {
      expect(formatShape(shape as number[])).to.equal(text);
    }
  });
});

describe("NdArray", () => {
  for (const op of ["matmul", "add"] as const) {
    for (const golden of goldens[op] as Operands[]) {
      it(`${op} of ${formatShape(golden.a.shape)} and ${formatShape(golden.b.shape)}`, () => {
        const run = () => unpack(golden.a)[op](unpack(golden.b));
        if ("error" in golden) expect(run).to.throw(RangeError, golden.error);
        else expectArray(run(), golden.result, op === "add" ? 0 : 1e-14);
      });
    }
  }

  it("transposes", () => {
    for (const { a, result } of goldens.transposed) expectArray(unpack(a).T, result);
  });

  it("multiplies only by matrices and vectors", () => {
    const stack = NdArray.generate([2, 2, 2], () => 1);
    expect(stack.matmul([1, 1]).toList()).to.deep.equal([
      [2, 2],
      [2, 2],
    ]);
    expect(() => stack.matmul(stack)).to.throw("must have 1 or 2 dimensions");
  });

  it("is made of nested lists, and gives them back", () => {
    const lists = [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ];
    expect(array(lists).shape).to.deep.equal([2, 2, 2]);
    expect(array(lists).toList()).to.deep.equal(lists);
    expect(array(5).toList()).to.equal(5);
    expect(array([[], []]).shape).to.deep.equal([2, 0]);
    const made = array([1, 2]);
    expect(array(made)).to.equal(made);
  });

  it("refuses ragged lists", () => {
    const message = "inhomogeneous shape after 1 dimensions. The detected shape was (2,)";
    for (const ragged of [
      [[1, 2], [3]],
      [1, [2]],
      [[1], 2],
    ]) {
      expect(() => array(ragged)).to.throw(RangeError, message);
    }
  });

  it("refuses shapes that do not fit", () => {
    expect(() => new NdArray([2, 2], new Float64Array(3))).to.throw(
      RangeError,
      "cannot reshape array of size 3 into shape (2, 2)",
    );
    expect(() => NdArray.generate([-1], () => 0)).to.throw(
      RangeError,
      "negative dimensions are not allowed",
    );
    expect(() => NdArray.generate([1.5], () => 0)).to.throw(TypeError, "as an integer");
  });
});

describe("linspace", () => {
  for (const { args, values } of goldens.linspace) {
    it(`linspace(${args.join(", ")})`, () => {
      expectArray(linspace(...(args as [number, number, number?])), values);
    });
  }
  it("refuses a negative number of samples", () => {
    expect(() => linspace(0, 1, -1)).to.throw("Number of samples, -1, must be non-negative.");
  });
});
