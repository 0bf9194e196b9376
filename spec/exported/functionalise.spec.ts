import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { type Argument, Graph, type Node } from "../../lib/graph/index.js";
import { lower } from "../../lib/exported/lower/lower.js";
import { Plan } from "../../lib/exported/runtime/plan.js";
import { setBackend } from "../../lib/backend.js";
import { fc } from "../support/fast-check.js";

/**
 * Programs of views and writes, at random: as PyTorch runs them, on memory that tensors share, and as
 * we do, made functional.
 */
class Strided {
  constructor(
    readonly memory: number[],
    readonly shape: readonly number[],
    readonly stride: readonly number[],
    readonly offset = 0,
  ) {}

  static of(values: readonly number[], shape: readonly number[]): Strided {
    const stride = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
    return new Strided([...values], shape, stride);
  }

  /** Where each element lies, in row-major order. */
  places(): number[] {
    return this.shape.reduce<number[]>(
      (places, size, dim) =>
        places.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * this.stride[dim]!)),
      [this.offset],
    );
  }

  values(): number[] {
    return this.places().map((at) => this.memory[at]!);
  }

  write(change: (old: number, i: number) => number): void {
    const values = this.values().map(change);
    this.places().forEach((at, i) => (this.memory[at] = values[i]!));
  }

  seen(shape: readonly number[], stride: readonly number[], offset = 0): Strided {
    return new Strided(this.memory, shape, stride, this.offset + offset);
  }

  /** Whether elements lie in one place, so that PyTorch refuses to write. */
  isRepeated(): boolean {
    const places = this.places();
    return new Set(places).size < places.length;
  }

  isContiguous(): boolean {
    const rows = Strided.of([], this.shape).stride;
    return this.shape.every((size, i) => size === 1 || rows[i] === this.stride[i]);
  }
}

const without = (list: readonly number[], dim: number): number[] => list.toSpliced(dim, 1);

interface Step {
  kind: string;
  of: number;
  a: number;
  b: number;
  c: number;
}

const VIEWS = [
  ...["select", "slice", "transpose", "unsqueeze", "squeeze", "expand", "diagonal", "view"],
  ...["split", "permute", "clone", "unfold", "matrix_H", "ravel", "broadcast_tensors"],
];
const WRITES = ["fill_", "add_", "mul_", "copy_", "zero_", "neg_", "out"];

class Program {
  readonly graph = new Graph();
  readonly nodes: Node[] = [];
  readonly tensors: Strided[] = [];

