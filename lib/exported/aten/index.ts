import type { AtenOp } from "../op-table.js";

/** The ATen ops that are built in, by name and overload: `"aten.add.Tensor"`. */
export const ATEN_OPS: Readonly<Record<string, AtenOp>> = {};
