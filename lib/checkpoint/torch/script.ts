/** Reads the parameters and buffers of a TorchScript archive, under the keys of its state_dict. */
import { CheckpointError } from "../errors.js";
import { Placeholder } from "../pickle/values.js";
import { LazyTensor, UnreadableTensor } from "../tensor.js";
import type { ZipArchive } from "../zip.js";

/** Modules are nested a few dozen deep, and the largest models have some thousands. */
const MAX_DEPTH = 256;
const MAX_MODULES = 20_000;

export const isTorchScript = (archive: ZipArchive, root: string): boolean =>
  archive.members.has(`${root}constants.pkl`);

/** The state_dict in `data.pkl`. */
export async function scriptStateDict(
  archive: ZipArchive,
  root: string,
  module: unknown,
): Promise<Map<string, LazyTensor | UnreadableTensor>> {
  if (!(module instanceof Placeholder)) {
    throw new CheckpointError("a TorchScript archive that holds no module");
  }
  const slots = await readSlots(archive, root);
  const tensors = new Map<string, LazyTensor | UnreadableTensor>();
  let visited = 0;
  const visit = (owner: Placeholder, prefix: string, depth: number): void => {
    if (!(owner.state instanceof Map)) return;
    if (depth > MAX_DEPTH) throw new CheckpointError(`modules nested over ${MAX_DEPTH} deep`);
    visited += 1;
    if (visited > MAX_MODULES) throw new CheckpointError(`more than ${MAX_MODULES} modules`);
    const names = slots.get(owner.className);
    if (names === null) return;
    const children = new Map<string, Placeholder>();
    for (const [name, value] of owner.state as Map<unknown, unknown>) {
      const key = `${prefix}${String(name)}`;
      const isTensor = value instanceof LazyTensor || value instanceof UnreadableTensor;
      if (isTensor && (names?.has(String(name)) ?? true)) tensors.set(key, value);
      else if (value instanceof Placeholder) children.set(key, value);
    }
    for (const [key, child] of children) visit(child, `${key}.`, depth + 1);
  };
  visit(module, "", 0);
  return tensors;
}

/**
 * The attributes of a class that are parameters or buffers, as its source says; other tensors are
 * not in the state_dict. Null for classes that are not modules, whose tensors do not belong to it
 * either.
 */
async function readSlots(
  archive: ZipArchive,
  root: string,
): Promise<Map<string, Set<string> | null>> {
  const slots = new Map<string, Set<string> | null>();
  const folder = `${root}code/`;
  for (const member of archive.members.values()) {
    const { name } = member;
    if (!name.startsWith(folder) || !name.endsWith(".py")) continue;
    const module = name.slice(folder.length, -".py".length).replaceAll("/", ".");
    const source = new TextDecoder().decode(await archive.read(member));
    for (const [, className] of source.matchAll(/^class (\w+)(?!\w|\(Module\))/gm)) {
      slots.set(`${module}.${className}`, null);
    }
    const classes =
      /^class (\w+)\(Module\):\n {2}__parameters__ = \[(.*)\]\n {2}__buffers__ = \[(.*)\]$/gm;
    for (const [, className, parameters, buffers] of source.matchAll(classes)) {
      const names = `${parameters},${buffers}`.matchAll(/"([^"]*)"/g);
      slots.set(`${module}.${className}`, new Set([...names].map(([, slot]) => slot!)));
    }
  }
  return slots;
}
