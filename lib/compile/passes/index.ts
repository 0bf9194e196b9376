import type { Graph } from "../../graph/index.js";
import { atOnce, type Parts } from "../parts.js";
import { fuseAttention } from "./attention.js";
import { canonicalise } from "./canonical.js";
import { foldConstants } from "./constants.js";
import { dropDead, shareCommon } from "./clean.js";
import { foldIntoWeights } from "./fold.js";
import { fuseEpilogues, fusePointwise } from "./fuse.js";
import { mergeProjections } from "./merge.js";
import { recognise } from "./recognise.js";
import type { IsModest } from "./rewrite.js";
import { moveViews } from "./views.js";

/**
 * A pure function from graph to equivalent graph; it returns the same graph if it has nothing to
 * change.
 */
export type Pass = (graph: Graph, isModest: IsModest) => Graph;

/** The passes in their order; each is followed by a clean-up. */
export const PASSES: readonly Pass[] = [
  canonicalise,
  foldConstants,
  canonicalise, // numbers that were folded
  shareCommon,
  recognise,
  recognise, // a norm or gate with the scale that is now next to it
  moveViews,
  moveViews, // views that have become neighbours
  shareCommon,
  fuseAttention,
  foldIntoWeights,
  mergeProjections,
  moveViews, // views that three merged linears shared, and one does not need
  moveViews,
  fuseEpilogues,
  fusePointwise,
  shareCommon,
];

/** Ops that a trace for these passes records as their parts, which fuse better. */
export const DECOMPOSED: ReadonlySet<string> = new Set([
  "multi_head_attention_forward",
  "matmul",
  "einsum",
]);

/** Runs all passes, one after the other. */
export function* optimising(graph: Graph, isModest: IsModest): Parts<Graph> {
  let now = dropDead(graph);
  const settled = new Map<Pass, Graph>();
  for (const pass of PASSES) {
    if (settled.get(pass) === now) continue; // nothing has changed since this pass had nothing to do
    const next = pass(now, isModest);
    if (next === now) settled.set(pass, now);
    else now = dropDead(next);
    yield;
  }
  return now;
}

/** Runs all passes. */
export const optimise = (graph: Graph, isModest: IsModest = () => true): Graph =>
  atOnce(optimising(graph, isModest));
