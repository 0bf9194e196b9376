import type { ByteSource } from "../byte-source.js";
import type { Checkpoint, LazyEntry } from "../checkpoint.js";
import { placed } from "../errors.js";
import { findStateDict } from "../state-dict.js";
import { Allowance } from "../tensor.js";
import { pass, type Wanted } from "../wanted.js";

/** The tensors of the model in a saved value. */
export async function checkpointOf(
  format: Checkpoint["format"],
  value: unknown,
  file: ByteSource,
  wanted: Wanted,
): Promise<Checkpoint> {
  const state = await placed(file.name, () => pass(findStateDict(value, wanted.key), wanted));
  const allowance = new Allowance(file);
  const entries = new Map<string, LazyEntry>();
  for (const [name, tensor] of state) {
    const { dtype, shape } = tensor;
    const read = (): ReturnType<LazyEntry["read"]> =>
      placed(file.name, () => tensor.toEntry(name, allowance));
    entries.set(name, { dtype, shape, read });
  }
  return { format, entries };
}
