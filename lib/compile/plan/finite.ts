import type { Argument, Node } from "../../graph/index.js";
import { areFiniteBits, givesFinite } from "../passes/finite.js";
import { DECLINED } from "../declined.js";
import type { Builder } from "./builder.js";
import type { Block } from "./value.js";

/** Whether a node gives finite numbers whenever the inputs of the graph are finite, as far as is known. */
export function isFiniteNode(b: Builder, node: Node): boolean {
  const isStatic = (one: Argument): one is Node => b.isStatic(one);
  return givesFinite({ isStatic, hasFinite: (one) => hasFiniteNumbers(b, one) }, node, b.finite);
}

/** Of what no input reaches; if it holds and no longer will, plans are made anew. */
export function hasFiniteNumbers(b: Builder, node: Node): boolean {
  return b.weights.assume("finite", b.graph, node, (statics) => statics.areFinite(node));
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
