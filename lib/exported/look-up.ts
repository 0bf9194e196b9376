import { ATEN_OPS } from "./aten/index.js";
import { type AtenOp, bareName, findRegistered } from "./op-table.js";

/** What runs a target: what a user registered, else what is built in. */
export function lookUpOp(target: string): AtenOp | undefined {
  const name = bareName(target);
  return findRegistered(name) ?? (Object.hasOwn(ATEN_OPS, name) ? ATEN_OPS[name] : undefined);
}
