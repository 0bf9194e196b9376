import type { LaunchNumbers } from "../../kernels/webgl/launch.js";
import { type Layout, makeLayout } from "../../kernels/webgl/layout.js";
import type { ProgramSource } from "../../kernels/webgl/program.js";
import { COPY_DIMS, copyProgram } from "../../kernels/webgl/programs/copy.js";
import { type Argument, Node } from "../../graph/index.js";
import type { Parts } from "../parts.js";
import { givesFinite } from "../passes/finite.js";
import { layoutIn, naturalOrder, type Value, VirtualTensor, wholeOf } from "./value.js";

/** A tensor in the layout in which a program reads it. */
export interface Read {
  readonly tensor: VirtualTensor;
  readonly layout: Layout;
}

/** Numbers that lie in a flat texture, uploaded once. */
export interface Weight {
  /** Equal for equal contents. */
  readonly key: string;
  readonly make: () => Parts<Float32Array>;
  /** Whether it holds places, which 16 bits would move. */
  readonly isTable?: boolean;
}

/** A draw of the plan, before textures are given out. */
export interface Draw {
  readonly kind: "draw";
  readonly node: Node;
  readonly source: ProgramSource;
  readonly inputs: readonly Read[];
  readonly weights: readonly Weight[];
  readonly output: VirtualTensor;
  readonly numbers: LaunchNumbers;
  /** Floating point operations, as the op is counted on `cpu`; 0 for what only moves numbers. */
  readonly flops: number;
}

/** An op that has no program: it is read back, run by tfjs, and uploaded. */
export interface Host {
  readonly kind: "host";
  readonly node: Node;
  /** For each node that it reads, where its value is; that of a list, where its parts are. */
  readonly inputs: ReadonlyMap<Node, Value | readonly Value[]>;
  readonly reads: VirtualTensor[];
  readonly outputs: readonly VirtualTensor[];
}

export type Step = Draw | Host;

/** A tensor that never changes, such as a parameter. */
export interface Constant {
  shape: readonly number[];
  values: ArrayLike<number>;
}

/** What a plan asks of the graph's constants. */
export interface Constants {
  /** What a node is that depends on no input; `null` for any other. */
  of(node: Node): Constant | null;
  /** Whether its numbers are finite; once they are not any more, plans are made anew. */
  areFinite(node: Node): boolean;
  /** The same text for the same numbers, in every plan of a model. */
  keyOf(node: Node): string;
}

/** Whether the numbers of an input are what a program can do with. */
export type Test = (values: ArrayLike<number>) => boolean;

/** Whether a test holds for every number; on a run's way, so without a list. */
export function every(
  values: ArrayLike<number>,
  holds: (one: number, i: number) => boolean,
): boolean {
  for (let i = 0; i < values.length; i += 1) if (!holds(values[i]!, i)) return false;
  return true;
}

const VIEWS = new Set(["prim.reshape", "prim.permute", "prim.slice"]);

/** Collects the steps of a plan. */
export class Builder {
  readonly steps: Step[] = [];
  /** The node whose steps are being added. */
  node!: Node;
  /** What the numbers of inputs must be, such as indices of a table's rows. */
  readonly checks = new Map<Node, Test[]>();
  /** Borders that the convolutions which read them do without. */
  readonly absorbed = new Set<Node>();

  /** Whether a program makes more of a NaN or an infinity of the input than eager does. */
  spreadsNaN = false;
  private readonly finite = new Map<Node, boolean>();

  constructor(
    private readonly constants: Constants,
    /** Whether tensors are of 32-bit floats. */
    readonly isPrecise: boolean,
  ) {}

  /** Adds a draw and gives what it writes. */
  draw(
    source: ProgramSource,
    shape: readonly number[],
    {
      order,
      inputs = [],
      weights = [],
      flops = 0,
      ...numbers
    }: LaunchNumbers & {
      order?: readonly number[];
      inputs?: readonly Read[];
      weights?: readonly Weight[];
      flops?: number;
    },
  ): Value {
    const output = new VirtualTensor(makeLayout(shape, order));
    const { node } = this;
    this.steps.push({ kind: "draw", node, source, inputs, weights, output, numbers, flops });
    return wholeOf(output);
  }

  /** The value with its axes in that order, copied only if it lies otherwise. */
  read(value: Value, order: readonly number[] = value.shape.map((_, axis) => axis)): Read {
    const layout = layoutIn(value, order);
    if (layout !== null) return { tensor: value.tensor, layout };
    const { tensor } = this.copy(value, order);
    return { tensor, layout: tensor.layout };
  }

