/** numpy's `.npz`: a ZIP archive of `.npy` members. */
import { type ByteSource, bytesSource } from "../byte-source.js";
import type { Checkpoint, LazyEntry } from "../checkpoint.js";
import { isDtype } from "../dtype.js";
import type { Entry } from "../entry.js";
import { UnreadableEntry } from "../entry.js";
import { CheckpointError } from "../errors.js";
import type { ZipArchive, ZipMember } from "../zip.js";
import { npyEntry, readNpyHeader, whyNot } from "./npy.js";

/** Members that are no arrays of numbers are there, as they are for numpy: their use is an error. */
export async function openNpz(file: ByteSource, archive: ZipArchive): Promise<Checkpoint> {
  const members = [...archive.members.values()];
  if (members.length > 0 && !members.some(({ name }) => name.endsWith(".npy"))) {
    throw new CheckpointError(
      `a ZIP archive of '${members[0]!.name.slice(0, 80)}' and others, but no data.pkl in their ` +
        "folder and no .npy: neither of torch.save nor a .npz",
      { file: file.name },
    );
  }
  const entries = new Map<string, LazyEntry>();
  for (const member of members) {
    const isArray = member.name.endsWith(".npy");
    const key = isArray ? member.name.slice(0, -".npy".length) : member.name;
    const other = (): LazyEntry =>
      unreadable("a member that is no .npy", { dtype: "bytes", shape: [] }, key);
    entries.set(key, isArray ? await openMember(file, archive, member, key) : other());
  }
  return { format: "npz", entries };
}

async function openMember(
  file: ByteSource,
  archive: ZipArchive,
  member: ZipMember,
  key: string,
): Promise<LazyEntry> {
  const array = bytesSource(await archive.read(member), `${file.name}/${member.name}`);
  const header = await readNpyHeader(array);
  if (isDtype(header.dtype)) return npyEntry(array, header, key);
  return unreadable(`an array that cannot be read: ${whyNot(header.dtype)}`, header, key);
}

function unreadable(
  what: string,
  { dtype, shape }: Pick<LazyEntry, "dtype" | "shape">,
  key: string,
): LazyEntry {
  const read = (): Promise<Entry> => Promise.resolve(new UnreadableEntry(what, dtype, shape, key));
  return { dtype, shape, read };
}
