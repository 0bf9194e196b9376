/** Blobs, and files that a user has chosen: they are on disk until they are read. */
import type { ByteSource } from "../byte-source.js";
import { CheckpointError } from "../errors.js";
import type { LoadTask } from "../task.js";
import { Turns } from "../turns.js";
import { RangeSource } from "./ranges.js";

const PART = 16 * 2 ** 20;

export function openBlob(blob: Blob, task: LoadTask, name = nameOf(blob)): ByteSource {
  const fill = async (begin: number, target: Uint8Array): Promise<void> => {
    const part = blob.slice(begin, begin + target.length);
    const bytes = await part.arrayBuffer().catch((cause: unknown) => {
      const message = `cannot be read (did it change?): ${(cause as Error).message}`;
      throw new CheckpointError(message, { file: name, offset: begin, cause });
    });
    target.set(new Uint8Array(bytes));
    task.advance(target.length, name);
  };
  const reader = { name, size: blob.size, fill };
  return new RangeSource({ ...reader, maxGap: 65536, partSize: PART, turns: new Turns(2) }, task);
}

const nameOf = (blob: Blob): string => ("name" in blob ? (blob as File).name : "<blob>");
