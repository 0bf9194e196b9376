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

/** A pure function from graph to graph, after which it computes the same; the same graph if it changes nothing. */
export type Pass = (graph: Graph, isModest: IsModest) => Graph;

/** The passes in their order; each is cleaned up after. */
export const PASSES: readonly Pass[] = [
  canonicalise,
  foldConstants,
  canonicalise, // numbers that were folded
  shareCommon,
  recognise,
  recognise, // what a norm or a gate was scaled with
  moveViews,
  moveViews, // views that met only now
  shareCommon,
  fuseAttention,
  foldIntoWeights,
  mergeProjections,
  moveViews, // what three linears shared, one does not
  moveViews,
  fuseEpilogues,
  fusePointwise,
  shareCommon,
];

/** Ops that a trace for these passes looks into: what they are made of fuses better. */
export const DECOMPOSED: ReadonlySet<string> = new Set(["multi_head_attention_forward"]);

/** Runs all passes, one after the other. */
export function* optimising(graph: Graph, isModest: IsModest): Parts<Graph> {
  let now = dropDead(graph);
  const settled = new Map<Pass, Graph>();
  for (const pass of PASSES) {
    if (settled.get(pass) === now) continue; // it had nothing to do, and nothing changed since
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