  /** In the order in which it lies anyway; copied only if it is a part, or repeats. */
  readAsIs(value: Value): Read & { order: readonly number[] } {
    const order = naturalOrder(value);
    return { ...this.read(value, order), order };
  }

  copy(value: Value, order: readonly number[]): Value {
    const { shape, strides, offset, tensor } = value;
    // Dimensions in the order of the output, those that are walked as one joined.
    const dims: { size: number; stride: number }[] = [];
    for (const axis of order.slice(0, -1)) {
      const [size, stride] = [shape[axis]!, strides[axis]!];
      if (size === 1) continue;
      const last = dims.at(-1);
      if (last && last.stride === stride * size)
        Object.assign(last, { size: last.size * size, stride }); // prettier-ignore
      else dims.push({ size, stride });
    }
    if (dims.length > COPY_DIMS - 1) throw new RangeError("a copy of too many dimensions");
    while (dims.length < COPY_DIMS - 1) dims.unshift({ size: 1, stride: 0 });
    const last = order.at(-1);
    const channel = last === undefined ? { size: 1, stride: 1 } : { size: shape[last]!, stride: strides[last]! }; // prettier-ignore
    dims.push(channel);
    const channels = tensor.layout.channels;
    const aligned =
      (channel.stride === 1 || channel.size === 1) &&
      [offset, channels].every((one) => one % 4 === 0) &&
      channel.size % 4 === 0 &&
      dims.slice(0, -1).every(({ stride }) => stride % 4 === 0);
    const ints: Record<string, number> = { from: offset, inChannels: channels };
    dims.forEach(({ size, stride }, d) => Object.assign(ints, { [`size_${d}`]: size, [`stride_${d}`]: stride })); // prettier-ignore
    return this.draw(copyProgram(aligned, false), shape, {
      order,
      inputs: [{ tensor, layout: tensor.layout }],
      ints,
    });
  }

  /** Whether indices of so many rows can be checked; their order does not matter. */
  checkIndices(node: Node, count: number): boolean {
    let from = node;
    while (VIEWS.has(from.target)) from = from.args[0] as Node;
    return this.check(from, (ids) => every(ids, (id) => id >= 0 && id < count));
  }

  /** Whether numbers can be tested: they come with the call, or never change. */
  check(node: Node, test: Test): boolean {
    if (node.kind === "placeholder") {
      this.checks.set(node, [...(this.checks.get(node) ?? []), test]);
      return true;
    }
    const constant = this.constants.of(node);
    return constant !== null && test(constant.values);
  }

  /** Whether a node gives finite numbers wherever the inputs of the graph are finite. */
  givesFinite(node: Node): boolean {
    const { constants } = this;
    const isStatic = (one: Argument): one is Node =>
      one instanceof Node && constants.of(one) !== null;
    const hasFinite = (one: Node): boolean => constants.areFinite(one);
    return givesFinite({ isStatic, hasFinite }, node, this.finite);
  }

  /** The numbers of a constant; `null` for what changes. */
  numbersOf(node: Node): ArrayLike<number> | null {
    return this.constants.of(node)?.values ?? null;
  }

  /** A vector of a constant, in the lanes that channels have. */
  vector(node: Node): Weight | null {
    return this.packed(node, "vector", (values) => values);
  }

  /** A constant packed by a function, which may do it in parts. */
  packed(
    node: Node,
    how: string,
    pack: (values: Float32Array) => Float32Array | Parts<Float32Array>,
  ): Weight | null {
    return this.combined([node], how, ([values]) => pack(values!));
  }

  /** Several constants made into one; `null` if one of them changes. */
  combined(
    nodes: readonly Node[],
    how: string,
    pack: (values: readonly Float32Array[]) => Float32Array | Parts<Float32Array>,
  ): Weight | null {
    const { constants } = this;
    if (nodes.some((node) => constants.of(node) === null)) return null;
    const key = nodes.map((node) => constants.keyOf(node)).join(" ");
    function* make(): Parts<Float32Array> {
      const values: Float32Array[] = [];
      for (const node of nodes) {
        values.push(constants.of(node)!.values as Float32Array);
        yield;
      }
      const packed = pack(values);
      return packed instanceof Float32Array ? packed : yield* packed;
    }
    return { key: `${key} ${how}`, make };
  }
}

/** Numbers that are at hand, as a weight's `make`. */
export const ready = (values: Float32Array): Weight["make"] =>
  // eslint-disable-next-line require-yield -- there is nothing to wait for
  function* () {
    return values;
  };

/** Whether lanes past the last channel must be zeroed. */
export const isMasked = (channels: number): boolean => channels % 4 !== 0;