  constructor(shape: readonly number[]) {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: size }, (_, i) => i + 1);
    this.push(this.node("placeholder", "x", [], Strided.of(values, shape)), shape, values);
  }

  private push(node: Node, shape: readonly number[], values: readonly number[]): void {
    this.nodes.push(node);
    this.tensors.push(Strided.of(values, shape));
  }

  private node(
    kind: "placeholder" | "call_function",
    target: string,
    args: readonly Argument[],
    { shape, stride }: Strided,
    kwargs: Record<string, Argument> = {},
  ): Node {
    const layout = { shape, stride };
    const value = { shape, dtype: "float32", layout, requiresGrad: false };
    const name = target.split(".")[1] ?? target;
    return this.graph.add(kind, target, args, kwargs, { name, meta: { value } });
  }

  view(of: number, target: string, args: readonly Argument[], seen: Strided): void {
    this.nodes.push(this.node("call_function", target, [this.nodes[of]!, ...args], seen));
    this.tensors.push(seen);
  }

  apply({ kind, of: pick, a, b, c }: Step): void {
    const of = pick % this.tensors.length;
    const t = this.tensors[of]!;
    const { shape, stride } = t;
    const rank = shape.length;
    const dim = rank === 0 ? 0 : a % rank;
    const named = b % 2 === 0 ? dim : dim - rank;
    if (WRITES.includes(kind)) return this.write(of, kind, b, c);
    if (kind === "clone") return this.push(this.node("call_function", "aten.clone.default", [this.nodes[of]!], Strided.of([], shape)), shape, t.values()); // prettier-ignore
    if (kind === "unsqueeze") {
      const at = a % (rank + 1);
      const put = (list: readonly number[], one: number): number[] => list.toSpliced(at, 0, one);
      return this.view(of, "aten.unsqueeze.default", [at], t.seen(put(shape, 1), put(stride, 1)));
    }
    if (kind === "expand") {
      const size = [2, ...shape];
      return this.view(of, "aten.expand.default", [size], t.seen(size, [0, ...stride]));
    }
    if (kind === "view") {
      if (!t.isContiguous()) return;
      const size = shape.reduce((x, y) => x * y, 1);
      const next = size % 2 === 0 ? [size / 2, 2] : [size];
      return this.view(of, "aten.view.default", [next], t.seen(next, Strided.of([], next).stride));
    }
    if (kind === "ravel") {
      const size = shape.reduce((x, y) => x * y, 1);
      if (t.isContiguous()) return this.view(of, "aten.ravel.default", [], t.seen([size], [1]));
      const copy = Strided.of(t.values(), [size]);
      return this.push(this.node("call_function", "aten.ravel.default", [this.nodes[of]!], copy), [size], t.values()); // prettier-ignore
    }
    if (kind === "broadcast_tensors") return this.broadcast(of, b);
    if (rank === 0) return;
    const n = shape[dim]!;
    const step = stride[dim]!;
    if (kind === "select") {
      const at = c % n;
      const seen = t.seen(without(shape, dim), without(stride, dim), at * step);
      this.view(of, "aten.select.int", [named, b % 3 === 0 ? at - n : at], seen);
    } else if (kind === "slice") {
      const [start, by] = [b % n, 1 + (c % 2)];
      const end = Math.min(n, start + 1 + (c % n));
      const seen = t.seen(shape.with(dim, Math.ceil((end - start) / by)), stride.with(dim, step * by), start * step); // prettier-ignore
      this.view(of, "aten.slice.Tensor", [named, start, end === n ? 2 ** 53 : end, by], seen);
    } else if (kind === "unfold" && n > 1) {
      const by = 1 + (b % 2);
      const count = Math.floor((n - 2) / by) + 1;
      const seen = t.seen([...shape.with(dim, count), 2], [...stride.with(dim, step * by), step]);
      this.view(of, "aten.unfold.default", [named, 2, by], seen);
    } else if (kind === "matrix_H" && rank === 2) {
      const seen = t.seen(shape.toReversed(), stride.toReversed());
      this.view(of, "aten.matrix_H.default", [], seen);
    } else if (kind === "split") this.split(of, dim, 1 + (b % n), c);
    else if (kind === "squeeze") {
      const gone = n === 1 ? [without(shape, dim), without(stride, dim)] : [shape, stride];
      this.view(of, "aten.squeeze.dim", [named], t.seen(gone[0]!, gone[1]!));
    } else if (kind === "permute") {
      const dims = shape.map((_, i) => (i + c) % rank);
      const seen = t.seen(dims.map((one) => shape[one]!), dims.map((one) => stride[one]!)); // prettier-ignore
      this.view(of, "aten.permute.default", [dims], seen);
    } else if (kind === "transpose") {
      const other = b % rank;
      const swap = (list: readonly number[]): number[] =>
        list.with(dim, list[other]!).with(other, list[dim]!);
      this.view(of, "aten.transpose.int", [named, other], t.seen(swap(shape), swap(stride)));
    } else if (kind === "diagonal" && rank > 1) {
      const [one, two] = [dim, (dim + 1) % rank];
      const low = c % 2 === 0 ? 0 : shape[two]! > 1 ? 1 : 0;
      const length = Math.min(shape[one]!, shape[two]! - low);
      const rest = (list: readonly number[], last: number): number[] =>
        [...list.filter((_, i) => i !== one && i !== two), last];
      const seen = t.seen(rest(shape, length), rest(stride, step + stride[two]!), low * stride[two]!);
      this.view(of, "aten.diagonal.default", [low, one, two], seen);
    } // prettier-ignore
  }

  /** Together with rows of it, of which there are three. */
  private broadcast(of: number, choice: number): void {
    const t = this.tensors[of]!;
    const wide = this.node("call_function", "aten.zeros.default", [[3, ...t.shape]], t);
    const args = choice % 2 === 0 ? [this.nodes[of]!, wide] : [wide, this.nodes[of]!];
    const list = this.node("call_function", "aten.broadcast_tensors.default", [args], t);
    list.meta.value = [null, null];
    const seen = t.seen([3, ...t.shape], [0, ...t.stride]);
    this.nodes.push(this.node("call_function", "operator.getitem", [list, choice % 2], seen));
    this.tensors.push(seen);
  }

  /** A list of views, of which one is taken. */
  private split(of: number, dim: number, size: number, choice: number): void {
    const t = this.tensors[of]!;
    const count = Math.ceil(t.shape[dim]! / size);
    const list = this.node("call_function", "aten.split.Tensor", [this.nodes[of]!, size, dim], t);
    list.meta.value = Array.from({ length: count }, () => null);
    const at = choice % count;
    const length = Math.min(size, t.shape[dim]! - at * size);
    const seen = t.seen(t.shape.with(dim, length), t.stride, at * size * t.stride[dim]!);
    this.nodes.push(this.node("call_function", "operator.getitem", [list, at], seen));
    this.tensors.push(seen);
  }

  private write(of: number, kind: string, b: number, c: number): void {
    const t = this.tensors[of]!;
    if (t.isRepeated()) return;
    const node = this.nodes[of]!;
    const call = (target: string, args: readonly Argument[], kwargs = {}): void =>
      void this.node("call_function", target, args, t, kwargs);
    // Another tensor, copied first: what overlaps itself has no order in PyTorch.
    const pick = b % this.tensors.length;
    const other = this.tensors[pick]!;
    const fits = other.shape.join() === t.shape.join() ? pick : of;
    const copy = this.node("call_function", "aten.clone.default", [this.nodes[fits]!], t);
    const values = this.tensors[fits]!.values();
    if (kind === "fill_") {
      call("aten.fill_.Scalar", [node, c]);
      t.write(() => c);
    } else if (kind === "zero_") {
      call("aten.zero_.default", [node]);
      t.write(() => 0);
    } else if (kind === "neg_") {
      call("aten.neg_.default", [node]);
      t.write((old) => -old);
    } else if (kind === "mul_") {
      call("aten.mul_.Tensor", [node, 2 - (c % 3)]);
      t.write((old) => old * (2 - (c % 3)));
    } else if (kind === "add_") {
      call("aten.add_.Tensor", [node, copy]);
      t.write((old, i) => old + values[i]!);
    } else if (kind === "copy_") {
      call("aten.copy_.default", [node, copy]);
      t.write((_, i) => values[i]!);
    } else {
      call("aten.mul.out", [copy, 3], { out: node });
      t.write((_, i) => values[i]! * 3);
    }
  }
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...VIEWS, ...WRITES, ...WRITES),
  of: fc.nat(40),
  ...{ a: fc.nat(11), b: fc.nat(11), c: fc.nat(11) },
});
const shape = fc.constantFrom([3, 4], [2, 3, 4], [6], [4, 4], [1, 5]);

