/** numpy's `.npz`: a ZIP archive of `.npy` members. */
import { type ByteSource, bytesSource } from "../byte-source.js";
import type { Checkpoint, LazyEntry } from "../checkpoint.js";
import { isDtype } from "../dtype.js";
import type { Entry } from "../entry.js";
import { UnreadableEntry } from "../entry.js";
import { CheckpointError } from "../errors.js";
import { choose, type Wanted } from "../wanted.js";
import { looksLikeNpy } from "../signs.js";
import type { ZipArchive, ZipMember } from "../zip.js";
import { npyEntry, readNpyHeader, whyNot } from "./npy.js";

/** Most headers fit into this many bytes. */
const HEAD = 512;

/** Members that are not numeric arrays are listed too, as in numpy; reading them is an error. */
export async function openNpz(
  file: ByteSource,
  archive: ZipArchive,
  wanted: Wanted,
): Promise<Checkpoint> {
  const members = [...archive.members.values()];
  if (members.length > 0 && !members.some(({ name }) => name.endsWith(".npy"))) {
    throw new CheckpointError(
      `a ZIP archive of '${members[0]!.name.slice(0, 80)}' and others, but no data.pkl in their ` +
        "folder and no .npy: neither of torch.save nor a .npz",
      { file: file.name },
    );
  }
  const named = new Map(members.map((member) => [member.name.replace(/\.npy$/, ""), member]));
  const open = async ([key, member]: [string, ZipMember]): Promise<[string, LazyEntry]> => [
    key,
    await openMember(file, archive, member, key),
  ];
  // All reads are started at once, so that adjacent ones are combined.
  const entries = new Map(await Promise.all([...choose(named, wanted)].map(open)));
  return { format: "npz", entries };
}

async function openMember(
  file: ByteSource,
  archive: ZipArchive,
  member: ZipMember,
  key: string,
): Promise<LazyEntry> {
  const name = `${file.name}/${member.name}`;
  const head = await archive.head(member, HEAD);
  // As in numpy, the bytes tell what a member is, not its name.
  if (!looksLikeNpy(head)) {
    return unreadable("a member that is no .npy", { dtype: "bytes", shape: [] }, key, file.name);
  }
  const beginning = {
    name,
    size: member.size,
    read: async (begin: number, end: number): Promise<Uint8Array> => {
      const bytes = end <= head.length ? head : await archive.head(member, end);
      return bytes.subarray(begin, end);
    },
  };
  const header = await readNpyHeader(beginning);
  if (!isDtype(header.dtype)) {
    return unreadable(
      `an array that cannot be read: ${whyNot(header.dtype)}`,
      header,
      key,
      file.name,
    );
  }
  const { dtype, shape } = npyEntry(beginning, header, key);
  const read = async (): Promise<Entry> => {
    const { task } = file;
    const whole = bytesSource(await archive.read(member), file.name, task && { task });
    return npyEntry(whole, header, key).read();
  };
  return { dtype, shape, read };
}

function unreadable(
  what: string,
  { dtype, shape }: Pick<LazyEntry, "dtype" | "shape">,
  key: string,
  file: string,
): LazyEntry {
  const read = (): Promise<Entry> =>
    Promise.resolve(new UnreadableEntry(what, dtype, shape, key, file));
  return { dtype, shape, read };
}
