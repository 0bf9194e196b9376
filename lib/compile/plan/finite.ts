import type { Argument, Node } from "../../graph/index.js";
import { areFiniteBits, givesFinite } from "../passes/finite.js";
import { DECLINED } from "../declined.js";
import type { Builder } from "./builder.js";
import type { Block } from "./value.js";

/** Whether a node is known to give finite numbers whenever the inputs of the graph are finite. */
export function isFiniteNode(b: Builder, node: Node): boolean {
  const isStatic = (one: Argument): one is Node => b.isStatic(one);
  return givesFinite({ isStatic, hasFinite: (one) => hasFiniteNumbers(b, one) }, node, b.finite);
}

/**
 * The same for a node that depends on no input. If new weights make it false, plans are made again.
 */
export function hasFiniteNumbers(b: Builder, node: Node): boolean {
  return b.weights.assume("finite", b.graph, node, (statics) => statics.areFinite(node));
}

/** Adds a step that hands the call to the eager model if a block has a NaN or an infinity. */
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
