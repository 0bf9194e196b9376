/** numpy's `.npz`: a ZIP archive of `.npy` members. */
import { type ByteSource, bytesSource } from "./byte-source.js";
import type { Checkpoint, LazyEntry } from "./checkpoint.js";
import { CheckpointError } from "./errors.js";
import { openNpy } from "./npy.js";
import type { ZipArchive } from "./zip.js";

export async function openNpz(file: ByteSource, archive: ZipArchive): Promise<Checkpoint> {
  const entries = new Map<string, LazyEntry>();
  for (const member of archive.members.values()) {
    if (!member.name.endsWith(".npy")) {
      throw new CheckpointError(
        `a ZIP archive with '${member.name.slice(0, 80)}', but no data.pkl: neither of torch.save ` +
          "nor a .npz",
        { file: file.name },
      );
    }
    const key = member.name.slice(0, -".npy".length);
    const array = bytesSource(await archive.read(member), `${file.name}/${member.name}`);
    entries.set(key, await openNpy(array, key));
  }
  return { format: "npz", entries };
}
