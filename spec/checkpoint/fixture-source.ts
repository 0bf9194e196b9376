import { type ByteSource, CheckpointError } from "../../lib/checkpoint/index.js";
import { readFixture } from "../support/files.js";

/** A fixture with those beside it, as a path or URL has them. */
export async function fixtureSource(path: string): Promise<ByteSource> {
  const bytes = await readFixture(path);
  return {
    name: path,
    size: bytes.length,
    read: (begin, end) => Promise.resolve(bytes.subarray(begin, end)),
    sibling: (name) => {
      const folder = path.slice(0, path.lastIndexOf("/"));
      return fixtureSource(`${folder}/${name}`).catch((cause: unknown) => {
        throw new CheckpointError("is not there", { file: name, cause });
      });
    },
  };
}
