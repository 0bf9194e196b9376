import type { Node } from "../../graph/index.js";
import type { Builder, Lowered } from "./builder.js";
import { ATTENTION } from "./lower-attention.js";
import { type Lowerings, ofFloats, POINTWISE, VIEWS } from "./lower-basic.js";
import { BORDERS } from "./lower-borders.js";
import { CONV } from "./lower-conv.js";
import { LINEAR } from "./lower-linear.js";
import { LOGIC } from "./lower-logic.js";
import { MOVES } from "./lower-moves.js";
import { NORM } from "./lower-norm.js";
import { RECURRENT } from "./lower-recurrent.js";
import { WINDOWS } from "./lower-windows.js";

const OFTEN: Lowerings = {
  ...VIEWS,
  ...POINTWISE,
  ...LOGIC,
  ...BORDERS,
  ...MOVES,
  ...ATTENTION,
  ...ofFloats({ ...LINEAR, ...CONV, ...NORM, ...WINDOWS, ...RECURRENT }),
};

/**
 * How each op becomes kernel calls: the first table that does not decline decides, and an op that
 * none covers runs as a tfjs op inside the plan. The second table, for ops that few models have, is
 * loaded when one is needed.
 */
export const TABLES: Readonly<Record<string, (b: Builder, node: Node) => Lowered | null>>[] = [
  OFTEN,
];

/** Whether some table covers an op. */
export const isLowered = (target: string): boolean =>
  TABLES.some((table) => Object.hasOwn(table, target));