/** As float32, zeros without a sign. */
const plain = (values: ArrayLike<number>): number[] =>
  Array.from(values, (one) => Math.fround(one) + 0);

describe("programs made functional", () => {
  before(() => setBackend("cpu"));

  it("give what shared memory gives, and write to what they are given", () => {
    const property = fc.property(
      shape,
      fc.array(step, { minLength: 2, maxLength: 16 }),
      (size, steps) => {
        const program = new Program(size);
        const [x] = program.tensors;
        const given = tf.tensor(x!.values(), [...size]);
        for (const one of steps) program.apply(one);
        program.graph.add("output", "output", [program.nodes], {}, { name: "output" });
        const plan = new Plan(lower(program.graph));
        expect(plan.missing).to.deep.equal([]);
        tf.tidy(() => {
          const { outputs, written } = plan.run([given]);
          const shapes = (outputs as tf.Tensor[]).map((one) => one.shape);
          expect(shapes).to.deep.equal(program.tensors.map((one) => one.shape));
          (outputs as tf.Tensor[]).forEach((one, i) => {
            expect(plain(one.dataSync()), program.nodes[i]!.name).to.deep.equal(
              plain(program.tensors[i]!.values()),
            );
          });
          const after = written.length === 0 ? given : (written[0] as tf.Tensor);
          expect(plain(after.dataSync())).to.deep.equal(plain(x!.values()));
        });
        given.dispose();
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  it("write several results to where they are told, and to what shares it", () => {
    const program = new Program([4]);
    const x = program.nodes[0]!;
    const call = (target: string, args: readonly Argument[], kwargs = {}): Node =>
      program.graph.add("call_function", target, args, kwargs, { name: "node" });
    const values = call("aten.clone.default", [x]);
    const view = call("aten.slice.Tensor", [values, 0, 0, 2]);
    const indices = call("aten.clone.default", [x]);
    const sorted = call("aten.sort.values", [x, 0, true], { values, indices });
    const item = call("operator.getitem", [sorted, 0]);
    program.graph.add("output", "output", [[values, view, indices, item]]);
    const plan = new Plan(lower(program.graph));
    tf.tidy(() => {
      const { outputs } = plan.run([tf.tensor1d([3, 1, 4, 2])]);
      const got = (outputs as tf.Tensor[]).map((one) => [...one.dataSync()]);
      expect(got).to.deep.equal([[4, 3, 2, 1], [4, 3], [2, 0, 3, 1], [4, 3, 2, 1]]); // prettier-ignore
    });
  });
});
