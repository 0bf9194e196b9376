import { bytesSource, type ByteSource } from "../byte-source.js";

/** Reads a whole file into one array in which the tensors of a safetensors file are aligned. */
export async function readWhole(source: ByteSource): Promise<Uint8Array> {
  const head = await source.read(0, Math.min(16, source.size));
  if (head.length === 16) {
    const view = new DataView(head.buffer, head.byteOffset);
    source.alignAt?.(Number(view.getBigUint64(0, true) % 8n));
  }
  source.task?.startReporting();
  return source.read(0, source.size);
}

/** The same file, all of which is read when anything of it is asked for. */
export function wholeSource(file: ByteSource, onRead?: (bytes: Uint8Array) => void): ByteSource {
  const start = async (): Promise<ByteSource> => {
    const bytes = await readWhole(file);
    onRead?.(bytes);
    return bytesSource(bytes, file.name);
  };
  let whole: Promise<ByteSource> | undefined;
  const { name, size, task } = file;
  return {
    ...{ name, size, ...(task && { task }) },
    ...(file.sibling && { sibling: (other) => file.sibling!(other) }),
    read: async (begin, end) => (await (whole ??= start())).read(begin, end),
  };
}
