import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { areFiniteBits, areModest, givesFinite } from "../passes/finite.js";
import { DECLINED } from "../declined.js";
import type { Builder } from "./builder.js";
import { type Block, count } from "./value.js";

/** Whether a node gives finite numbers whenever the inputs of the graph are finite, as far as is known. */
export function isFiniteNode(b: Builder, node: Node): boolean {
  const isStatic = (one: Argument): one is Node => b.isStatic(one);
  return givesFinite({ isStatic, hasFinite: (one) => hasFiniteNumbers(b, one) }, node);
}

/** Of what no input reaches; if it holds and no longer will, plans are made anew. */
export function hasFiniteNumbers(b: Builder, node: Node): boolean {
  return b.weights.assume("finite", b.graph, node, (statics) => {
    const { of, factors } = statics.unscaled(node);
    const areFew = factors === null || areModest(factors);
    if (of.kind === "get_attr" && areFew && areModest(statics.of(of).values)) return true;
    const [rows = 1, ...rest] = shapeOf(node);
    const write = statics.writer(node);
    const row = new Float32Array(count(rest));
    const bits = new Int32Array(row.buffer);
    for (let i = 0; i < rows; i += 1) {
      write(i, 1, row, 0);
      if (!areFiniteBits(bits)) return false;
    }
    return true;
  });
}

/** A step that leaves the call to eager if there is a NaN or an infinity in a block. */
export function addFiniteCheck(b: Builder, block: Block): void {
  b.add({
    kernel: "finite",
    onOneThread: true,
    reads: [block],
    writes: [],
    bind: () => {
      const start = block.address >>> 2;
      const end = start + (block.bytes >>> 2);
      return () => {
        if (!areFiniteBits(b.heap.i32, start, end)) throw DECLINED; // eslint-disable-line @typescript-eslint/only-throw-error -- a signal, not an error
      };
    },
  });
}
