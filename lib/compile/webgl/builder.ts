import type { LaunchNumbers } from "../../kernels/webgl/launch.js";
import { type Layout, makeLayout } from "../../kernels/webgl/layout.js";
import type { ProgramSource } from "../../kernels/webgl/program.js";
import { COPY_DIMS, copyProgram } from "../../kernels/webgl/programs/copy.js";
import { type Argument, Node } from "../../graph/index.js";
import type { Parts } from "../parts.js";
import { givesFinite } from "../passes/finite.js";
import { layoutIn, naturalOrder, type Value, VirtualTensor, wholeOf } from "./value.js";

/** A tensor in the memory layout in which a program reads it. */
export interface Read {
  readonly tensor: VirtualTensor;
  readonly layout: Layout;
}

/** Numbers in a flat texture, uploaded once. */
export interface Weight {
  /** Equal for equal contents. */
  readonly key: string;
  readonly make: () => Parts<Float32Array>;
  /**
   * The constant that it is made from, or the first of several; absent for tables of indices, which
   * 16-bit floats would change.
   */
  readonly node?: Node;
}

/** A draw call of the plan, before textures are assigned. */
export interface Draw {
  readonly kind: "draw";
  readonly node: Node;
  readonly source: ProgramSource;
  readonly inputs: readonly Read[];
  readonly weights: readonly Weight[];
  readonly output: VirtualTensor;
  readonly numbers: LaunchNumbers;
  /**
   * Floating point operations, as the op is counted on `cpu`; 0 for programs that only move
   * numbers.
   */
  readonly flops: number;
}

/**
 * An op without a program: its inputs are read back, tfjs runs it, and its results are uploaded.
 */
export interface Host {
  readonly kind: "host";
  readonly node: Node;
  /** For each node that it reads, its value, or its values if it gives a list. */
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

/** What a plan needs to know about the graph's static nodes. */
export interface Constants {
  /** The value of a node that depends on no input; `null` for other nodes. */
  of(node: Node): Constant | null;
  /** Whether its numbers are finite; if new weights are not, plans are made again. */
  areFinite(node: Node): boolean;
  /** Identifies equal numbers in all plans of a model. */
  keyOf(node: Node): string;
}

/** Whether a program can work with these values of an input. */
export type Test = (values: ArrayLike<number>) => boolean;

/** Whether a predicate holds for every number; runs in every call, so it allocates no list. */
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
  /** Tests that the values of inputs must pass, such as being valid indices. */
  readonly checks = new Map<Node, Test[]>();
  /** Border paddings that the convolutions reading them take over. */
  readonly absorbed = new Set<Node>();

  /**
   * Whether some program spreads a NaN or an infinity of the input further than the eager model
   * does.
   */
  spreadsNaN = false;
  private readonly finite = new Map<Node, boolean>();

  constructor(
    private readonly constants: Constants,
    /** Whether textures hold 32-bit floats. */
    readonly isPrecise: boolean,
  ) {}

  /** Adds a draw call and returns the value that it writes. */
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

  /** The value with its axes in that order; copied only if it has another layout. */
  read(value: Value, order: readonly number[] = value.shape.map((_, axis) => axis)): Read {
    const layout = layoutIn(value, order);
    if (layout !== null) return { tensor: value.tensor, layout };
    const { tensor } = this.copy(value, order);
    return { tensor, layout: tensor.layout };
  }

  /** The value in whatever order of axes it has; copied only if it is a slice or broadcast. */
  readAsIs(value: Value): Read & { order: readonly number[] } {
    const order = naturalOrder(value);
    return { ...this.read(value, order), order };
  }

  copy(value: Value, order: readonly number[]): Value {
    const { shape, strides, offset, tensor } = value;
    // The dimensions in output order, with adjacent ones joined where one stride describes both.
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

  /** Whether indices into so many rows can be tested before a run; their order does not matter. */
  checkIndices(node: Node, count: number): boolean {
    let from = node;
    while (VIEWS.has(from.target)) from = from.args[0] as Node;
    return this.check(from, (ids) => every(ids, (id) => id >= 0 && id < count));
  }

  /** Whether values can be tested: those of inputs in every call, those of constants now. */
  check(node: Node, test: Test): boolean {
    if (node.kind === "placeholder") {
      this.checks.set(node, [...(this.checks.get(node) ?? []), test]);
      return true;
    }
    const constant = this.constants.of(node);
    return constant !== null && test(constant.values);
  }

  /** Whether a node gives finite numbers whenever the inputs of the graph are finite. */
  givesFinite(node: Node): boolean {
    const { constants } = this;
    const isStatic = (one: Argument): one is Node =>
      one instanceof Node && constants.of(one) !== null;
    const hasFinite = (one: Node): boolean => constants.areFinite(one);
    return givesFinite({ isStatic, hasFinite }, node, this.finite);
  }

  /** The numbers of a constant; `null` for a value that depends on inputs. */
  numbersOf(node: Node): ArrayLike<number> | null {
    return this.constants.of(node)?.values ?? null;
  }

  /** A constant vector, in the lanes of channels; `null` for a value that depends on inputs. */
  vector(node: Node): Weight | null {
    return this.packed(node, "vector", (values) => values);
  }

  /** A constant that `pack` rearranges, perhaps in several parts of work. */
  packed(
    node: Node,
    how: string,
    pack: (values: Float32Array) => Float32Array | Parts<Float32Array>,
  ): Weight | null {
    return this.combined([node], how, ([values]) => pack(values!));
  }

  /** Several constants combined into one; `null` if one depends on inputs. */
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
    return { key: `${key} ${how}`, make, node: nodes[0] };
  }
}

/** Numbers that are available at once, as the `make` of a weight. */
export const ready = (values: Float32Array): Weight["make"] =>
  // eslint-disable-next-line require-yield -- there is nothing to wait for
  function* () {
    return values;
  };

/** Whether the last texel has lanes past the last channel, which must be zeroed. */
export const isMasked = (channels: number): boolean => channels % 4 !== 0;
