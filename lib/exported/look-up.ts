import { ATEN_OPS } from "./aten/index.js";
import { type AtenOp, bareName, findRegistered } from "./op-table.js";

/** The op for a target: one that a user registered, else a built-in one. */
export function lookUpOp(target: string): AtenOp | undefined {
  const name = bareName(target);
  return findRegistered(name) ?? (Object.hasOwn(ATEN_OPS, name) ? ATEN_OPS[name] : undefined);
}
