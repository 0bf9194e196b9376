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

/** How each op becomes kernel calls; what is not here runs as a tfjs op inside the plan. */
export const LOWERINGS: Lowerings = {
  ...VIEWS,
  ...POINTWISE,
  ...LOGIC,
  ...BORDERS,
  ...MOVES,
  ...ATTENTION,
  ...ofFloats({ ...LINEAR, ...CONV, ...NORM, ...WINDOWS, ...RECURRENT }),
};
